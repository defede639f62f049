"""Requests that users wrote as JSON documents (a schedule's input for any operation), read against the model.

    request = read_document(operation, rules, {"QueueUrl": …, "MessageBody": …})      # raises AwsError

Members have AWS's names whatever the wire calls them; a blob is written as text, a moment as a number or ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.kernel.errors import SerializationError
from cloudlet.emulator.protocol.constraints import Rules
from cloudlet.emulator.protocol.models import OperationModel, Shape
from cloudlet.emulator.protocol.timestamps import parse_timestamp
from cloudlet.emulator.protocol.validate import validator


def read_document(operation: OperationModel, rules: Rules, document: Mapping[str, Any]) -> dict[str, Any]:
    """The request. Raises SerializationError, and what the constraints say."""
    shape = operation.input
    if shape is None:
        return {}
    request: dict[str, Any] = convert(shape, document)
    check = validator(shape, rules)
    if check is not None:
        check(request)
    return request


def convert(shape: Shape, value: Any) -> Any:
    if shape.is_document:
        return value
    if shape.type == "structure":
        fields = expected(value, dict, shape)
        members = shape.members
        return {
            name: convert(members[name], entry)
            for name, entry in fields.items()
            if name in members and entry is not None
        }
    if shape.type == "list":
        return [convert(shape.member, entry) for entry in expected(value, list, shape)]
    if shape.type == "map":
        return {str(name): convert(shape.value, entry) for name, entry in expected(value, dict, shape).items()}
    if isinstance(value, dict | list):
        raise SerializationError(f"{shape.name} cannot be an object or an array")
    return scalar(shape, value)


def scalar(shape: Shape, value: Any) -> Any:
    if shape.type == "blob":
        return value if isinstance(value, bytes) else str(value).encode()
    if shape.type == "timestamp":
        try:
            return parse_timestamp(value)
        except ValueError:
            raise SerializationError(f"{value!r} is no moment") from None
    if shape.type == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if shape.type in ("integer", "long") and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if shape.type == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def expected(value: Any, kind: type, shape: Shape) -> Any:
    if not isinstance(value, kind):
        raise SerializationError(f"{shape.name} has to be {'an object' if kind is dict else 'an array'}")
    return value
