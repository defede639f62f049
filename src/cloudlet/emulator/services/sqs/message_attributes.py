"""Message attributes: what SQS accepts, their MD5, and which of them a receiver asked for. Pure functions.

An attribute is kept as `(data type, value in bytes)`; String and Number values are UTF-8.
Source: "Amazon SQS message metadata" and the error texts of the service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import md5
from struct import pack
from typing import TYPE_CHECKING

from cloudlet.emulator.services.sqs.errors import InvalidParameterValue

if TYPE_CHECKING:
    from cloudlet.emulator.services.sqs.api import MessageAttributeValue, MessageSystemAttributeValue

Attribute = tuple[str, bytes]

MAX_ATTRIBUTES = 10
MAX_NAME_LENGTH = 256
NAME = re.compile(r"[\w.-]*")  # any alphabet's letters, as the service accepts them
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z")
CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r"))
NO_CHARACTERS = ("\ufffe".encode(), "\uffff".encode())

STRING_TRANSPORT = b"\x01"
BINARY_TRANSPORT = b"\x02"


def has_invalid_character(text: bytes) -> bool:
    """Whether SQS refuses the UTF-8 text: anything but #x9, #xA, #xD, #x20-#xD7FF, #xE000-#xFFFD, #x10000-#x10FFFF.

    On bytes, because removing control characters and comparing lengths is several times faster than a pattern.
    """
    if len(text.translate(None, CONTROLS)) != len(text):
        return True
    return not text.isascii() and any(character in text for character in NO_CHARACTERS)


def read_attributes(
    given: Mapping[str, MessageAttributeValue] | Mapping[str, MessageSystemAttributeValue],
) -> dict[str, Attribute]:
    """Checked attributes of one message. Raises InvalidParameterValue."""
    if len(given) > MAX_ATTRIBUTES:
        raise InvalidParameterValue(f"Number of message attributes [{len(given)}] exceeds the allowed maximum [10].")
    return {name: read_attribute(name, value) for name, value in given.items()}


def read_attribute(name: str, given: MessageAttributeValue | MessageSystemAttributeValue) -> Attribute:
    check_name(name)
    data_type = given.get("DataType", "")
    if not data_type:
        raise InvalidParameterValue(f"The message attribute '{name}' must contain a non-empty message attribute type.")
    kind = data_type.partition(".")[0]
    if kind not in ("String", "Number", "Binary"):
        raise InvalidParameterValue(
            f"The message attribute '{name}' has an invalid message attribute type, "
            "the set of supported type prefixes is Binary, Number, and String."
        )
    if len(data_type) > MAX_NAME_LENGTH:
        raise InvalidParameterValue("Length of message attribute type must be less than 256 bytes.")
    for unsupported in ("StringListValues", "BinaryListValues"):
        if given.get(unsupported):
            raise InvalidParameterValue(
                f"Message attribute list values in SendMessage operation are not supported, attribute '{name}'."
            )
    if kind == "Binary":
        return data_type, read_binary(name, data_type, given)
    return data_type, read_text(name, data_type, kind, given).encode()


def read_binary(name: str, data_type: str, given: MessageAttributeValue | MessageSystemAttributeValue) -> bytes:
    if "StringValue" in given and "BinaryValue" not in given:
        raise InvalidParameterValue(f"The message attribute '{name}' with type '{data_type}' must use field 'Binary'.")
    value = given.get("BinaryValue", b"")
    if not value:
        raise empty_value(name, data_type)
    return value


def read_text(name: str, data_type: str, kind: str, given: MessageAttributeValue | MessageSystemAttributeValue) -> str:
    if "BinaryValue" in given and "StringValue" not in given:
        raise InvalidParameterValue(f"The message attribute '{name}' with type '{data_type}' must use field 'String'.")
    value = given.get("StringValue", "")
    if not value:
        raise empty_value(name, data_type)
    if has_invalid_character(value.encode()):
        raise InvalidParameterValue(
            f"Invalid characters found in the value of message attribute '{name}'. "
            "Valid unicode characters are #x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to #x10FFFF]."
        )
    if kind == "Number" and NUMBER.match(value) is None:
        raise InvalidParameterValue(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    return value


def empty_value(name: str, data_type: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Message (user) attribute '{name}' must contain a non-empty value of type '{data_type}'."
    )


def check_name(name: str) -> None:
    if not name:
        raise InvalidParameterValue("The message attribute name must not be empty.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidParameterValue("Length of message attribute name must be less than 256 bytes.")
    valid = NAME.match(name)
    if valid is not None and valid.end() != len(name):
        raise InvalidParameterValue(
            f"Invalid non-alphanumeric character '#x{ord(name[valid.end()]):X}' was found in the message attribute name. "
            "Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name.lower().startswith(("aws.", "amazon.")):
        raise InvalidParameterValue(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
            "These strings are reserved for internal use."
        )
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise InvalidParameterValue(
            "Invalid message attribute name: it must not start or end with a dot, or have two dots in a row."
        )


def attributes_md5(attributes: Mapping[str, Attribute]) -> str:
    """The MD5 that SDKs check ("Calculating the MD5 message digest for message attributes").

    For each attribute by name: length and bytes of the name, of the data type, one byte for the transport type,
    length and bytes of the value; lengths are four bytes, big-endian.
    """
    parts: list[bytes] = []
    for name in sorted(attributes):
        data_type, value = attributes[name]
        for text in (name, data_type):
            encoded = text.encode()
            parts += (pack("!I", len(encoded)), encoded)
        parts += (BINARY_TRANSPORT if is_binary(data_type) else STRING_TRANSPORT, pack("!I", len(value)), value)
    return md5(b"".join(parts), usedforsecurity=False).hexdigest()


def attributes_size(attributes: Mapping[str, Attribute]) -> int:
    """Bytes that count towards the message's size: names, data types and values."""
    return sum(
        len(name.encode()) + len(data_type.encode()) + len(value) for name, (data_type, value) in attributes.items()
    )


def is_binary(data_type: str) -> bool:
    return data_type.startswith("Binary")


def requested(attributes: dict[str, Attribute], names: list[str]) -> dict[str, Attribute]:
    """The attributes that `MessageAttributeNames` asks for: exact names, `All`, `.*`, or prefixes (`foo.*`, `foo*`)."""
    if "All" in names or ".*" in names:
        return attributes
    exact = frozenset(names)
    prefixes = tuple(name[:-2] if name.endswith(".*") else name[:-1] for name in names if name.endswith("*"))
    return {
        name: value for name, value in attributes.items() if name in exact or (prefixes and name.startswith(prefixes))
    }


def attribute_member(attribute: Attribute) -> dict[str, str | bytes]:
    """The attribute as the member of an answer."""
    data_type, value = attribute
    if is_binary(data_type):
        return {"BinaryValue": value, "DataType": data_type}
    return {"StringValue": value.decode(), "DataType": data_type}
