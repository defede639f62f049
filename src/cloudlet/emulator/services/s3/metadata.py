"""User metadata and system headers as they are stored: in the form in which S3 gives them back.

Metadata outside US-ASCII comes back as RFC 2047 says; of other headers S3 keeps what Latin-1 has.
Source: "Working with object metadata", S3 User Guide.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.services.s3.errors import InvalidRedirectLocation, MetadataTooLarge
from cloudlet.emulator.services.s3.rules import MAX_METADATA_BYTES, metadata_bytes

# Members that are stored and given back as they are.
HEADER_MEMBERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "WebsiteRedirectLocation",
)
STORED_MEMBERS = frozenset({*HEADER_MEMBERS, "Expires"})
UNQUOTED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<>@[\\]^`{|}~")


def decoded(text: str) -> str:
    """A header's text; headers arrive as Latin-1, and clients mean UTF-8."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def mail_safe(text: str) -> str:
    """Text outside printable US-ASCII as an RFC 2047 word; Q where most of it is ASCII, else B."""
    if text.isascii() and (text.isprintable() or "\t" in text):
        return text
    text = decoded(text)
    data = text.encode()
    if 2 * sum(" " <= character <= "~" for character in text) <= len(text):
        return f"=?UTF-8?B?{b64encode(data).decode()}?="
    quoted = "".join("_" if byte == 32 else chr(byte) if byte in UNQUOTED else f"={byte:02X}" for byte in data)
    return f"=?UTF-8?Q?{quoted}?="


def checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """User metadata under lower-case names. Raises MetadataTooLarge."""
    size = metadata_bytes(metadata)
    if size > MAX_METADATA_BYTES:
        raise MetadataTooLarge(Size=str(size), MaxSizeAllowed=str(MAX_METADATA_BYTES))
    return {name.lower(): mail_safe(value) for name, value in metadata.items()}


def latin(text: str) -> str:
    """A header that Latin-1 can say; other characters become spaces."""
    if text.isascii():
        return text
    return "".join(character if character < "\u0100" else " " for character in text)


def system_headers(request: Mapping[str, Any]) -> dict[str, str | float]:
    """The headers of a request that an object keeps, under their member names. Raises InvalidRedirectLocation."""
    headers: dict[str, Any] = {}
    if STORED_MEMBERS.isdisjoint(request):
        return headers
    for member in HEADER_MEMBERS:
        value = request.get(member)
        if value:
            headers[member] = latin(value)
    encoding = headers.get("ContentEncoding")
    if encoding is not None and "aws-chunked" in encoding:
        kept = [part.strip() for part in encoding.split(",") if part.strip() != "aws-chunked"]
        headers["ContentEncoding"] = ",".join(kept)
        if not kept:
            del headers["ContentEncoding"]
    expires = request.get("Expires")
    if expires is not None:
        headers["Expires"] = expires
    redirect = headers.get("WebsiteRedirectLocation")
    if redirect is not None and not redirect.startswith(("/", "http://", "https://")):
        raise InvalidRedirectLocation
    return headers
