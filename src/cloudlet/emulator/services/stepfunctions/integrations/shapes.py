"""JSON of a definition to the requests of the models, and results back, under the names that Step Functions uses.

Members are found whatever the case of their letters. Results of `aws-sdk` integrations have the names of the SDK for
Java 2, which writes acronyms like words (`Acl`, `SseAlgorithm`); those of optimized integrations the API's own, with a
capital first letter.
"""

from __future__ import annotations

import functools
import re
from base64 import b64encode
from typing import Any

from cloudlet.emulator.protocol.constraints import rules_of
from cloudlet.emulator.protocol.message import InlineBody
from cloudlet.emulator.protocol.models import Models, OperationModel, Shape
from cloudlet.emulator.protocol.validate import validator
from cloudlet.emulator.services.stepfunctions.asl import timestamps
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps


class Unusable(Exception):
    """Parameters that the operation does not take."""


@functools.cache
def models() -> Models:
    """The compiled models; read when the first task needs one."""
    return Models()


@functools.cache
def sdk_services() -> dict[str, str]:
    """Names of services in `aws-sdk:` resources -> botocore's."""
    found: dict[str, str] = {}
    for name, entry in models().index.services.items():
        found.setdefault(re.sub(r"[^a-z0-9]", "", entry.service_id.lower()), name)
    return found


def operation_of(service: str, action: str) -> OperationModel | None:
    """The operation that an action (`putItem`) names."""
    if service not in models().index.services:
        return None
    model = models().service(service)
    name = action[:1].upper() + action[1:]
    if model.has_operation(name):
        return model.operation(name)
    lower = name.lower()
    found = next((candidate for candidate in model.operation_names if candidate.lower() == lower), None)
    return None if found is None else model.operation(found)


def java_name(name: str) -> str:
    """A member's name in the SDK for Java 2, with a capital first letter."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", name)
    words = " ".join(re.split(r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", words))
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", words)
    words = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", words)
    return "".join(word[:1].upper() + word[1:].lower() for word in words.split())


def own_name(name: str) -> str:
    return name[:1].upper() + name[1:]


# --- requests


def request_of(operation: OperationModel, arguments: Any) -> dict[str, Any]:
    """Raises Unusable: members that are unknown or of the wrong type."""
    if operation.input is None:
        return {}
    if not isinstance(arguments, dict):
        raise Unusable("The Parameters must be an object")
    made: dict[str, Any] = value_of(operation.input, arguments, "")
    return made


def check(operation: OperationModel, request: dict[str, Any]) -> None:
    """What the service's front end checks. Raises AwsError, in its words."""
    rules = rules_of(operation.service.name, operation.service.protocols[0])
    checked = validator(operation.input, rules)
    if checked is not None:
        checked(request)


def value_of(shape: Shape, value: Any, path: str) -> Any:
    kind = shape.type
    if kind == "structure" and not shape.is_document:
        return structure_of(shape, value, path)
    if value is None or shape.is_document:
        return value
    if kind == "list":
        if not isinstance(value, list):
            raise Unusable(f"The value for the field '{path}' must be an array")
        return [value_of(shape.member, item, f"{path}[{at}]") for at, item in enumerate(value)]
    if kind == "map":
        if not isinstance(value, dict):
            raise Unusable(f"The value for the field '{path}' must be an object")
        return {key: value_of(shape.value, item, f"{path}.{key}") for key, item in value.items()}
    return scalar_of(shape, value, path)


def structure_of(shape: Shape, value: Any, path: str) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unusable(f"The value for the field '{path}' must be an object")
    names = {name.lower(): name for name in shape.members}
    found = {}
    for key, item in value.items():
        name = names.get(key.lower())
        if name is None:
            raise Unusable(f'The field "{key}" is not supported by Step Functions')
        if item is not None:
            found[name] = value_of(shape.members[name], item, key)
    return found


def scalar_of(shape: Shape, value: Any, path: str) -> Any:
    kind = shape.type
    if kind in ("string", "character"):
        return value if isinstance(value, str) else dumps(value)
    if kind == "blob":
        content = value.encode() if isinstance(value, str) else dumps(value).encode()
        return InlineBody(content) if shape.traits.get("streaming") and shape.service.name == "s3" else content
    if kind == "timestamp":
        moment = timestamps.parse(value)
        if moment is None and not isinstance(value, int | float):
            raise Unusable(f"The value for the field '{path}' must be a valid timestamp")
        return value if moment is None else moment
    if kind == "boolean":
        if not isinstance(value, bool):
            raise Unusable(f"The value for the field '{path}' must be a BOOLEAN")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unusable(f"The value for the field '{path}' must be a NUMBER")
    return int(value) if kind in ("integer", "long") else float(value)


# --- results


def answer_of(shape: Shape | None, value: Any, java: bool) -> Any:
    """A result as a task's output."""
    if shape is None or value is None or shape.is_document:
        return value if shape is not None else {}
    kind = shape.type
    if kind == "structure":
        name_of = java_name if java else own_name
        return {
            name_of(name): answer_of(member, value[name], java)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [answer_of(shape.member, item, java) for item in value]
    if kind == "map":
        return {key: answer_of(shape.value, item, java) for key, item in value.items()}
    if kind == "timestamp":
        return timestamps.written(value).replace(".000Z", "Z") if isinstance(value, int | float) else value
    if kind == "blob":
        return text_of(value)
    return value


def text_of(content: Any) -> str:
    """Bytes as text; as Base64 where they are none."""
    if isinstance(content, str):
        return content
    try:
        return bytes(content).decode()
    except UnicodeDecodeError:
        return b64encode(bytes(content)).decode()
