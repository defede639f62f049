"""Every form of signature behind one question, answered in S3's errors."""

from __future__ import annotations

import botocore.auth
import pytest

from cloudlet.emulator.gateway.http.body import RefusedBody
from cloudlet.emulator.kernel.errors import AwsError, InternalFailure
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.signing.check import check_s3_signature, is_presigned
from tests.protocol.signing.test_sigv2 import signed
from tests.protocol.signing.test_sigv4 import ACCESS_KEY, SECRET, now_of, signed_now

URL = "http://localhost:4566/bucket/key"


def secret_of(access_key: str) -> str:
    assert access_key == ACCESS_KEY
    return SECRET


def code_of(request: HttpRequest, now: float, secret: str = SECRET) -> str:
    with pytest.raises(AwsError) as caught:
        check_s3_signature(request, lambda _: secret, now)
    return caught.value.code


def test_good_signatures_of_every_form_pass() -> None:
    for signer in (botocore.auth.S3SigV4Auth, botocore.auth.S3SigV4QueryAuth):
        request = signed_now(signer, URL)
        check_s3_signature(request, secret_of, now_of(request))
        assert is_presigned(request) == (signer is botocore.auth.S3SigV4QueryAuth)
    for older in (botocore.auth.HmacV1Auth, botocore.auth.HmacV1QueryAuth):
        request = signed(older, URL)
        check_s3_signature(request, secret_of, 0.0)
        assert is_presigned(request) == (older is botocore.auth.HmacV1QueryAuth)


def test_requests_without_signature_pass() -> None:
    request = HttpRequest("GET", "/bucket/key?acl", {"host": "a"})
    check_s3_signature(request, secret_of, 0.0)
    assert not is_presigned(request)


def test_bad_signatures_are_s3_errors() -> None:
    newer = signed_now(botocore.auth.S3SigV4QueryAuth, URL, expires=10)
    assert code_of(newer, now_of(newer), "other") == "SignatureDoesNotMatch"
    assert code_of(newer, now_of(newer) + 11) == "AccessDenied"
    older = signed(botocore.auth.HmacV1QueryAuth, URL)
    assert code_of(older, 0.0, "other") == "SignatureDoesNotMatch"
    assert code_of(older, 1e11) == "AccessDenied"
    assert code_of(HttpRequest("GET", "/b?X-Amz-Signature=1", {}), 0.0) == "AuthorizationQueryParametersError"


def test_refused_body_cannot_be_taken_for_an_empty_one() -> None:
    body = RefusedBody(InternalFailure("The request body could not be stored."))
    for use in (lambda: body.size, body.read, body.open, lambda: setattr(body, "size", 1)):
        with pytest.raises(InternalFailure):
            use()
