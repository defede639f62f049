"""What a function's answer makes of the response, and the answers of API Gateway itself.

Source: "Output format of a Lambda function for proxy integration", "Gateway response types".
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpResponse

JSON = "application/json"
DROPPED = frozenset(("connection", "content-length", "transfer-encoding", "date", "server"))


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
    return orjson.loads(bytes(answer["Payload"]) or b"null")


class FunctionFailed(Exception):
    """The function raised, or could not be called."""


def from_proxy(returned: Any) -> HttpResponse | None:
    """The response that a REST API makes; None for what is none, which is answered with 502."""
    if not isinstance(returned, dict) or not ("statusCode" in returned or "body" in returned or "headers" in returned):
        return None
    headers: dict[str, str] = {}
    for name, value in (returned.get("headers") or {}).items():
        add_header(headers, name, [value])
    for name, values in (returned.get("multiValueHeaders") or {}).items():
        add_header(headers, name, values)
    for cookie in returned.get("cookies") or ():
        headers[cookie_name(headers)] = str(cookie)
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = JSON
    body = returned.get("body")
    if body is None:
        body = ""
    if not isinstance(body, str):
        return None
    content = body.encode()
    if returned.get("isBase64Encoded"):
        try:
            content = b64decode(body)
        except (ValueError, Base64Error):
            return None
    try:
        return HttpResponse(int(returned.get("statusCode", 200)), headers, content)
    except (TypeError, ValueError):
        return None


def cookie_name(headers: Mapping[str, str]) -> str:
    """A way to write the header's name that is not taken: cookies cannot be joined, and a dict has each name once."""
    letters = "setcookie"
    for number in range(1, 2 ** len(letters)):
        cased = "".join(one.upper() if number >> place & 1 else one for place, one in enumerate(letters))
        name = f"{cased[:3]}-{cased[3:]}"
        if name not in headers:
            return name
    return "set-cookie"


def add_header(headers: dict[str, str], name: str, values: list[Any]) -> None:
    if name.lower() == "set-cookie":
        for value in values:
            headers[cookie_name(headers)] = str(value)
        return
    if name.lower() not in DROPPED:
        shown = (str(value).lower() if isinstance(value, bool) else str(value) for value in values)
        headers[name] = ", ".join(shown)
