"""Attribute values: checked and measured on their way in, compared and copied on their way through.

A value is AWS's own form, `{"S": "text"}`, in its stored shape: numbers canonical (see `numbers`), binaries as base64
text. A value from the wire has binaries as `bytes`; `measure_item` and `measure_value` bring it into the stored shape
in place (a second run finds the stored shape and leaves it) and tell its size in bytes.

Source: "DynamoDB Item sizes and formats", "Quotas in Amazon DynamoDB", Developer Guide.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import b2a_base64
from decimal import Decimal
from typing import Any, Final, NoReturn

import orjson

from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.numbers import canonical_number, number_bytes, number_size

Value = dict[str, Any]
Item = dict[str, Value]

MAX_ITEM_BYTES: Final = 400 * 1024
MAX_NAME_BYTES: Final = 65535
MAX_DEPTH: Final = 32
SETS: Final = frozenset({"SS", "NS", "BS"})
TYPE_NAMES: Final = (
    ("S", "STRING"),
    ("N", "NUMBER"),
    ("B", "BINARY"),
    ("SS", "STRING_SET"),
    ("NS", "NUMBER_SET"),
    ("BS", "BINARY_SET"),
    ("M", "MAP"),
    ("L", "LIST"),
    ("BOOL", "BOOLEAN"),
    ("NULL", "NULL"),
)


def type_name(kind: str) -> str:
    """`STRING` for `S`, as in the messages about update expressions."""
    return next((name for code, name in TYPE_NAMES if code == kind), kind)


def kind_of(value: Value) -> str:
    """`S`, `N`, … of a checked value."""
    return next(iter(value))


def text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def measure_item(item: Item) -> int:
    """Check every value of an item or key, bring it into the stored shape, and tell the item's size in bytes.

    Raises ValidationException.
    """
    size = 0
    for name, value in item.items():
        size += len(name) if name.isascii() else len(name.encode())
        try:
            [(kind, content)] = value.items()
        except ValueError:
            refuse_type_count(value)
        if kind == "S":
            size += len(content) if content.isascii() else len(content.encode())
        else:
            size += measure_value(value, 1)
    if size > MAX_NAME_BYTES:
        check_names({"M": item})
    return size


def check_names(value: Value) -> None:
    """Attribute names at every depth fit. Raises ValidationException."""
    for name, member in value.get("M", {}).items():
        if len(name.encode()) > MAX_NAME_BYTES:
            raise ValidationException(
                "1 validation error detected: Attribute name is too large, must be less than 65536 bytes"
            )
        check_names(member)
    for member in value.get("L", ()):
        check_names(member)


def measure_value(value: Value, depth: int = 1) -> int:
    """Check one value, bring it into the stored shape, and tell its size in bytes. Raises ValidationException."""
    try:
        [(kind, content)] = value.items()
    except ValueError:
        refuse_type_count(value)
    if kind == "S":
        return len(content) if content.isascii() else len(content.encode())
    if kind == "N":
        if content.isdigit() and content[0] != "0" and len(content) < 39 and content.isascii():
            return (len(content.rstrip("0")) + 1) // 2 + 1
        value["N"] = content = canonical_number(content)
        return number_size(content)
    if kind == "B":
        if type(content) is not str:
            value["B"] = content = b2a_base64(content, newline=False).decode()
        return binary_size(content)
    if kind == "BOOL":
        return 1
    if kind == "NULL":
        if content is not True:
            raise invalid_parameter("Null attribute value types must have the value of true")
        return 1
    if kind == "M":
        return measure_map(content, depth)
    if kind == "L":
        if depth >= MAX_DEPTH and content:
            refuse_depth()
        size = 3
        for member in content:
            size += 1 + measure_value(member, depth + 1)
        return size
    return measure_set(value, kind, content)


def measure_map(content: Item, depth: int) -> int:
    if depth >= MAX_DEPTH and content:
        refuse_depth()
    size = 3
    for name, member in content.items():
        size += 1 + text_size(name) + measure_value(member, depth + 1)
    return size


def measure_set(value: Value, kind: str, content: list[Any]) -> int:
    if not content:
        if kind == "BS":
            raise invalid_parameter("Binary sets should not be empty")
        raise invalid_parameter(f"An {'string' if kind == 'SS' else 'number'} set  may not be empty")
    if kind == "NS":
        numbers = [canonical_number(member) for member in content]
        if len(set(numbers)) != len(numbers):
            raise ValidationException("Input collection contains duplicates")
        value["NS"] = numbers
        return sum(map(number_size, numbers))
    if kind == "BS":
        if type(content[0]) is not str:
            value["BS"] = content = [b2a_base64(member, newline=False).decode() for member in content]
        if len(set(content)) != len(content):
            raise invalid_parameter(f"Input collection [{', '.join(content)}]of type BS contains duplicates.")
        return sum(map(binary_size, content))
    if len(set(content)) != len(content):
        raise invalid_parameter(f"Input collection [{', '.join(content)}] contains duplicates.")
    return sum(map(text_size, content))


def binary_size(text: str) -> int:
    """Length of what base64 text decodes to."""
    return len(text) // 4 * 3 - text.count("=", -2) if text else 0


def refuse_type_count(value: Value) -> NoReturn:
    if value:
        raise ValidationException(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
        )
    raise ValidationException("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def refuse_depth() -> NoReturn:
    raise ValidationException(
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )


def equal(left: Value, right: Value) -> bool:
    """Equality as DynamoDB sees it: by type and value, sets without order."""
    if left == right:
        return True
    kind = kind_of(left)
    if kind not in right:
        return False
    a, b = left[kind], right[kind]
    if kind in SETS:
        return len(a) == len(b) and set(a) == set(b)
    if kind == "L":
        return len(a) == len(b) and all(map(equal, a, b))
    if kind == "M":
        return a.keys() == b.keys() and all(equal(member, b[name]) for name, member in a.items())
    return False


def sortable(value: Value) -> Any:
    """What orders values of one type among each other; None for types without an order."""
    kind, content = next(iter(value.items()))
    if kind == "S":
        return content.encode()
    if kind == "N":
        return Decimal(content)
    if kind == "B":
        return b64decode(content)
    return None


def key_bytes(value: Value) -> bytes:
    """Bytes of a key attribute that sort as its values do."""
    kind, content = next(iter(value.items()))
    if kind == "S":
        return content.encode()  # type: ignore[no-any-return]
    if kind == "N":
        return number_bytes(content)
    return b64decode(content)


def length(value: Value) -> int | None:
    """What the function `size` tells; None where the type has no size."""
    kind, content = next(iter(value.items()))
    if kind == "S":
        return text_size(content)
    if kind == "B":
        return binary_size(content)
    if kind in ("L", "M") or kind in SETS:
        return len(content)
    return None


def copy_value(value: Value) -> Value:
    """A deep copy."""
    kind, content = next(iter(value.items()))
    if kind == "M":
        return {"M": {name: copy_value(member) for name, member in content.items()}}
    if kind == "L":
        return {"L": [copy_value(member) for member in content]}
    if kind in SETS:
        return {kind: list(content)}
    return {kind: content}


def depth_of(value: Value) -> int:
    """Levels of nesting: 1 for a scalar."""
    kind, content = next(iter(value.items()))
    if kind == "M":
        return 1 + max(map(depth_of, content.values()), default=0)
    if kind == "L":
        return 1 + max(map(depth_of, content), default=0)
    return 1


def encode_item(item: Item) -> bytes:
    """The stored form of a measured item: DynamoDB's JSON."""
    return orjson.dumps(item)


def decode_item(raw: bytes | memoryview) -> Item:
    """A fresh item that the caller may change."""
    item: Item = orjson.loads(raw)
    return item


def show(value: Value) -> str:
    """A value as AWS's messages print it: `AttributeValue: {S:text}`."""
    return f"AttributeValue: {show_inner(value)}"


def show_inner(value: Value) -> str:
    kind, content = next(iter(value.items()))
    if kind == "M":
        inner = "{" + ", ".join(f"{name}={show(member)}" for name, member in content.items()) + "}"
    elif kind == "L":
        inner = "[" + ", ".join(map(show, content)) + "]"
    elif kind in SETS:
        inner = "[" + ", ".join(content) + "]"
    elif kind in ("BOOL", "NULL"):
        inner = "true" if content else "false"
    else:
        inner = content
    return "{" + f"{kind}:{inner}" + "}"
