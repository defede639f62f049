"""Message attributes: what they may be. Pure functions.

Source: "Amazon SNS message attributes" in the Amazon SNS Developer Guide, and the error texts of the service.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from cloudlet.emulator.services.sns.errors import InvalidParameterValue

NAME = re.compile(r"[A-Za-z0-9_.-]+\Z")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z")
LONGEST_NAME = 256


def check_attributes(given: Mapping[str, Mapping[str, Any]]) -> int:
    """Their size in bytes. Raises ParameterValueInvalid."""
    return sum(check_attribute(name, value) for name, value in given.items())


def check_attribute(name: str, given: Mapping[str, Any]) -> int:
    check_name(name)
    data_type: str = given.get("DataType", "")
    if not data_type:
        raise InvalidParameterValue(f"The message attribute '{name}' must contain non-empty message attribute type.")
    kind = data_type.partition(".")[0]
    if kind not in ("String", "Number", "Binary"):
        raise InvalidParameterValue(
            f"The message attribute '{name}' has an invalid message attribute type, "
            "the set of supported type prefixes is Binary, Number, and String."
        )
    if kind == "Binary":
        value: str | bytes = given.get("BinaryValue", b"")
        if not value and given.get("StringValue"):
            raise InvalidParameterValue(f"The message attribute '{name}' with type 'Binary' must use field 'Binary'.")
    else:
        value = given.get("StringValue", "")
        if not value and given.get("BinaryValue"):
            raise InvalidParameterValue(
                f"The message attribute '{name}' with type '{data_type}' must use field 'String'."
            )
    if not value:
        raise InvalidParameterValue(
            f"The message attribute '{name}' must contain non-empty message attribute value "
            f"for message attribute type '{data_type}'."
        )
    if kind == "Number" and NUMBER.match(str(value)) is None:
        raise InvalidParameterValue(f"Could not cast message attribute '{name}' value to number.")
    if data_type == "String.Array":
        check_array(name, str(value))
    size = len(value) if isinstance(value, bytes) else len(value.encode())
    return size + len(name.encode()) + len(data_type)


def check_array(name: str, text: str) -> None:
    try:
        elements = orjson.loads(text)
    except ValueError:
        elements = None
    if not isinstance(elements, list):
        raise InvalidParameterValue(f"Message attribute value '{text}' is not an array.")
    if any(isinstance(element, dict | list) for element in elements):
        raise InvalidParameterValue(
            f"Message attribute '{name}' has an array of other than strings, numbers, booleans."
        )


def check_name(name: str) -> None:
    if not name:
        raise InvalidParameterValue("The message attribute name must not be empty.")
    if len(name) > LONGEST_NAME:
        raise InvalidParameterValue("Length of message attribute name must be less than 256 bytes.")
    if NAME.match(name) is None:
        odd = next(letter for letter in name if NAME.match(letter) is None)
        raise InvalidParameterValue(
            f"Invalid non-alphanumeric character '#x{ord(odd):X}' was found in the message attribute name. "
            "Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if name.startswith(".") or name.endswith("."):
        raise InvalidParameterValue("The message attribute name must not start or end with a dot.")
    if ".." in name:
        raise InvalidParameterValue("Message attribute name can not have successive '.' character.")
    if name.lower().startswith(("aws.", "amazon.")):
        raise InvalidParameterValue("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'.")


def envelope_attributes(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """As they stand in an envelope."""
    return {
        name: {
            "Type": value["DataType"],
            "Value": b64encode(value["BinaryValue"]).decode() if value.get("BinaryValue") else value["StringValue"],
        }
        for name, value in given.items()
    }
