"""Signatures in query strings (presigned URLs, versions 2 and 4) and in POST forms.

A signature is checked where the secret is known: `test` for the key ids that carry no secret of their own (`test` and
account numbers). Other keys' signatures are believed, their expiry is not. `S3_SKIP_SIGNATURE_VALIDATION=1` believes all.
Source: "Authenticating requests: using query parameters (AWS Signature Version 4)", S3 API Reference.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.services.s3.errors import (
    AccessDenied,
    AuthorizationQueryParametersError,
    SignatureDoesNotMatch,
)
from cloudlet.emulator.services.s3.fields import members_of
from cloudlet.emulator.services.s3.times import iso_second

DEFAULT_SECRET = "test"  # noqa: S105 the well-known secret of local set-ups
ACCOUNT_DIGITS = 12
WEEK_SECONDS = 7 * 86_400
V4_PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires")
# What signature version 2 counts among the resource, besides the path.
SUBRESOURCES = frozenset(
    [
        "accelerate",
        "acl",
        "cors",
        "defaultObjectAcl",
        "location",
        "logging",
        "partNumber",
        "policy",
        "requestPayment",
        "torrent",
        "versioning",
        "versionId",
        "versions",
        "website",
        "uploads",
        "uploadId",
        "response-content-type",
        "response-content-language",
        "response-expires",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "delete",
        "lifecycle",
        "tagging",
        "restore",
        "storageClass",
        "notification",
        "replication",
        "analytics",
        "metrics",
        "inventory",
        "select",
        "select-type",
        "object-lock",
    ]
)


def secret_of(access_key: str) -> str | None:
    """The secret of an access key; None where it is not known here."""
    if access_key == "test" or (len(access_key) == ACCOUNT_DIGITS and access_key.isdigit()):
        return DEFAULT_SECRET
    return None


def sign_v4(secret: str, scope: str, text: str) -> str:
    """The signature of a text under `date/region/service/aws4_request`, in hex."""
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def sign_v2(secret: str, text: str) -> str:
    return b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def check_presigned(call: Call, http: HttpRequest) -> None:
    """A presigned URL: complete, not expired, rightly signed.

    Raises AuthorizationQueryParametersError, AccessDenied and SignatureDoesNotMatch.
    """
    if call.settings.s3_skip_signature_validation:
        return
    params = http.params
    if "X-Amz-Signature" in params:
        check_v4(call, http, params)
    elif "Signature" in params and ("AWSAccessKeyId" in params or "Expires" in params):
        check_v2(call, http, params)


def check_v4(call: Call, http: HttpRequest, params: Mapping[str, str]) -> None:
    if any(not params.get(name) for name in V4_PARAMETERS):
        raise AuthorizationQueryParametersError
    signed_at = parse_basic_time(params["X-Amz-Date"])
    lifetime = params["X-Amz-Expires"]
    scope = params["X-Amz-Credential"].split("/", 1)
    if signed_at is None or len(scope) < 2 or params["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
        raise AuthorizationQueryParametersError
    if not lifetime.isdigit():
        raise AuthorizationQueryParametersError("X-Amz-Expires should be a number")
    if int(lifetime) > WEEK_SECONDS:
        raise AuthorizationQueryParametersError(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            "604800 seconds"
        )
    if signed_at + int(lifetime) < call.now:
        members: dict[str, Any] = {
            "X-Amz-Expires": lifetime,
            "Expires": iso_second(signed_at + int(lifetime)).replace(".000", ""),
            "ServerTime": iso_second(int(call.now)).replace(".000", ""),
        }
        raise AccessDenied("Request has expired", **members)
    secret = secret_of(scope[0])
    if secret is None:
        return
    signed = params["X-Amz-SignedHeaders"].split(";")
    check_all_signed(http, signed)
    canonical = string_to_sign = ""
    for path in signed_paths(http):
        canonical = canonical_request(http, path, signed)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        string_to_sign = f"AWS4-HMAC-SHA256\n{params['X-Amz-Date']}\n{scope[1]}\n{digest}"
        if hmac.compare_digest(sign_v4(secret, scope[1], string_to_sign), params["X-Amz-Signature"]):
            return
    raise mismatch(scope[0], string_to_sign, params["X-Amz-Signature"], canonical)


def check_all_signed(http: HttpRequest, signed: list[str]) -> None:
    """Raises AccessDenied where an `x-amz-` header came along that the signature does not cover."""
    loose = [
        name
        for name in http.headers
        if name.startswith("x-amz-") and name not in signed and name not in ("x-amz-content-sha256", "x-amz-user-agent")
    ]
    if loose:
        raise AccessDenied(
            "There were headers present in the request which were not signed", HeadersNotSigned=", ".join(loose)
        )


def signed_paths(http: HttpRequest) -> list[str]:
    """The paths that the client may have signed: as it is here, and without the bucket that its host name had."""
    bucket = http.path.lstrip("/").partition("/")[0]
    if http.host.startswith(bucket.lower() + "."):
        return [http.path[len(bucket) + 1 :] or "/", http.path]
    return [http.path]


def canonical_request(http: HttpRequest, path: str, signed: list[str]) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in http.param_items()
        if name != "X-Amz-Signature"
    )
    headers = "".join(f"{name}:{' '.join(http.headers.get(name, '').split())}\n" for name in signed)
    payload = http.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    if "x-amz-content-sha256" not in signed:
        payload = http.params.get("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
    query = "&".join(f"{name}={value}" for name, value in pairs)
    encoded = quote(unquote(path), safe="/-_.~")
    return f"{http.method}\n{encoded}\n{query}\n{headers}\n{';'.join(signed)}\n{payload}"


def check_v2(call: Call, http: HttpRequest, params: Mapping[str, str]) -> None:
    if any(not params.get(name) for name in ("AWSAccessKeyId", "Expires", "Signature")):
        raise AccessDenied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
    expires = params["Expires"]
    if not expires.isdigit():
        raise AccessDenied(f"Invalid date (should be seconds since epoch): {expires}")
    if int(expires) < call.now:
        raise AccessDenied(
            "Request has expired",
            Expires=iso_second(int(expires)).replace(".000", ""),
            ServerTime=iso_second(int(call.now)).replace(".000", ""),
        )
    secret = secret_of(params["AWSAccessKeyId"])
    if secret is None:
        return
    amz = dict(http.headers)
    amz.update({name.lower(): value for name, value in params.items() if name.lower().startswith("x-amz-")})
    lines = "".join(f"{name}:{amz[name].strip()}\n" for name in sorted(amz) if name.startswith("x-amz-"))
    kept = sorted((name, value) for name, value in http.param_items() if name in SUBRESOURCES)
    query = "&".join(f"{name}={value}" if value else name for name, value in kept)
    resource = http.path + (f"?{query}" if query else "")
    md5, kind = http.headers.get("content-md5", ""), http.headers.get("content-type", "")
    string_to_sign = f"{http.method}\n{md5}\n{kind}\n{expires}\n{lines}{resource}"
    if not hmac.compare_digest(sign_v2(secret, string_to_sign), params["Signature"]):
        raise mismatch(params["AWSAccessKeyId"], string_to_sign, params["Signature"])


def mismatch(key: str, string_to_sign: str, signature: str, canonical: str = "") -> SignatureDoesNotMatch:
    members: dict[str, Any] = {
        "AWSAccessKeyId": key,
        "StringToSign": string_to_sign,
        "SignatureProvided": signature,
        "StringToSignBytes": string_to_sign.encode().hex(" "),
    }
    if canonical:
        members |= {"CanonicalRequest": canonical, "CanonicalRequestBytes": canonical.encode().hex(" ")}
    return SignatureDoesNotMatch(**members)


def parse_basic_time(text: str) -> int | None:
    """`20261124T104522Z` in epoch seconds; None for anything else."""
    try:
        return int(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def presigned_members(http: HttpRequest) -> dict[str, Any]:
    """Members of PutObject's request that a presigned URL carries as parameters instead of headers."""
    return members_of((name.lower(), value) for name, value in http.params.items() if name.lower().startswith("x-amz-"))
