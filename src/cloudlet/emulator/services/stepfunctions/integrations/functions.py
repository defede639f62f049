"""Lambda functions: by their own ARN, and through `lambda:invoke`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, loads
from cloudlet.emulator.services.stepfunctions.asl.timestamps import http_date
from cloudlet.emulator.services.stepfunctions.integrations import shapes

Outcome = dict[str, Any]
ARN = re.compile(r"arn:[\w-]+:lambda:([\w-]+):(\d{12}):function:")
PLAIN = re.compile(r"Function not found: arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[^:]+")
NO_TYPE = "The cause could not be determined because Lambda did not return an error type. Returned payload: {}"


async def invoke_by_arn(call: Call, arn: str, arguments: Any) -> Outcome:
    """A function whose ARN is the state's Resource; its result is the task's."""
    try:
        request = {"FunctionName": arn, "Payload": dumps(arguments).encode()}
        answer = await home_of(call, arn).reach("lambda", "Invoke", request)
    except AwsError as error:
        return refused(call, error)
    payload = content_of(answer.get("Payload"))
    if answer.get("FunctionError"):
        return function_error(payload)
    return {"result": parsed(payload)}


async def invoke(call: Call, arguments: Any, pattern: str, unusable: Callable[[str], Outcome]) -> Outcome:
    """`lambda:invoke`: its result says what Lambda answered, with the payload as JSON."""
    operation = shapes.operation_of("lambda", "invoke")
    if operation is None or not isinstance(arguments, dict):
        return unusable("The Parameters must be an object")
    given = dict(arguments)
    payload = given.pop("Payload", {})
    try:
        request = shapes.request_of(operation, given)
    except shapes.Unusable as error:
        return unusable(str(error))
    request["Payload"] = payload_of(payload).encode()
    try:
        answer = await home_of(call, request["FunctionName"]).reach("lambda", "Invoke", request)
    except AwsError as error:
        return refused(call, error, qualified="Qualifier" not in request)
    text = content_of(answer.get("Payload"))
    if answer.get("FunctionError"):
        return {**function_error(text), "submitting": False}
    result = described(call, answer, text)
    return {"submitted": result} if pattern == "token" else {"result": result}


def payload_of(payload: Any) -> str:
    """A text that is JSON is handed on as it is; null is as good as no payload."""
    if payload is None:
        return "{}"
    if isinstance(payload, str):
        try:
            loads(payload)
        except ValueError:
            return dumps(payload)
        return payload
    return dumps(payload)


def described(call: Call, answer: dict[str, Any], text: str) -> dict[str, Any]:
    request_id = call.ids.uuid()
    headers = {
        "Connection": "keep-alive",
        "Content-Length": str(len(text.encode())),
        "Content-Type": "application/json",
        "Date": http_date(call.now),
        "X-Amzn-Trace-Id": f"root=1-{int(call.now):08x}-{call.ids.hex(24)};parent={call.ids.hex(16)};sampled=0",
        "X-Amz-Executed-Version": answer.get("ExecutedVersion", "$LATEST"),
        "x-amzn-Remapped-Content-Length": "0",
        "x-amzn-RequestId": request_id,
    }
    return {
        "ExecutedVersion": answer.get("ExecutedVersion", "$LATEST"),
        "Payload": parsed(text),
        "SdkHttpMetadata": {
            "AllHttpHeaders": {name: [value] for name, value in headers.items()},
            "HttpHeaders": headers,
            "HttpStatusCode": answer.get("StatusCode", 200),
        },
        "SdkResponseMetadata": {"RequestId": request_id},
        "StatusCode": answer.get("StatusCode", 200),
    }


def content_of(payload: Any) -> str:
    return "" if payload is None else shapes.text_of(payload)


def parsed(text: str) -> Any:
    """The payload as JSON; one that is none stays text, an empty one is an empty object."""
    if not text:
        return {}
    try:
        return loads(text)
    except ValueError:
        return text


def function_error(text: str) -> Outcome:
    """What a function that failed answers: `errorType` is the error's name."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    kind = told.get("errorType") if isinstance(told, dict) else None
    if not kind:
        return {"error": "Lambda.Unknown", "cause": NO_TYPE.format(text)}
    return {"error": str(kind), "cause": dumps(told)}


def home_of(call: Call, name: Any) -> Call:
    """The call in the function's account and region, where its ARN says so."""
    match = ARN.match(str(name))
    return call if match is None else call.at(match[2], match[1])


def refused(call: Call, error: AwsError, *, qualified: bool = False) -> Outcome:
    """`qualified`: the integration asks for `$LATEST` where nobody asks for a version."""
    message = error.message
    if qualified and PLAIN.fullmatch(message):
        message += ":$LATEST"
    code = error.code if error.code.endswith("Exception") else "AWSLambdaException"
    cause = (
        f"{message} (Service: AWSLambda; Status Code: {error.status}; Error Code: {error.code}; "
        f"Request ID: {call.ids.uuid()}; Proxy: null)"
    )
    return {"error": f"Lambda.{code}", "cause": cause, "submitting": True}
