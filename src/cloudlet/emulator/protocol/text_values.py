"""Scalars in headers, URIs and query strings, both ways."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from cloudlet.emulator.kernel.errors import SerializationError
from cloudlet.emulator.protocol.fragments import encode_plain
from cloudlet.emulator.protocol.models import Shape
from cloudlet.emulator.protocol.timestamps import epoch_number, http_date, iso8601, parse_timestamp
from cloudlet.emulator.protocol.xml_reader import read_boolean, read_float, read_integer, read_string
from cloudlet.emulator.protocol.xml_writer import boolean, floating

Read = Callable[[str], Any]
Write = Callable[[Any], str]

QUOTED_OR_PLAIN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|\Z)')
HTTP_DATES = re.compile(r"\s*([A-Za-z]{3},[^,]*|[^,]*)\s*(?:,|\Z)")


def reader(shape: Shape, *, header: bool = False) -> Read:
    """Text into a scalar or (headers only) a list. Raises SerializationError."""
    if shape.type == "list":
        return read_list(shape, reader(shape.member, header=header))
    if header and shape.traits.get("jsonvalue"):
        return checked(read_json_header)
    if shape.type == "string":
        return read_string
    return checked(READ[shape.type])


def checked(convert: Read) -> Read:
    def read(text: str) -> Any:
        try:
            return convert(text)
        except (ValueError, OverflowError, binascii.Error):
            raise SerializationError(f"{text[:200]!r} is not of the parameter's type") from None

    return read


def read_list(shape: Shape, element: Read) -> Read:
    is_date = shape.member.type == "timestamp"

    def read(text: str) -> list[Any]:
        found = []
        pattern = HTTP_DATES if is_date else QUOTED_OR_PLAIN
        position = 0
        while position < len(text):
            match = pattern.match(text, position)
            if match is None or match.end() == position:
                break
            position = match.end()
            quoted = None if is_date else match.group(1)
            if quoted is not None:
                found.append(element(re.sub(r"\\(.)", r"\1", quoted)))
            else:
                found.append(element(match.group(1 if is_date else 2).strip()))
        return found

    return read


def read_json_header(text: str) -> Any:
    return orjson.loads(b64decode(text, validate=True))


def read_blob(text: str) -> bytes:
    return b64decode(text, validate=True)


READ: Mapping[str, Read] = MappingProxyType(
    {
        "string": read_string,
        "character": read_string,
        "boolean": read_boolean,
        "integer": read_integer,
        "long": read_integer,
        "float": read_float,
        "double": read_float,
        "timestamp": parse_timestamp,
        "blob": read_blob,
    }
)


def writer(shape: Shape) -> Write:
    """A scalar or a list as a header's text."""
    if shape.type == "list":
        element = writer(shape.member)
        quotes = shape.member.type == "string"
        return lambda values: ", ".join(quoted(element(value)) if quotes else element(value) for value in values)
    if shape.traits.get("jsonvalue"):
        return lambda value: b64encode(orjson.dumps(value, encode_plain)).decode("ascii")
    if shape.type == "timestamp":
        return MOMENTS[shape.traits.get("timestampFormat", "rfc822")]
    return WRITE[shape.type]


def quoted(text: str) -> str:
    """A list's element; with quotes where it would be two."""
    if "," not in text and '"' not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def epoch_text(value: float) -> str:
    return str(epoch_number(value))


def blob_text(value: bytes) -> str:
    return b64encode(value).decode("ascii")


MOMENTS: Mapping[str, Write] = MappingProxyType({"rfc822": http_date, "iso8601": iso8601, "unixTimestamp": epoch_text})
WRITE: Mapping[str, Write] = MappingProxyType(
    {
        "string": str,
        "character": str,
        "boolean": boolean,
        "integer": str,
        "long": str,
        "float": floating,
        "double": floating,
        "blob": blob_text,
    }
)
