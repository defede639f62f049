"""AWS Signature Version 2 of S3: old clients, `?AWSAccessKeyId=…&Signature=…&Expires=…`, POST forms. Pure functions.

Source: Amazon S3 API reference, "Signing and authenticating REST requests (AWS Signature Version 2)".
"""

from __future__ import annotations

import base64
import hmac
from urllib.parse import unquote

import msgspec

from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.signing.errors import (
    MalformedParameter,
    MissingParameter,
    RequestExpired,
    SignatureMismatch,
)

HEADER, QUERY, POST = "header-v2", "query-v2", "post-v2"
SUBRESOURCES = frozenset(
    {
        "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "encryption", "inventory",
        "legal-hold", "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "ownershipControls",
        "partNumber", "policy", "policyStatus", "publicAccessBlock", "replication", "requestPayment",
        "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore", "retention", "select",
        "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
        "versions", "website",
    }
)  # fmt: skip
AUTHENTICATION = frozenset({"AWSAccessKeyId", "Signature", "Expires"})


class SignedV2(msgspec.Struct, frozen=True):
    """What a request says about its signature. `expires` is in seconds since the epoch, None for the header form."""

    form: str
    access_key: str
    signature: str
    expires: int | None = None


def read_signature(request: HttpRequest) -> SignedV2 | None:
    """The signature of a request; None when it has none of version 2. Raises SignatureError."""
    header = request.headers.get("authorization")
    if header is not None and header.startswith("AWS "):
        access_key, _, signature = header[4:].strip().rpartition(":")
        if not access_key or not signature:
            raise MissingParameter(HEADER, "Signature")
        return SignedV2(HEADER, access_key, signature)
    if "AWSAccessKeyId=" not in request.query and "Signature=" not in request.query.replace("X-Amz-Signature=", ""):
        return None
    params = request.params
    for name in ("AWSAccessKeyId", "Signature", "Expires"):
        if not params.get(name):
            raise MissingParameter(QUERY, name)
    expires = params["Expires"]
    if not (expires.isascii() and expires.isdigit()):
        raise MalformedParameter(QUERY, "Expires", f"Invalid date (should be seconds since epoch): {expires}")
    return SignedV2(QUERY, params["AWSAccessKeyId"], params["Signature"], int(expires))


def canonical_resource(request: HttpRequest, bucket: str) -> str:
    """`/bucket/key?subresources`; `bucket` is that of the host name, empty in path style."""
    path = f"/{bucket}{request.path}" if bucket else request.path
    found = []
    for part in request.query.split("&"):
        name, separator, value = part.partition("=")
        if name in SUBRESOURCES:
            found.append((name, f"{name}={unquote(value)}" if separator else name))
    return f"{path}?{'&'.join(text for _, text in sorted(found))}" if found else path


def canonical_amz_headers(request: HttpRequest) -> str:
    """AWS's headers, sorted; a presigned URL may hold them as parameters instead."""
    found = {name.lower(): value for name, value in request.params.items() if name.lower().startswith("x-amz-")}
    found |= {name: value for name, value in request.headers.items() if name.startswith("x-amz-")}
    return "".join(f"{name}:{found[name].strip()}\n" for name in sorted(found))


def string_to_sign(request: HttpRequest, signed: SignedV2, bucket: str) -> str:
    headers = request.headers
    if signed.expires is not None:
        moment = str(signed.expires)
        positional = {name.lower(): value for name, value in request.params.items()}
    else:
        moment = "" if "x-amz-date" in headers else headers.get("date", "")
        positional = {}
    lines = (
        request.method,
        headers.get("content-md5", positional.get("content-md5", "")),
        headers.get("content-type", positional.get("content-type", "")),
        moment,
    )
    return "\n".join(lines) + "\n" + canonical_amz_headers(request) + canonical_resource(request, bucket)


def sign(secret: str, text: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "surrogateescape"), "sha1")).decode()


def verify(request: HttpRequest, signed: SignedV2, secret: str, now: float, bucket: str = "") -> None:
    """Raises SignatureError unless `secret` made this signature and it is valid at `now` (seconds since the epoch)."""
    if signed.expires is not None and now > signed.expires:
        raise RequestExpired(signed.form, signed.expires, now, None)
    text = string_to_sign(request, signed, bucket)
    if not hmac.compare_digest(sign(secret, text).encode(), signed.signature.encode()):
        raise SignatureMismatch(signed.form, signed.access_key, signed.signature, text)


def verify_policy(secret: str, access_key: str, policy: str, signature: str) -> None:
    """The signature of a POST form's policy (the base64 text as it was sent). Raises SignatureMismatch."""
    if not hmac.compare_digest(sign(secret, policy).encode(), signature.encode()):
        raise SignatureMismatch(POST, access_key, signature, policy)
