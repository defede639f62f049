"""Carries a task out: calls the service, and says what came of it.

outcome = await perform(call, asked)      # {"result": …}, {"submitted": …} or {"error": …, "cause": …}
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import FileSlice
from cloudlet.emulator.protocol.models import OperationModel
from cloudlet.emulator.services.stepfunctions.asl.failures import RUNTIME
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps
from cloudlet.emulator.services.stepfunctions.asl.timestamps import http_date
from cloudlet.emulator.services.stepfunctions.integrations import functions, shapes, waiting
from cloudlet.emulator.services.stepfunctions.integrations.resources import OPTIMIZED, Optimized

Outcome = dict[str, Any]
SDK = "aws-sdk:"
ROLE = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/.+")


class Asked(NamedTuple):
    """A task. `name` and `entered_event` say which state it is, for messages; `own_arns` are the ARNs of the state
    machine and its execution, `role_arn` the role of `Credentials`."""

    kind: str
    resource_type: str
    resource: str
    pattern: str
    arguments: Any
    name: str
    entered_event: int | None
    own_arns: tuple[str, ...]
    role_arn: str = ""

    @property
    def action(self) -> str:
        return self.resource.partition(".")[0]

    def unusable(self, reason: str) -> Outcome:
        """Parameters that the operation does not take end the execution."""
        text = f"The Parameters '{dumps(self.arguments)}' could not be used to start the Task: [{reason}]"
        if self.entered_event is not None:
            text = (
                f"An error occurred while executing the state '{self.name}' (entered at the event id "
                f"#{self.entered_event}). {text}"
            )
        return {"error": RUNTIME, "cause": text, "submitting": True}


async def perform(call: Call, asked: Asked) -> Outcome:
    """What came of the task. What AWS would refuse is an outcome too."""
    role = ROLE.fullmatch(asked.role_arn)
    if role is not None:  # `Credentials`: the task is that account's
        call = call.at(role[1], call.region)
    if asked.kind == "lambda":
        return await functions.invoke_by_arn(call, asked.resource, asked.arguments)
    if asked.resource_type.startswith(SDK):
        return await through_sdk(call, asked)
    service = OPTIMIZED.get(asked.resource_type)
    if service is None:
        return asked.unusable(f"The resource {asked.resource_type}:{asked.action} is not supported by Step Functions")
    if (asked.resource_type, asked.action) == ("lambda", "invoke"):
        return await functions.invoke(call, asked.arguments, asked.pattern, asked.unusable)
    return await optimized(call, asked, service)


# --- optimized integrations


async def optimized(call: Call, asked: Asked, service: Optimized) -> Outcome:
    operation = shapes.operation_of(service.service, asked.action)
    if operation is None:
        return asked.unusable(f"The action {asked.action} is not supported by Step Functions")
    arguments = asked.arguments
    if (asked.resource_type, asked.action) == ("events", "putEvents"):
        arguments = with_resources(arguments, asked.own_arns)
    try:
        request = shapes.request_of(operation, arguments)
    except shapes.Unusable as error:
        return asked.unusable(str(error))
    try:
        shapes.check(operation, request)
        result = await call.reach(service.service, operation.name, request)
    except AwsError as error:
        return refused(call, error, service, operation)
    answer = shapes.answer_of(operation.output, await whole(result), java=False)
    answer |= sdk_metadata(call, answer)
    if (asked.resource_type, asked.action) == ("events", "putEvents") and answer.get("FailedEntryCount"):
        return {"error": "EventBridge.FailedEntry", "cause": dumps(answer)}
    if asked.pattern == "":
        return {"result": answer}
    submitted: Outcome = {"submitted": answer}
    if asked.pattern == "sync":
        submitted["poll"] = waiting.question_of(asked.resource_type, asked.action, answer, request)
        if submitted["poll"] is None and asked.resource_type != "states":
            return asked.unusable(f"The action {asked.resource} is not supported by Step Functions")
    return submitted


def with_resources(arguments: Any, arns: tuple[str, ...]) -> Any:
    """Step Functions adds its own ARNs to the resources of each event."""
    if not isinstance(arguments, dict) or not isinstance(arguments.get("Entries"), list):
        return arguments
    entries = [
        {**entry, "Resources": [*entry.get("Resources", ()), *arns]} if isinstance(entry, dict) else entry
        for entry in arguments["Entries"]
    ]
    return {**arguments, "Entries": entries}


def refused(call: Call, error: AwsError, service: Optimized, operation: OperationModel) -> Outcome:
    """An error of an optimized integration, in the words of the SDK for Java 1."""
    name = exception_name(error.code, operation, f"{service.client.removesuffix('v2')}Exception")
    code = error.query_code or error.code
    cause = (
        f"{error.message} (Service: {service.client}; Status Code: {error.status}; Error Code: {code}; "
        f"Request ID: {call.ids.uuid()}; Proxy: null)"
    )
    return {"error": f"{service.prefix}.{name}", "cause": cause, "submitting": True}


def exception_name(code: str, operation: OperationModel, general: str) -> str:
    """The SDK's class of an error: the model's, else the general one of the service."""
    plain = code.rpartition(".")[2]
    modelled = {shape.name: shape for shape in operation.errors}
    codes = {name: name for name in modelled}
    codes |= {str(shape.traits.get("error", {}).get("code", name)): name for name, shape in modelled.items()}
    name = codes.get(code) or codes.get(plain)
    if name is None:
        return general
    return name if name.endswith("Exception") else name + "Exception"


def sdk_metadata(call: Call, answer: Any) -> dict[str, Any]:
    """What optimized integrations tell about the HTTP answer."""
    request_id = call.ids.uuid()
    headers = {
        "Content-Length": str(len(dumps(answer))),
        "Content-Type": "application/x-amz-json-1.0",
        "Date": http_date(call.now),
        "x-amzn-RequestId": request_id,
    }
    return {
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": request_id},
    }


# --- any operation through the SDK


async def through_sdk(call: Call, asked: Asked) -> Outcome:
    wanted = asked.resource_type.removeprefix(SDK)
    service = shapes.sdk_services().get(wanted)
    operation = None if service is None else shapes.operation_of(service, asked.action)
    if service is None or operation is None:
        return asked.unusable(f"The resource {asked.resource_type}:{asked.action} is not supported by Step Functions")
    try:
        request = shapes.request_of(operation, asked.arguments)
    except shapes.Unusable as error:
        return asked.unusable(str(error))
    java_service = shapes.java_name(shapes.models().index.services[service].service_id)
    try:
        shapes.check(operation, request)
        result = await call.reach(service, operation.name, request)
    except AwsError as error:
        name = exception_name(error.code, operation, f"{java_service}Exception")
        cause = f"{error.message} (Service: {java_service}, Status Code: {error.status}, Request ID: {call.ids.uuid()})"
        return {"error": f"{java_service}.{name}", "cause": cause, "submitting": True}
    answer = shapes.answer_of(operation.output, await whole(result), java=True)
    if service == "lambda" and operation.name == "Invoke" and answer.get("FunctionError"):
        answer.setdefault("Payload", "")
    return {"submitted": answer} if asked.pattern == "token" else {"result": answer}


async def whole(result: dict[str, Any]) -> dict[str, Any]:
    """The result with a streaming body read."""
    body = result.get("Body")
    if isinstance(body, FileSlice):
        return {**result, "Body": await asyncio.to_thread(read_slice, body)}
    if isinstance(body, AsyncIterator):
        return {**result, "Body": b"".join([piece async for piece in body])}
    return result


def read_slice(part: FileSlice) -> bytes:
    with part.path.open("rb") as file:
        file.seek(part.start)
        return file.read(part.length)
