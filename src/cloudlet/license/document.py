"""The license document, "format 1": the JSON that LocalStack's open clients cache and mount.

Its `signature` is an HMAC with the user's own token, so it proves no more than that the document belongs to that
token; what proves the issuer is the envelope in `offline_data["lsl1"]` (see `envelope`), which those clients keep.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from cloudlet.license.canonical import NotCanonical, canonical_json, read_json, to_base64url

FORMAT = "1"
MAX_BYTES = 64 * 1024
ENVELOPE_ENTRY = "lsl1"
KEYS = frozenset(
    {
        "id",
        "license_format",
        "signature",
        "license_type",
        "issue_date",
        "expiry_date",
        "reactivate_after",
        "products",
        "license_status",
        "license_secret",
        "last_activated",
        "offline_data",
    }
)
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")

Status = Literal["UNKNOWN", "ACTIVE", "INACTIVE", "EXPIRED", "SUSPENDED"]


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that the license opens: `localstack-pro`, or `namespace/name` with shell wildcards."""

    name: str
    version: str
    metadata: dict[str, int] | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A license document of format 1. Dates are ISO 8601 with `+00:00`, to the second."""

    id: str
    license_format: Literal["1"] = "1"
    signature: str = ""
    license_type: str
    issue_date: str
    expiry_date: str
    reactivate_after: str
    products: tuple[Product, ...]
    license_status: Status = "ACTIVE"
    license_secret: None = None
    last_activated: str | None = None
    offline_data: dict[str, str]

    @property
    def envelope(self) -> str | None:
        return self.offline_data.get(ENVELOPE_ENTRY)


class DocumentRefused(Exception):
    """Not a license document, or not one of this token. `problem` is a short phrase for people."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def parse(raw: bytes) -> Document:
    """A document from its bytes: exactly the format's keys and types. Raises DocumentRefused. Checks no signature."""
    if len(raw) > MAX_BYTES:
        raise DocumentRefused("larger than 64 KiB")
    try:
        data = read_json(raw)
    except NotCanonical as error:
        raise DocumentRefused(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise DocumentRefused("not a JSON object")
    if data.keys() != KEYS:
        raise DocumentRefused("keys are missing or unknown: " + ", ".join(sorted(data.keys() ^ KEYS)))
    try:
        document = msgspec.convert(data, Document)
    except msgspec.ValidationError as error:
        raise DocumentRefused(str(error)) from None
    for date in (document.issue_date, document.expiry_date, document.reactivate_after):
        to_seconds(date)
    return document


def render(document: Document) -> bytes:
    """The document's canonical bytes."""
    return canonical_json(as_dict(document))


def as_dict(document: Document) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(document)
    return found


def sign(document: Document, token: str) -> Document:
    """The document with its format-1 signature for this token."""
    return msgspec.structs.replace(document, signature=signature(document, token))


def signature(document: Document, token: str) -> str:
    """Hex HMAC-SHA256, keyed with the token, over the plain concatenation that the format prescribes."""
    products = sorted((product.name, product.version) for product in document.products)
    text = "".join(
        [
            document.id,
            *(name + version for name, version in products),
            document.license_format,
            document.issue_date,
            document.expiry_date,
            document.license_type,
            document.license_status,
            document.reactivate_after,
        ]
    )
    return hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_signature(document: Document, token: str) -> None:
    """Raises DocumentRefused when the document was not made for this token or was changed."""
    if not hmac.compare_digest(signature(document, token).encode(), document.signature.encode()):
        raise DocumentRefused("the signature does not fit the token")


def digest(document: Document) -> str:
    """What the envelope's `doc` claim holds: SHA-256 of the whole document without the envelope itself.

    It binds what the format-1 signature leaves out (limits, offline data, activation date).
    """
    others = {name: value for name, value in document.offline_data.items() if name != ENVELOPE_ENTRY}
    bare = msgspec.structs.replace(document, offline_data=others)
    return to_base64url(hashlib.sha256(b"lsl1-doc" + render(bare)).digest())


def products_of(versions: str, entitlements: Mapping[str, int | None]) -> tuple[Product, ...]:
    """A plan's entitlements in both forms: ours (`aws/sqs`) and the names that LocalStack's clients look for."""
    found = [Product("localstack-pro", versions), Product("cloudlet", versions)]
    for name, limit in sorted(entitlements.items()):
        metadata = None if limit is None else {"limit": limit}
        found.append(Product(name, versions, metadata))
        namespace, _, rest = name.partition("/")
        if namespace == "aws":
            found.append(Product(f"localstack.aws.provider/{rest}" + ("" if rest == "*" else ":pro"), versions))
        if namespace == "platform":
            found.append(Product(f"localstack.platform.plugin/{rest}", versions, metadata))
    return tuple(found)


def to_date(seconds: float) -> str:
    """`2026-11-24T02:10:00+00:00`"""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat(timespec="seconds")


def to_seconds(date: str) -> int:
    """Raises DocumentRefused when the text is not such a date."""
    if not DATE.fullmatch(date):
        raise DocumentRefused(f"{date!r} is not a date")
    try:
        return int(datetime.fromisoformat(date).timestamp())
    except (ValueError, OverflowError):
        raise DocumentRefused(f"{date!r} is not a date") from None
