"""Signatures of version 2: botocore signs, we verify."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given

from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.signing import sigv2
from cloudlet.emulator.protocol.signing.errors import (
    MalformedParameter,
    MissingParameter,
    RequestExpired,
    SignatureMismatch,
    s3_error,
)
from tests.protocol.signing.test_sigv4 import ACCESS_KEY, SECRET, TEXT, TOKENS, as_request, changed


def signed(signer: Any, url: str, token: str | None = None, **options: Any) -> HttpRequest:
    request = AWSRequest(
        method=options.pop("method", "GET"),
        url=url,
        data=b"",
        headers=options.pop("headers", {}),
        auth_path=options.pop("auth_path", None),
    )
    signer(Credentials(ACCESS_KEY, SECRET, token), **options).add_auth(request)
    return as_request(request)


def verify(request: HttpRequest, now: float = 0.0, bucket: str = "", secret: str = SECRET) -> None:
    found = sigv2.read_signature(request)
    assert found is not None
    assert found.access_key == ACCESS_KEY
    sigv2.verify(request, found, secret, now, bucket)


@pytest.mark.parametrize("token", TOKENS)
@given(key=TEXT, disposition=TEXT)
def test_presigned_url(token: str | None, key: str, disposition: str) -> None:
    url = (
        f"http://localhost:4566/bucket/{quote(key, safe='/~')}?versionId=1&acl&other=2"
        f"&response-content-disposition={quote(disposition, safe='')}"
    )
    request = signed(botocore.auth.HmacV1QueryAuth, url, token, headers={"Content-Type": "a/b", "x-amz-meta-a": "1"})
    assert "authorization" not in request.headers
    verify(HttpRequest(request.method, f"{request.path}?{request.query}", {"host": "localhost:4566"}))
    with pytest.raises(SignatureMismatch):
        verify(request, secret="other")
    with pytest.raises(SignatureMismatch):
        verify(changed(request, method="PUT"))


def test_presigned_url_in_virtual_host_style() -> None:
    request = signed(
        botocore.auth.HmacV1QueryAuth, "http://bucket.s3.localhost.localstack.cloud:4566/key", auth_path="/bucket/key"
    )
    verify(request, bucket="bucket")


def test_expired_url_is_told() -> None:
    request = signed(botocore.auth.HmacV1QueryAuth, "http://localhost/bucket/key", expires=60)
    with pytest.raises(RequestExpired) as caught:
        verify(request, now=int(request.params["Expires"]) + 1)
    error = s3_error(caught.value)
    assert (error.code, error.message, "X-Amz-Expires" in error.members) == (
        "AccessDenied",
        "Request has expired",
        False,
    )


@pytest.mark.parametrize("token", TOKENS)
@given(key=TEXT)
def test_header_signature(token: str | None, key: str) -> None:
    url = f"http://localhost:4566/bucket/{quote(key, safe='/~')}?uploadId=x%2Fy"
    headers = {"Content-Type": "text/plain", "Content-MD5": "abc", "x-amz-meta-b": "2", "x-amz-meta-a": "1"}
    request = signed(botocore.auth.HmacV1Auth, url, token, method="PUT", headers=headers)
    verify(request)
    with pytest.raises(SignatureMismatch) as caught:
        verify(request, secret="other")
    assert s3_error(caught.value).members["StringToSign"].startswith("PUT\nabc\ntext/plain\n")


@pytest.mark.parametrize("name", ["AWSAccessKeyId", "Signature", "Expires"])
def test_missing_parameter_is_told(name: str) -> None:
    request = signed(botocore.auth.HmacV1QueryAuth, "http://localhost/bucket/key")
    rest = "&".join(part for part in request.query.split("&") if not part.startswith(name))
    with pytest.raises(MissingParameter) as caught:
        sigv2.read_signature(changed(request, target=f"/bucket/key?{rest}"))
    assert s3_error(caught.value).code == "AccessDenied"


def test_expiry_that_is_no_number_is_told() -> None:
    with pytest.raises(MalformedParameter):
        sigv2.read_signature(HttpRequest("GET", "/b/k?AWSAccessKeyId=a&Signature=b&Expires=soon", {}))


def test_requests_without_version_2_are_not_ours() -> None:
    assert (
        sigv2.read_signature(HttpRequest("GET", "/?X-Amz-Signature=1", {"authorization": "AWS4-HMAC-SHA256 x"})) is None
    )


def test_post_policy() -> None:
    request = AWSRequest(method="POST", url="http://localhost/b", data=b"")
    request.context["s3-presign-post-fields"] = {}
    request.context["s3-presign-post-policy"] = {"expiration": "2030-01-01T00:00:00Z", "conditions": []}
    botocore.auth.HmacV1PostAuth(Credentials(ACCESS_KEY, SECRET)).add_auth(request)
    fields = json.loads(json.dumps(request.context["s3-presign-post-fields"]))
    sigv2.verify_policy(SECRET, fields["AWSAccessKeyId"], fields["policy"], fields["signature"])
    with pytest.raises(SignatureMismatch):
        sigv2.verify_policy("other", fields["AWSAccessKeyId"], fields["policy"], fields["signature"])
