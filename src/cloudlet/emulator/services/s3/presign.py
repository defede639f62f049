"""Signatures in query strings (presigned URLs, versions 2 and 4) and of POST forms.

A signature is checked where the secret is known: `test` for the key ids that carry no secret of their own (`test` and
account numbers). Other keys' signatures are believed, their expiry is not. `S3_SKIP_SIGNATURE_VALIDATION=1` believes all.
Source: "Authenticating requests: using query parameters (AWS Signature Version 4)", S3 API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.signing import sigv2, sigv4
from cloudlet.emulator.protocol.signing.check import is_presigned
from cloudlet.emulator.protocol.signing.errors import RequestExpired, SignatureError, s3_error
from cloudlet.emulator.services.s3.fields import members_of

DEFAULT_SECRET = "test"  # noqa: S105 the well-known secret of local set-ups
ACCOUNT_DIGITS = 12


def secret_of(access_key: str) -> str | None:
    """The secret of an access key; None where it is not known here."""
    if access_key == "test" or (len(access_key) == ACCOUNT_DIGITS and access_key.isdigit()):
        return DEFAULT_SECRET
    return None


def check_presigned(call: Call, http: HttpRequest) -> None:
    """A presigned URL: complete, not expired, rightly signed. Raises AwsError as S3 does."""
    if call.settings.s3_skip_signature_validation or not is_presigned(http):
        return
    try:
        signed = sigv4.read_signature(http)
        if signed is not None:
            check_v4(http, signed, call.now)
            return
        older = sigv2.read_signature(http)
        if older is not None:
            check_v2(http, older, call.now)
    except SignatureError as error:
        raise s3_error(error) from None


def check_v4(http: HttpRequest, signed: sigv4.Signed, now: float) -> None:
    secret = secret_of(signed.credential.access_key)
    if secret is None:
        sigv4.check_time(signed, now)
    else:
        sigv4.verify(as_signed(http), signed, secret, now)


def check_v2(http: HttpRequest, signed: sigv2.SignedV2, now: float) -> None:
    secret = secret_of(signed.access_key)
    if secret is not None:
        sigv2.verify(http, signed, secret, now)
    elif signed.expires is not None and now > signed.expires:
        raise RequestExpired(signed.form, signed.expires, now, None)


def as_signed(http: HttpRequest) -> HttpRequest:
    """The request with the path that the client signed: without the bucket where its host name had that."""
    bucket = http.path.lstrip("/").partition("/")[0]
    if not http.host.startswith(bucket.lower() + "."):
        return http
    target = http.path[len(bucket) + 1 :] or "/"
    return HttpRequest(http.method, f"{target}?{http.query}", http.headers, http.body, scheme=http.scheme)


def check_form_signature(fields: Mapping[str, str]) -> None:
    """The signature of a form's policy, of version 4 where it has one, else of version 2. Raises AwsError."""
    policy = fields["policy"]
    try:
        if "x-amz-credential" in fields:
            secret = secret_of(fields["x-amz-credential"].partition("/")[0])
            if secret is not None:
                sigv4.verify_policy(secret, fields["x-amz-credential"], policy, fields["x-amz-signature"])
            return
        secret = secret_of(fields["awsaccesskeyid"])
        if secret is not None:
            sigv2.verify_policy(secret, fields["awsaccesskeyid"], policy, fields["signature"])
    except SignatureError as error:
        raise s3_error(error) from None


def presigned_members(http: HttpRequest) -> dict[str, Any]:
    """Members of PutObject's request that a presigned URL carries as parameters instead of headers."""
    return members_of((name.lower(), value) for name, value in http.params.items() if name.lower().startswith("x-amz-"))
