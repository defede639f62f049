"""AWS Signature Version 4: reading it from a request, computing it, comparing. Pure functions; callers pass the secret.

    Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=…
    ?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=…&X-Amz-SignedHeaders=…&X-Amz-Signature=…

Source: AWS IAM user guide, "AWS Signature Version 4 for API requests"; Amazon S3 API reference, "Authenticating requests".
Version 2 is in `sigv2.py`, the errors in `signature_errors.py`.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from functools import lru_cache
from posixpath import normpath
from urllib.parse import quote, unquote, unquote_plus, unquote_to_bytes

import msgspec

from cloudlet.emulator.protocol.message import AwsChunkedRequest, Body, HttpRequest
from cloudlet.emulator.protocol.signing.errors import (
    MAX_SKEW_SECONDS,
    ClockSkew,
    HeadersNotSigned,
    MalformedParameter,
    MissingParameter,
    PayloadMismatch,
    RequestExpired,
    RequestNotYetValid,
    SignatureMismatch,
)

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
MAX_EXPIRES_SECONDS = 604800
HEADER, QUERY, POST = "header-v4", "query-v4", "post-v4"
UNRESERVED = "-_.~"
QUERY_PARAMETERS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders")
# These may come with a presigned URL without being signed: the payload is unsigned anyway, the rest is for tracing.
FREE_HEADERS = frozenset({"x-amz-content-sha256", "x-amz-user-agent", "x-amz-decoded-content-length"})
SINGLE_ENCODED = frozenset({"s3", "s3-object-lambda", "s3-outposts", "s3express"})  # all others encode paths twice
CREDENTIAL_FORM = '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"'


class Credential(msgspec.Struct, frozen=True):
    """`KEY/DATE/REGION/SERVICE/aws4_request`. A key may hold slashes."""

    access_key: str
    date: str
    region: str
    service: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


class Signed(msgspec.Struct, frozen=True):
    """What a request says about its signature. `expires_seconds` is None for the header form."""

    form: str
    credential: Credential
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str  # YYYYMMDDTHHMMSSZ
    expires_seconds: int | None = None


# --- reading


def parse_credential(text: str) -> Credential | None:
    """None for what has not five parts or does not end in `aws4_request`."""
    parts = text.strip().rsplit("/", 4)
    if len(parts) != 5 or parts[4] != TERMINATOR or not parts[0]:
        return None
    return Credential(parts[0], parts[1], parts[2], parts[3])


def read_signature(request: HttpRequest) -> Signed | None:
    """The signature of a request; None when it has none of version 4. Raises SignatureError."""
    header = request.headers.get("authorization")
    if header is not None and header.startswith(ALGORITHM):
        return read_header(request, header)
    if "X-Amz-Signature=" in request.query or "X-Amz-Algorithm=" in request.query:
        return read_query(request)
    return None


def read_header(request: HttpRequest, header: str) -> Signed:
    """Raises MissingParameter, MalformedParameter."""
    fields = {}
    for part in header[len(ALGORITHM) :].split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value.strip()
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            raise MissingParameter(HEADER, name)
    credential = parse_credential(fields["Credential"])
    if credential is None:
        raise MalformedParameter(HEADER, "Credential", f"the Credential is mal-formed; expecting {CREDENTIAL_FORM}.")
    timestamp = request.headers.get("x-amz-date") or http_timestamp(request.headers.get("date", ""))
    if parse_timestamp(timestamp) is None:
        raise MissingParameter(HEADER, "x-amz-date")
    signed_headers = tuple(fields["SignedHeaders"].lower().split(";"))
    return Signed(HEADER, credential, signed_headers, fields["Signature"], timestamp)


def read_query(request: HttpRequest) -> Signed:
    """Raises MissingParameter, MalformedParameter."""
    params = request.params
    for name in (*QUERY_PARAMETERS, "X-Amz-Signature"):
        if not params.get(name):
            raise MissingParameter(QUERY, name)
    if params["X-Amz-Algorithm"] != ALGORITHM:
        problem = f'X-Amz-Algorithm only supports "{ALGORITHM} and AWS4-ECDSA-P256-SHA256"'
        raise MalformedParameter(QUERY, "X-Amz-Algorithm", problem)
    credential = parse_credential(params["X-Amz-Credential"])
    if credential is None:
        problem = (
            f"Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting {CREDENTIAL_FORM}."
        )
        raise MalformedParameter(QUERY, "X-Amz-Credential", problem)
    timestamp = params["X-Amz-Date"]
    if parse_timestamp(timestamp) is None:
        problem = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        raise MalformedParameter(QUERY, "X-Amz-Date", problem)
    if timestamp[:8] != credential.date:
        problem = (
            f'Invalid credential date "{credential.date}". This date is not the same as X-Amz-Date: "{timestamp[:8]}".'
        )
        raise MalformedParameter(QUERY, "X-Amz-Credential", problem)
    signed_headers = tuple(params["X-Amz-SignedHeaders"].lower().split(";"))
    expires = parse_expires(params["X-Amz-Expires"])
    return Signed(QUERY, credential, signed_headers, params["X-Amz-Signature"], timestamp, expires)


def parse_expires(text: str) -> int:
    """Seconds, 0 to 604800. Raises MalformedParameter in S3's words."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise MalformedParameter(QUERY, "X-Amz-Expires", "X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 0:
        raise MalformedParameter(QUERY, "X-Amz-Expires", "X-Amz-Expires must be non-negative")
    if seconds > MAX_EXPIRES_SECONDS:
        problem = (
            "X-Amz-Expires must be less than a week (in seconds); "
            f"that is, the given X-Amz-Expires must be less than {MAX_EXPIRES_SECONDS} seconds"
        )
        raise MalformedParameter(QUERY, "X-Amz-Expires", problem)
    return seconds


def parse_timestamp(text: str) -> float | None:
    """`20261124T104500Z` as seconds since the epoch."""
    if len(text) != 16:
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def http_timestamp(text: str) -> str:
    """A `Date` header in the long ISO form; empty when it is no date."""
    try:
        moment = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return text if parse_timestamp(text) is not None else ""
    return f"{moment:%Y%m%dT%H%M%SZ}"


# --- computing


def canonical_path(path: str, service: str) -> str:
    """The path of the canonical request, from the raw path: S3's is encoded once and kept, others' twice and normalized."""
    if service in SINGLE_ENCODED:
        return quote(unquote_to_bytes(path), safe="/" + UNRESERVED) or "/"
    normal = normpath(path) if path else "/"
    if normal.startswith("//"):
        normal = normal[1:]
    if path.endswith("/") and not normal.endswith("/"):
        normal += "/"
    return quote(normal, safe="/" + UNRESERVED)


def canonical_query(query: str, *, without: str = "") -> str:
    """All parameters but `without`, encoded anew and sorted by name, then value."""
    pairs = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part and name != without:
            decoded = unquote_plus(name, errors="surrogateescape"), unquote_plus(value, errors="surrogateescape")
            pairs.append(tuple(quote(text, safe=UNRESERVED, errors="surrogateescape") for text in decoded))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_headers(request: HttpRequest, names: tuple[str, ...]) -> str:
    lines = []
    for name in names:
        value = request.headers.get(name, "")
        if name == "content-encoding" and isinstance(request, AwsChunkedRequest):
            value = request.wire_content_encoding or ""
        lines.append(f"{name}:{' '.join(value.split())}\n")
    return "".join(lines)


def payload_hash(request: HttpRequest, signed: Signed) -> str:
    """What stands for the body in the canonical request."""
    header = request.headers.get("x-amz-content-sha256")
    if signed.form == HEADER:
        return header if header is not None else body_sha256(request.body)
    parameter = request.params.get("X-Amz-Content-Sha256")
    if parameter is not None:
        return parameter
    if header is not None and "x-amz-content-sha256" in signed.signed_headers:
        return header
    return UNSIGNED_PAYLOAD if signed.credential.service in SINGLE_ENCODED else body_sha256(request.body)


def canonical_request(request: HttpRequest, signed: Signed) -> str:
    """A str of latin-1 characters: header values stand in it byte by byte, as they were signed."""
    return "\n".join(
        (
            request.method,
            canonical_path(request.path, signed.credential.service),
            canonical_query(request.query, without="X-Amz-Signature" if signed.form == QUERY else ""),
            canonical_headers(request, signed.signed_headers),
            ";".join(signed.signed_headers),
            payload_hash(request, signed),
        )
    )


def string_to_sign(canonical: str, timestamp: str, scope: str) -> str:
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"


@lru_cache(maxsize=1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(secret: str, credential: Credential, text: str) -> str:
    key = signing_key(secret, credential.date, credential.region, credential.service)
    return hmac.digest(key, text.encode("latin-1"), "sha256").hex()


def body_sha256(body: Body) -> str:
    known = body.checksums.get("sha256")
    return known if known is not None else hashlib.sha256(body.read()).hexdigest()


# --- comparing


def verify(request: HttpRequest, signed: Signed, secret: str, now: float) -> None:
    """Raises SignatureError unless `secret` made this signature and it is valid at `now` (seconds since the epoch)."""
    check_time(signed, now)
    canonical = canonical_request(request, signed)
    text = string_to_sign(canonical, signed.timestamp, signed.credential.scope)
    if not hmac.compare_digest(sign(secret, signed.credential, text).encode(), signed.signature.encode()):
        raise SignatureMismatch(signed.form, signed.credential.access_key, signed.signature, text, canonical)
    if signed.form == QUERY:
        check_unsigned_headers(request, signed)
    check_payload(request, signed)


def check_time(signed: Signed, now: float) -> None:
    """Raises RequestExpired, RequestNotYetValid, ClockSkew."""
    begins = parse_timestamp(signed.timestamp) or 0.0
    if signed.expires_seconds is None:
        if abs(now - begins) > MAX_SKEW_SECONDS:
            raise ClockSkew(signed.form, signed.timestamp, now)
    elif begins > now + MAX_SKEW_SECONDS:
        raise RequestNotYetValid(signed.form, begins, now)
    elif now > begins + signed.expires_seconds:
        raise RequestExpired(signed.form, begins + signed.expires_seconds, now, signed.expires_seconds)


def check_unsigned_headers(request: HttpRequest, signed: Signed) -> None:
    """A presigned URL must sign all of AWS's headers that come with it. Raises HeadersNotSigned."""
    names = tuple(
        name
        for name in request.headers
        if name.startswith("x-amz-") and name not in signed.signed_headers and name not in FREE_HEADERS
    )
    if names:
        raise HeadersNotSigned(signed.form, names)


def check_payload(request: HttpRequest, signed: Signed) -> None:
    """A declared hash must be the body's. Raises PayloadMismatch."""
    declared = request.headers.get("x-amz-content-sha256", "")
    if signed.form != HEADER or len(declared) != 64:
        return
    computed = body_sha256(request.body)
    if computed != declared.lower():
        raise PayloadMismatch(signed.form, declared, computed)


class ChunkSignatures:
    """The chain of signatures of an aws-chunked body: each covers the one before it. An `aws_chunked.ChunkVerifier`.

    `seed` is the signature of the request's head.
    """

    __slots__ = ("credential", "previous", "secret", "timestamp")

    def __init__(self, secret: str, credential: Credential, timestamp: str, seed: str) -> None:
        self.secret = secret
        self.credential = credential
        self.timestamp = timestamp
        self.previous = seed

    def chunk(self, signature: str, payload_sha256: str) -> bool:
        return self.matches("PAYLOAD", signature, f"{EMPTY_SHA256}\n{payload_sha256}")

    def trailer(self, signature: str, trailers: dict[str, str]) -> bool:
        lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        return self.matches("TRAILER", signature, hashlib.sha256(lines.encode("latin-1")).hexdigest())

    def matches(self, kind: str, signature: str, hashes: str) -> bool:
        text = f"{ALGORITHM}-{kind}\n{self.timestamp}\n{self.credential.scope}\n{self.previous}\n{hashes}"
        self.previous = sign(self.secret, self.credential, text)
        return hmac.compare_digest(self.previous.encode(), signature.encode())


def chunk_signatures(request: HttpRequest, secret: str) -> ChunkSignatures | None:
    """The verifier of a signed aws-chunked body; None when its chunks have no signatures. Raises SignatureError."""
    if not request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-AWS4-HMAC-SHA256"):
        return None
    signed = read_signature(request)
    if signed is None:
        return None
    return ChunkSignatures(secret, signed.credential, signed.timestamp, signed.signature)


def verify_policy(secret: str, credential_text: str, policy: str, signature: str) -> Credential:
    """The signature of a POST form's policy (the base64 text as it was sent). Raises SignatureError."""
    credential = parse_credential(unquote(credential_text))
    if credential is None:
        problem = f"the Credential is mal-formed; expecting {CREDENTIAL_FORM}."
        raise MalformedParameter(POST, "x-amz-credential", problem)
    if not hmac.compare_digest(sign(secret, credential, policy).encode(), signature.encode()):
        raise SignatureMismatch(POST, credential.access_key, signature, policy)
    return credential
