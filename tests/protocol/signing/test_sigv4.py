"""Signatures of version 4: botocore signs, we verify; and every way of being wrong is told."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.gateway.http.aws_chunked import AwsChunkedDecoder, decoded_request
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from cloudlet.emulator.protocol.signing import sigv4
from cloudlet.emulator.protocol.signing.errors import (
    ClockSkew,
    HeadersNotSigned,
    MalformedParameter,
    MissingParameter,
    PayloadMismatch,
    RequestExpired,
    RequestNotYetValid,
    SignatureError,
    SignatureMismatch,
    s3_error,
)

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
TOKENS = (None, "FwoGZXIvYXdzEBYaD+/EXAMPLE==")
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


def as_request(signed: AWSRequest) -> HttpRequest:
    """What arrives at the door when botocore sends this request."""
    prepared = signed.prepare()
    parts = urlsplit(prepared.url)
    headers = {}
    items: Any = prepared.headers.items()  # bytes or str, whatever the stubs say
    for name, value in items:
        wire = value if isinstance(value, bytes) else str(value).encode()
        headers[name.lower()] = wire.decode("latin-1").strip()
    headers.setdefault("host", parts.netloc)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    body = prepared.body or b""
    assert isinstance(body, bytes | bytearray)
    return HttpRequest(prepared.method, target, headers, InlineBody(bytes(body)))


def signed_now(
    signer: Callable[..., Any], url: str, *, token: str | None = None, service: str = "s3", **options: Any
) -> HttpRequest:
    expires = options.pop("expires", None)
    request = AWSRequest(
        method=options.pop("method", "GET"),
        url=url,
        data=options.pop("data", b""),
        headers=options.pop("headers", {}),
        params=options.pop("params", {}),
    )
    request.context.update(options)
    arguments = {} if expires is None else {"expires": expires}
    signer(Credentials(ACCESS_KEY, SECRET, token), service, "eu-west-1", **arguments).add_auth(request)
    return as_request(request)


def now_of(request: HttpRequest) -> float:
    signed = sigv4.read_signature(request)
    assert signed is not None
    return sigv4.parse_timestamp(signed.timestamp) or 0.0


def verify(request: HttpRequest, secret: str = SECRET, later: float = 0.0) -> None:
    signed = sigv4.read_signature(request)
    assert signed is not None
    assert signed.credential.access_key == ACCESS_KEY
    sigv4.verify(request, signed, secret, now_of(request) + later)


def changed(request: HttpRequest, **parts: Any) -> HttpRequest:
    target = parts.get("target") or (f"{request.path}?{request.query}" if request.query else request.path)
    headers = parts.get("headers", dict(request.headers))
    return HttpRequest(parts.get("method", request.method), target, headers, parts.get("body", request.body))


@pytest.mark.parametrize("token", TOKENS)
@given(key=TEXT, names=st.dictionaries(TEXT, TEXT, max_size=3), body=st.binary(max_size=50))
def test_s3_header_signature(token: str | None, key: str, names: dict[str, str], body: bytes) -> None:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in names.items())
    url = f"http://localhost:4566/bucket/{quote(key, safe='/~')}" + (f"?{query}" if query else "")
    headers = {"Content-Type": "text/plain", "X-Amz-Meta-Name": "  two   spaces  "}
    request = signed_now(botocore.auth.S3SigV4Auth, url, token=token, method="PUT", data=body, headers=headers)
    verify(request)
    with pytest.raises(SignatureMismatch):
        verify(changed(request, method="POST"))
    with pytest.raises(SignatureMismatch):
        verify(request, secret="other")


@pytest.mark.parametrize("service", ["lambda", "execute-api", "sqs", "iot"])
@given(parts=st.lists(TEXT, min_size=1, max_size=3), body=st.binary(max_size=50))
def test_header_signature_of_other_services_encodes_paths_twice(service: str, parts: list[str], body: bytes) -> None:
    path = "/".join(quote(part, safe="") for part in parts)
    for end in ("", "/", "//x", "/./y", "/../z"):
        url = f"http://localhost:4566/2015-03-31/{path}{end}"
        request = signed_now(botocore.auth.SigV4Auth, url, service=service, method="POST", data=body)
        verify(request)


@pytest.mark.parametrize("token", TOKENS)
@given(key=TEXT, names=st.dictionaries(TEXT, TEXT, max_size=3))
def test_s3_presigned_url(token: str | None, key: str, names: dict[str, str]) -> None:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in names.items())
    url = f"http://bucket.s3.localhost.localstack.cloud:4566/{quote(key, safe='/~')}" + (f"?{query}" if query else "")
    request = signed_now(botocore.auth.S3SigV4QueryAuth, url, token=token, expires=60)
    verify(request)
    verify(request, later=60)
    with pytest.raises(RequestExpired):
        verify(request, later=61)
    with pytest.raises(SignatureMismatch):
        verify(changed(request, target=f"{request.path}?{request.query}&x=1"))


def test_presigned_url_of_another_service() -> None:
    request = signed_now(
        botocore.auth.SigV4QueryAuth, "http://localhost:4566/", service="sts", params={"Action": "GetCallerIdentity"}
    )
    verify(request)


def test_presigned_put_has_an_unsigned_payload() -> None:
    request = signed_now(botocore.auth.S3SigV4QueryAuth, "http://localhost:4566/b/k", method="PUT", expires=60)
    verify(changed(request, body=InlineBody(b"anything")))


def test_non_ascii_header_is_verified_byte_by_byte() -> None:
    headers = {"X-Amz-Meta-Name": "größe €"}
    verify(signed_now(botocore.auth.S3SigV4Auth, "http://localhost:4566/b/k", method="PUT", headers=headers))


def test_plus_in_a_query_is_a_space() -> None:
    request = signed_now(botocore.auth.S3SigV4Auth, "http://localhost:4566/b?prefix=a%20b")
    verify(changed(request, target="/b?prefix=a+b"))


def test_body_that_is_not_the_declared_one_is_refused() -> None:
    plain = signed_now(botocore.auth.S3SigV4Auth, "http://localhost:4566/b/k", method="PUT", data=b"hello")
    with pytest.raises(PayloadMismatch) as caught:
        verify(changed(plain, body=InlineBody(b"HELLO")))
    error = s3_error(caught.value)
    assert (error.code, error.members["ClientComputedContentSHA256"]) == (
        "XAmzContentSHA256Mismatch",
        plain.headers["x-amz-content-sha256"],
    )


def test_signed_content_encoding_is_the_one_on_the_wire() -> None:
    headers = {"Content-Encoding": "aws-chunked,gzip", "X-Amz-Decoded-Content-Length": "5"}
    request = signed_now(botocore.auth.S3SigV4Auth, "http://localhost/b/k", method="PUT", headers=headers, data=b"x")
    decoded = decoded_request(request)
    assert decoded.headers["content-encoding"] == "gzip"
    verify(decoded)


def test_mismatch_tells_what_was_computed() -> None:
    request = signed_now(botocore.auth.S3SigV4Auth, "http://localhost:4566/b/k")
    with pytest.raises(SignatureMismatch) as caught:
        verify(request, secret="other")
    error = s3_error(caught.value)
    assert (error.code, error.status) == ("SignatureDoesNotMatch", 403)
    assert error.members["AWSAccessKeyId"] == ACCESS_KEY
    assert error.members["StringToSign"].startswith("AWS4-HMAC-SHA256\n")
    assert bytes.fromhex(error.members["StringToSignBytes"]).decode() == error.members["StringToSign"]
    assert error.members["CanonicalRequest"].startswith("GET\n/b/k\n\nhost:localhost:4566\n")
    assert error.members["SignatureProvided"] in request.headers["authorization"]


def test_clock_skew_is_told() -> None:
    request = signed_now(botocore.auth.S3SigV4Auth, "http://localhost:4566/b/k")
    verify(request, later=899)
    with pytest.raises(ClockSkew) as caught:
        verify(request, later=901)
    assert s3_error(caught.value).code == "RequestTimeTooSkewed"


def test_presigned_url_of_the_future_is_not_valid_yet() -> None:
    request = signed_now(botocore.auth.S3SigV4QueryAuth, "http://localhost:4566/b/k", expires=60)
    with pytest.raises(RequestNotYetValid):
        verify(request, later=-1000)


def test_expired_url_is_told_in_s3s_words() -> None:
    request = signed_now(botocore.auth.S3SigV4QueryAuth, "http://localhost:4566/b/k", expires=60)
    with pytest.raises(RequestExpired) as caught:
        verify(request, later=100)
    error = s3_error(caught.value)
    assert (error.code, error.status, error.message) == ("AccessDenied", 403, "Request has expired")
    assert error.members["X-Amz-Expires"] == "60"
    ended = datetime.datetime.fromisoformat(error.members["Expires"])
    assert datetime.datetime.fromisoformat(error.members["ServerTime"]) - ended == datetime.timedelta(seconds=40)


def test_header_that_the_url_does_not_sign_is_refused() -> None:
    request = signed_now(botocore.auth.S3SigV4QueryAuth, "http://localhost:4566/b/k", method="PUT", expires=60)
    headers = {**request.headers, "x-amz-acl": "public-read", "x-other": "1"}
    with pytest.raises(HeadersNotSigned) as caught:
        verify(changed(request, headers=headers))
    assert s3_error(caught.value).members["HeadersNotSigned"] == "x-amz-acl"


@pytest.mark.parametrize(
    "name", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"]
)
def test_missing_query_parameter_is_told(name: str) -> None:
    request = signed_now(botocore.auth.S3SigV4QueryAuth, "http://localhost:4566/b/k", expires=60)
    rest = "&".join(part for part in request.query.split("&") if not part.startswith(name))
    error = problem_of(changed(request, target=f"/b/k?{rest}"))
    assert isinstance(error, MissingParameter)
    assert (s3_error(error).code, s3_error(error).status) == ("AuthorizationQueryParametersError", 400)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("X-Amz-Algorithm", "AWS4-NONE", "only supports"),
        ("X-Amz-Credential", "AKID/20260101/x", "mal-formed"),
        ("X-Amz-Credential", "AKID/20200101/eu-west-1/s3/aws4_request", "not the same as X-Amz-Date"),
        ("X-Amz-Date", "yesterday", "ISO8601 Long Format"),
        ("X-Amz-Expires", "soon", "should be a number"),
        ("X-Amz-Expires", "-1", "must be non-negative"),
        ("X-Amz-Expires", "604801", "must be less than a week"),
    ],
)
def test_malformed_query_parameter_is_told(name: str, value: str, sentence: str) -> None:
    request = signed_now(botocore.auth.S3SigV4QueryAuth, "http://localhost:4566/b/k", expires=60)
    parts = [f"{name}={quote(value)}" if part.startswith(name) else part for part in request.query.split("&")]
    error = problem_of(changed(request, target=f"/b/k?{'&'.join(parts)}"))
    assert isinstance(error, MalformedParameter)
    assert sentence in s3_error(error).message
    assert s3_error(error).code == "AuthorizationQueryParametersError"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, Signature=x", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, SignedHeaders=host, Signature=x", "AccessDenied"),
    ],
)
def test_malformed_header_is_told(header: str, code: str) -> None:
    error = problem_of(HttpRequest("GET", "/", {"host": "a", "authorization": header}))
    assert s3_error(error).code == code


def test_requests_without_version_4_are_not_ours() -> None:
    assert sigv4.read_signature(HttpRequest("GET", "/", {"host": "a"})) is None
    assert sigv4.read_signature(HttpRequest("GET", "/", {"host": "a", "authorization": "Bearer x"})) is None


def test_date_header_stands_in_for_x_amz_date() -> None:
    header = "AWS4-HMAC-SHA256 Credential=a/1/2/3/aws4_request, SignedHeaders=host, Signature=x"
    headers = {"host": "a", "authorization": header, "date": "Tue, 24 Nov 2026 10:45:00 GMT"}
    signed = sigv4.read_signature(HttpRequest("GET", "/", headers))
    assert signed is not None
    assert signed.timestamp == "20261124T104500Z"


def test_credential_is_read_from_the_right() -> None:
    assert sigv4.parse_credential("a/b/20260101/r/s/aws4_request") == sigv4.Credential("a/b", "20260101", "r", "s")
    assert sigv4.parse_credential("a/20260101/r/s/aws2_request") is None


def test_post_policy() -> None:
    request = AWSRequest(method="POST", url="http://localhost/b", data=b"")
    request.context["s3-presign-post-fields"] = {}
    request.context["s3-presign-post-policy"] = {"expiration": "2030-01-01T00:00:00Z", "conditions": []}
    botocore.auth.S3SigV4PostAuth(Credentials(ACCESS_KEY, SECRET), "s3", "eu-west-1").add_auth(request)
    fields = json.loads(json.dumps(request.context["s3-presign-post-fields"]))
    credential = sigv4.verify_policy(SECRET, fields["x-amz-credential"], fields["policy"], fields["x-amz-signature"])
    assert credential.access_key == ACCESS_KEY
    with pytest.raises(SignatureMismatch) as caught:
        sigv4.verify_policy(SECRET, fields["x-amz-credential"], fields["policy"] + "A", fields["x-amz-signature"])
    assert s3_error(caught.value).members["StringToSign"] == fields["policy"] + "A"
    with pytest.raises(MalformedParameter):
        sigv4.verify_policy(SECRET, "nonsense", fields["policy"], fields["x-amz-signature"])


# --- chunks, by the example of the S3 API reference ("Signature calculations … multiple chunks"): 66,560 times "a"

EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE_HEADERS = {
    "host": "s3.amazonaws.com",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
    "content-length": "66824",
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
    "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
    "x-amz-decoded-content-length;x-amz-storage-class,"
    "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
}
EXAMPLE_CHUNKS = (
    (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)


def example_body(letter: bytes = b"a") -> bytes:
    return b"".join(
        b"%x;chunk-signature=%b\r\n%b\r\n" % (size, sign.encode(), letter * size) for size, sign in EXAMPLE_CHUNKS
    )


def example_request() -> HttpRequest:
    return decoded_request(HttpRequest("PUT", "/examplebucket/chunkObject.txt", dict(EXAMPLE_HEADERS)))


def test_chunk_signatures_of_the_documentation() -> None:
    request = example_request()
    signed = sigv4.read_signature(request)
    assert signed is not None
    sigv4.verify(request, signed, EXAMPLE_SECRET, sigv4.parse_timestamp("20130524T000000Z") or 0.0)
    decoder = AwsChunkedDecoder(66560, verifier=sigv4.chunk_signatures(request, EXAMPLE_SECRET))
    body = example_body()
    assert len(body) == 66824
    assert decoder.feed(body[:70]) + decoder.feed(body[70:]) == b"a" * 66560
    decoder.finish()


def test_wrong_chunk_is_refused() -> None:
    decoder = AwsChunkedDecoder(66560, verifier=sigv4.chunk_signatures(example_request(), EXAMPLE_SECRET))
    with pytest.raises(AwsError) as caught:
        decoder.feed(example_body(b"b"))
    assert caught.value.code == "SignatureDoesNotMatch"


def test_trailer_signature_is_checked() -> None:
    credential = sigv4.Credential(ACCESS_KEY, "20261124", "us-east-1", "s3")
    ours = sigv4.ChunkSignatures(SECRET, credential, "20261124T000000Z", "0" * 64)
    ours.chunk("", hashlib.sha256(b"hello").hexdigest())
    first = ours.previous
    ours.chunk("", sigv4.EMPTY_SHA256)
    last = ours.previous
    ours.trailer("", {"x-amz-checksum-crc32": "AAAAAA=="})
    for checksum, good in ((b"AAAAAA==", True), (b"BAAAAA==", False)):
        verifier = sigv4.ChunkSignatures(SECRET, credential, "20261124T000000Z", "0" * 64)
        decoder = AwsChunkedDecoder(5, signed_trailer=True, verifier=verifier)
        decoder.feed(b"5;chunk-signature=%b\r\nhello\r\n0;chunk-signature=%b\r\n" % (first.encode(), last.encode()))
        decoder.feed(
            b"x-amz-checksum-crc32:%b\r\nx-amz-trailer-signature:%b\r\n\r\n" % (checksum, ours.previous.encode())
        )
        if good:
            decoder.finish()
            assert decoder.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}
        else:
            with pytest.raises(AwsError):
                decoder.finish()


def test_unsigned_chunks_have_no_verifier() -> None:
    headers = {**EXAMPLE_HEADERS, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    assert sigv4.chunk_signatures(HttpRequest("PUT", "/", headers), SECRET) is None


def problem_of(request: HttpRequest) -> SignatureError:
    with pytest.raises(SignatureError) as caught:
        sigv4.read_signature(request)
    return caught.value
