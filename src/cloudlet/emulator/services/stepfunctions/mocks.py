"""Mocks of TestState: may there be one, and is its result what the service's API could answer?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudlet.emulator.protocol.models import OperationModel, Shape
from cloudlet.emulator.services.stepfunctions.api import TestStateInput, ValidationException
from cloudlet.emulator.services.stepfunctions.asl import timestamps
from cloudlet.emulator.services.stepfunctions.asl.json_text import loads
from cloudlet.emulator.services.stepfunctions.integrations import shapes
from cloudlet.emulator.services.stepfunctions.integrations.resources import OPTIMIZED, Target, parse

WITHOUT_MOCK = frozenset({"Pass", "Succeed", "Fail"})
SDK = "aws-sdk:"


def check(name: str, state: dict[str, Any], machine: dict[str, Any], request: TestStateInput) -> None:
    """Raises ValidationException."""
    mock = request.get("mock")
    configured = request.get("stateConfiguration", {})
    if mock is None:
        if "mapIterationFailureCount" in configured:
            raise ValidationException("A mock must be specified when mapIterationFailureCount is specified")
        return
    if "result" in mock and "errorOutput" in mock:
        raise ValidationException("A test mock should have only one of the following fields: [result, errorOutput].")
    if request.get("revealSecrets"):
        raise ValidationException("TestState does not support RevealSecrets when a mock is specified.")
    if state["Type"] in WITHOUT_MOCK:
        raise ValidationException(f"State type '{state['Type']}' is not supported when a mock is specified")
    if "result" not in mock:
        return
    try:
        result = loads(mock["result"])
    except ValueError:
        raise ValidationException("Mocked result must be valid JSON") from None
    mode = mock.get("fieldValidationMode", "STRICT")
    if mode == "NONE":
        return
    if state["Type"] == "Map":
        if "ResultWriter" not in state and not isinstance(result, list):
            raise ValidationException("Mocked result must be an array.")
    elif state["Type"] == "Parallel":
        if not isinstance(result, list):
            raise ValidationException("Mocked result must be an array.")
    elif state["Type"] == "Task":
        operation = operation_of(parse(state["Resource"]))
        if operation is not None and operation.output is not None:
            java = state["Resource"].partition(":states:::")[2].startswith(SDK)
            conforms(operation.output, result, java, mode == "STRICT", "")


def operation_of(target: Target) -> OperationModel | None:
    """The operation whose answer the result has to look like; None where any result may be."""
    if target.kind != "task" or target.pattern:
        return None
    if target.resource_type.startswith(SDK):
        service = shapes.sdk_services().get(target.resource_type.removeprefix(SDK))
    else:
        optimized = OPTIMIZED.get(target.resource_type)
        service = None if optimized is None else optimized.service
    return None if service is None else shapes.operation_of(service, target.action)


def conforms(shape: Shape, value: Any, java: bool, strict: bool, name: str) -> None:
    """Members that the model does not know are let through. Raises ValidationException."""
    if shape.is_document or value is None:
        return
    kind = shape.type
    if kind == "structure":
        expect(isinstance(value, dict), name, "an object")
        name_of = shapes.java_name if java else shapes.own_name
        for member, target in shape.members.items():
            shown = name_of(member)
            if shown in value:
                conforms(target, value[shown], java, strict, shown)
            elif strict and member in shape.required:
                raise ValidationException(f"Mock result schema validation error: Required field '{shown}' is missing")
    elif kind == "list":
        expect(isinstance(value, list), name, "an array")
        for item in value:
            conforms(shape.member, item, java, strict, name)
    elif kind == "map":
        expect(isinstance(value, dict), name, "an object")
        for item in value.values():
            conforms(shape.value, item, java, strict, name)
    else:
        scalar(shape, value, name)


def scalar(shape: Shape, value: Any, name: str) -> None:
    kind = shape.type
    if kind in ("string", "character"):
        expect(isinstance(value, str), name, "a string")
        allowed = shape.traits.get("enum")
        if allowed and value not in allowed:
            raise wrong(f"Field '{name}' is not an expected value")
        lengths(shape, value, name)
    elif kind == "blob":
        expect(isinstance(value, str), name, "a string")
        lengths(shape, value, name)
    elif kind == "boolean":
        expect(isinstance(value, bool), name, "a boolean")
    elif kind in ("integer", "long", "float", "double"):
        expect(isinstance(value, int | float) and not isinstance(value, bool), name, "a number")
        limits(shape, value, name)
    elif kind == "timestamp":
        expect(isinstance(value, str), name, "a string")
        expect(is_moment(value), name, "a valid timestamp")


def is_moment(text: str) -> bool:
    if timestamps.parse(text) is not None:
        return True
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def limits(shape: Shape, value: float, name: str) -> None:
    low, high = shape.traits.get("min"), shape.traits.get("max")
    if low is not None and value < low:
        raise wrong(f"Field '{name}' is less than the minimum value")
    if high is not None and value > high:
        raise wrong(f"Field '{name}' is greater than the maximum value")


def lengths(shape: Shape, value: str, name: str) -> None:
    low, high = shape.traits.get("min"), shape.traits.get("max")
    if low is not None and len(value) < low:
        raise wrong(f"Field '{name}' is smaller than the minimum length")
    if high is not None and len(value) > high:
        raise wrong(f"Field '{name}' is larger than the maximum length")


def wrong(message: str) -> ValidationException:
    return ValidationException(f"Mock result schema validation error: {message}")


def expect(condition: bool, name: str, what: str) -> None:
    if not condition:
        subject = f"Field '{name}'" if name else "The result"
        raise ValidationException(f"Mock result schema validation error: {subject} must be {what}")
