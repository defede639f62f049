"""JSON bodies into requests, shape by shape, with AWS's lenience and AWS's words for what is wrong.

    read = JsonReader().of(shape)       # value decoded from JSON -> value in AWS's member names
    read(value)                         # raises SerializationError

`null` is absence, unknown members are dropped, numbers and text are converted where AWS converts. The words of the errors
are those of DynamoDB's and SQS's recorded answers.
"""

from __future__ import annotations

import binascii
import math
from base64 import b64decode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.kernel.errors import SerializationError
from cloudlet.emulator.protocol.models import Shape
from cloudlet.emulator.protocol.timestamps import parse_timestamp

Read = Callable[[Any], Any]

STRUCTURE_MISPLACED = "Start of structure or map found where not expected"
SPECIAL_FLOATS = frozenset({"NaN", "Infinity", "-Infinity"})


class JsonReader:
    """Readers of shapes, made once each. With `moment` (CBOR) blobs arrive as bytes and moments are what it reads."""

    def __init__(self, moment: Read | None = None) -> None:
        self.moment = moment
        self.structures: dict[str, Read] = {}

    def of(self, shape: Shape) -> Read:
        if shape.is_document:
            return as_it_is
        if shape.type == "structure":
            return self.structure(shape)
        if shape.type == "list":
            return read_list(self.of(shape.member), bool(shape.traits.get("sparse")), shape)
        if shape.type == "map":
            return read_map(self.of(shape.value), bool(shape.traits.get("sparse")), shape)
        if shape.type == "blob":
            return read_blob if self.moment is None else read_bytes
        if shape.type == "timestamp" and self.moment is not None:
            return self.moment
        return SCALARS[shape.type]

    def structure(self, shape: Shape, members: dict[str, Shape] | None = None) -> Read:
        """A structure, or the given part of its members."""
        if members is None and shape.name in self.structures:
            return self.structures[shape.name]
        table: dict[str, tuple[str, Read]] = {}
        read = read_structure(table, shape)
        if members is None:
            self.structures[shape.name] = read
        for name, target in (shape.members if members is None else members).items():
            if not target.is_event_stream:
                table[target.wire_name or name] = (name, self.of(target))
        return read


def as_it_is(value: Any) -> Any:
    return value


def kind_of(value: Any) -> str:
    """The JSON token as Jackson names it."""
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return "STRING_VALUE" if isinstance(value, str | bytes) else "NUMBER_VALUE"


def refuse(value: Any, java: str) -> SerializationError:
    """A scalar was expected, a Java `java`."""
    if isinstance(value, dict):
        return SerializationError(STRUCTURE_MISPLACED)
    if isinstance(value, list):
        return SerializationError(f"Unrecognized collection type class java.lang.{java}")
    return SerializationError(f"{kind_of(value)} cannot be converted to {java}")


def read_structure(table: dict[str, tuple[str, Read]], shape: Shape) -> Read:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            if isinstance(value, list):
                raise SerializationError(f"Unrecognized collection type class {java_class(shape)}")
            raise SerializationError("Unexpected value type in payload")
        found = {}
        for wire_name, item in value.items():
            entry = table.get(wire_name)
            if entry is not None and item is not None:
                found[entry[0]] = entry[1](item)
        return found

    return read


def java_class(shape: Shape) -> str:
    """The class that AWS's front end names in its errors."""
    version = shape.service.entry.api_version.replace("-", "")
    return f"com.amazonaws.{shape.service.name}.v{version}.{shape.name}"


def read_list(element: Read, sparse: bool, shape: Shape) -> Read:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise SerializationError(STRUCTURE_MISPLACED if isinstance(value, dict) else "Unexpected field type")
        return [None if item is None else element(item) for item in value if sparse or item is not None]

    return read


def read_map(element: Read, sparse: bool, shape: Shape) -> Read:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            if isinstance(value, list):
                target = shape.value
                inner = java_class(target) if target.type == "structure" else "java.lang.String"
                raise SerializationError(f"Unrecognized collection type java.util.Map<java.lang.String, {inner}>")
            raise SerializationError("Unexpected field type")
        return {
            key if isinstance(key, str) else str(key): None if item is None else element(item)
            for key, item in value.items()
            if sparse or item is not None
        }

    return read


def read_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise refuse(value, "String")


def read_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    if isinstance(value, str):
        raise SerializationError("Unexpected token received from parser")
    raise refuse(value, "Boolean")


def read_integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    raise refuse(value, "Integer")


def read_long(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    raise refuse(value, "Long")


def read_float(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise refuse(value, "Double") from None
    if isinstance(value, str) and value in SPECIAL_FLOATS:
        return float(value.replace("Infinity", "inf"))
    raise refuse(value, "Double")


def read_moment(value: Any) -> float:
    if isinstance(value, bool | dict | list | bytes):
        raise refuse(value, "Date")
    try:
        return parse_timestamp(value)
    except (ValueError, OverflowError):
        raise refuse(value, "Date") from None


def read_blob(value: Any) -> bytes:
    if not isinstance(value, str):
        if isinstance(value, dict | list):
            raise refuse(value, "String")
        raise SerializationError("only base64-encoded data is expected")
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise SerializationError("Invalid base64 data") from None


def read_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return read_blob(value)


SCALARS: Mapping[str, Read] = MappingProxyType(
    {
        "string": read_string,
        "character": read_string,
        "boolean": read_boolean,
        "integer": read_integer,
        "long": read_long,
        "float": read_float,
        "double": read_float,
        "timestamp": read_moment,
    }
)
