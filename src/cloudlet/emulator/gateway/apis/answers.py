"""What a function's answer makes of the response, and the answers of API Gateway itself.

Source: "Output format of a Lambda function for proxy integration", "Gateway response types".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpResponse
from cloudlet.emulator.protocol.proxied import JSON, proxied


def message(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, {"Content-Type": JSON}, orjson.dumps({"message": text}))


async def call_function(call: Call, arn: str, event: Mapping[str, Any]) -> Any:
    """What the function returned. Raises FunctionFailed."""
    parts = arn.split(":")
    there = call.at(parts[4], parts[3])
    try:
        answer = await there.reach("lambda", "Invoke", {"FunctionName": arn, "Payload": orjson.dumps(event)})
    except AwsError as error:
        raise FunctionFailed(error.message) from error
    if "FunctionError" in answer:
        raise FunctionFailed(bytes(answer["Payload"]).decode(errors="replace"))
    try:
        return orjson.loads(bytes(answer["Payload"]) or b"null")
    except ValueError as error:  # NaN, which Python's functions may write
        raise FunctionFailed(f"the answer is no JSON: {error}") from error


class FunctionFailed(Exception):
    """The function raised, or could not be called."""


def from_proxy(returned: Any) -> HttpResponse | None:
    """The response that a REST API makes; None for what is none, which is answered with 502."""
    if not isinstance(returned, dict) or not ("statusCode" in returned or "body" in returned or "headers" in returned):
        return None
    return proxied(returned)
