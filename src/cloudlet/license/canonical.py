"""JSON with one spelling: RFC 8785 (JCS) for what licenses contain, and strict reading."""

from __future__ import annotations

import base64
import json
import re
from json.encoder import encode_basestring
from typing import Any

BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
LARGEST_INTEGER = 2**53 - 1


class NotCanonical(ValueError):
    """The text is JSON or base64 in another spelling than the one allowed, or not at all."""


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 form. Strings, whole numbers below 2^53, booleans, null, lists and objects only.

    Raises NotCanonical for anything else (fractions have no place in a license).
    """
    pieces: list[str] = []
    write(value, pieces)
    try:
        return "".join(pieces).encode()
    except UnicodeEncodeError:
        raise NotCanonical("a string holds half a surrogate pair") from None


def write(value: Any, pieces: list[str]) -> None:
    if isinstance(value, str):
        pieces.append(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        pieces.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise NotCanonical("a number is too large")
        pieces.append(str(value))
    elif isinstance(value, list | tuple):
        pieces.append("[")
        for position, item in enumerate(value):
            pieces.append("," if position else "")
            write(item, pieces)
        pieces.append("]")
    elif isinstance(value, dict):
        pieces.append("{")
        for position, name in enumerate(sorted(value, key=utf16_order)):
            pieces.append("," if position else "")
            pieces.append(encode_basestring(name) + ":")
            write(value[name], pieces)
        pieces.append("}")
    else:
        raise NotCanonical(f"{type(value).__name__} has no place in a license")


def utf16_order(name: Any) -> bytes:
    if not isinstance(name, str):
        raise NotCanonical("an object's name is not a string")
    try:
        return name.encode("utf-16-be")
    except UnicodeEncodeError:
        raise NotCanonical("a string holds half a surrogate pair") from None


def read_json(raw: bytes) -> Any:
    """Strict JSON: UTF-8, no duplicate names, no NaN. Raises NotCanonical."""
    try:
        return json.loads(raw.decode(), object_pairs_hook=unique_names, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from None


def unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("an object has the same name twice")
    return found


def refuse_constant(text: str) -> Any:
    raise NotCanonical(f"{text} is not JSON")


def to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes; only the one spelling that `to_base64url` gives is accepted. Raises NotCanonical."""
    if not BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise NotCanonical("not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(raw) != text:
        raise NotCanonical("base64url in another spelling")
    return raw
