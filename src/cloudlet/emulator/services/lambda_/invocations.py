"""Invoke, InvokeAsync, InvokeWithResponseStream."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator
from typing import Any

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.lambda_ import api
from cloudlet.emulator.services.lambda_.asynchronous import accept
from cloudlet.emulator.services.lambda_.execution import Outcome, run
from cloudlet.emulator.services.lambda_.names import read_name
from cloudlet.emulator.services.lambda_.runtimes import CannotRun
from cloudlet.emulator.services.lambda_.targets import Target, find_target

LARGEST_EVENT_BYTES = 1_048_576
STREAM_PIECE_BYTES = 128 * 1024


async def invoke(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """`RequestResponse`: what the function answered. `Event`: 202 at once. `DryRun`: 204 when there is the function."""
    kind = request.get("InvocationType") or "RequestResponse"
    payload = payload_of(request.get("Payload"))
    check_payload(call, payload, kind)
    named = read_name(call, request)
    if kind == "Event":
        with call.transaction():
            find_target(call, named)
            accept(call, named, payload)
        return {"StatusCode": 202, "Payload": b""}
    with call.transaction(read_only=True):
        target = find_target(call, named)
    if kind == "DryRun":
        return {"StatusCode": 204, "Payload": b""}
    outcome = await outcome_of(call, target, payload, request)
    result: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": target.version, "Payload": outcome.payload}
    if outcome.error:
        result["FunctionError"] = outcome.error
    if request.get("LogType") == "Tail":
        result["LogResult"] = outcome.log_tail
    return result


async def invoke_async(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The old form of `Event`."""
    await invoke(call, {**request, "InvocationType": "Event", "Payload": request.get("InvokeArgs")})
    return {"Status": 202}


async def invoke_with_response_stream(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The answer in pieces, once it is whole."""
    payload = payload_of(request.get("Payload"))
    check_payload(call, payload, "RequestResponse")
    named = read_name(call, request)
    with call.transaction(read_only=True):
        target = find_target(call, named)
    result: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": target.version,
        "ResponseStreamContentType": "application/octet-stream",
    }
    if request.get("InvocationType") == "DryRun":
        return {**result, "StatusCode": 204, "EventStream": stream([])}
    outcome = await outcome_of(call, target, payload, request)
    return {**result, "EventStream": stream(pieces(outcome, request))}


async def stream(events: list[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    for event in events:
        yield event


def pieces(outcome: Outcome, request: dict[str, Any]) -> list[dict[str, Any]]:
    complete: dict[str, Any] = {}
    sent = outcome.payload
    if outcome.error:
        error = json.loads(outcome.payload)
        complete = {"ErrorCode": error.get("errorType", "Unhandled"), "ErrorDetails": outcome.payload.decode()}
        sent = b""
    if request.get("LogType") == "Tail":
        complete["LogResult"] = outcome.log_tail
    starts = range(0, len(sent), STREAM_PIECE_BYTES)
    chunks = [{"PayloadChunk": {"Payload": sent[start : start + STREAM_PIECE_BYTES]}} for start in starts]
    return [*chunks, {"InvokeComplete": complete}]


async def outcome_of(call: Call, target: Target, payload: bytes, request: dict[str, Any]) -> Outcome:
    try:
        return await run(call, target, payload, call.request_id, client_context(request.get("ClientContext")))
    except CannotRun as error:
        raise cannot_run(error) from None


def cannot_run(error: CannotRun) -> AwsError:
    return api.InvalidRuntimeException(f"The function cannot be run: {error}.", Type="User")


def payload_of(given: Any) -> bytes:
    if given is None:
        return b""
    return bytes(given) if isinstance(given, bytes | bytearray) else bytes(given.read())


def check_payload(call: Call, payload: bytes, kind: str) -> None:
    """Raises RequestEntityTooLargeException, InvalidRequestContentException."""
    limit = LARGEST_EVENT_BYTES if kind == "Event" else call.settings.lambda_limits_max_function_payload_size_bytes
    if len(payload) > limit:
        raise UnmodelledError(
            "RequestEntityTooLargeException",
            f"{len(payload)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)",
            413,
            Type="User",
        )
    if payload:
        try:
            orjson.loads(payload)
        except ValueError as error:
            raise api.InvalidRequestContentException(
                f"Could not parse request body into json: {error}", Type="User"
            ) from None


def client_context(given: str | None) -> Any:
    """The document inside; None for what is none."""
    if not given:
        return None
    try:
        found = orjson.loads(b64decode(given))
    except (ValueError, Base64Error):
        return None
    return found if isinstance(found, dict) else None


@read_write
def accept_event(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Not AWS's: an event for a function inside the transaction of the service that has it (SNS, S3)."""
    named = read_name(call, request)
    find_target(call, named)
    accept(call, named, payload_of(request["Payload"]))
    return {}
