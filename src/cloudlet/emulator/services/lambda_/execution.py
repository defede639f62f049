"""One invocation of a function: an environment, the event, what came of it, and the log that Lambda writes.

Errors are those that callers of AWS get in the payload. Source: "Understanding retry behavior in Lambda", "Lambda
function error handling", and the report lines of "Viewing CloudWatch logs for Lambda functions".
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any, NamedTuple

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.effects.processes import Ended, TookTooLong
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.lambda_.environments import PROVISIONED, Environment, Failed, environment_of, exit_words
from cloudlet.emulator.services.lambda_.errors import throttled
from cloudlet.emulator.services.lambda_.logs import Report, write_later
from cloudlet.emulator.services.lambda_.targets import Target

LARGEST_ANSWER_BYTES = 6_291_556
LOG_TAIL_BYTES = 4096


class Outcome(NamedTuple):
    """`error` is Lambda's FunctionError, empty when the function returned. `streamed`: it wrote its answer as a stream."""

    payload: bytes
    error: str
    log: str
    streamed: bool = False

    @property
    def log_tail(self) -> str:
        return b64encode(self.log.encode()[-LOG_TAIL_BYTES:]).decode()


class Ran(NamedTuple):
    """What the program said. `error` is empty when there is a payload."""

    payload: bytes
    error: dict[str, Any] | None
    memory_kb: int = 0
    streamed: bool = False
    status: str = ""
    note: str = ""  # a line of the log that the function has not written


async def run(call: Call, target: Target, event: bytes, request_id: str, client_context: Any = None) -> Outcome:
    """Raises TooManyRequestsException when the function's reserved concurrency is in use, CannotRun."""
    busy = call.programs.busy
    limit = target.reserved if target.reserved is not None else call.settings.lambda_limits_concurrent_executions
    if busy[target.counted] >= limit:
        raise throttled(reserved=target.reserved is not None)
    places = [target.counted]
    provisioned = (*target.counted, target.qualifier, PROVISIONED)
    if busy[provisioned] < target.provisioned:
        places.append(provisioned)
    busy.update(places)
    try:
        return await carry_out(call, target, event, request_id, client_context, len(places) > 1)
    finally:
        busy.subtract(places)
        for place in (target.counted, provisioned):
            if not busy[place]:
                del busy[place]


async def carry_out(
    call: Call, target: Target, event: bytes, request_id: str, client_context: Any, provisioned: bool
) -> Outcome:
    begin = call.now
    try:
        environment = await environment_of(call, target, provisioned)
    except Failed as failure:
        error = {"errorType": failure.kind, "errorMessage": f"RequestId: {request_id} Error: {failure}"}
        report = Report(request_id, begin, begin, b"", failure.output, 0.0, 0, 0.0, "error", failure.kind, "")
        return finish(call, target, "", report, Ran(b"", error))
    started = monotonic()
    try:
        ran = await ask(target, environment, event, request_id, client_context)
    except BaseException:  # cancelled: the program is at work for nobody
        environment.program.end()
        raise
    seconds = monotonic() - started
    output = environment.program.take_output()
    if environment.program.code is None and ran.status != "timeout":
        call.programs.keep(environment.key, environment.program, call.settings.lambda_keepalive_ms / 1000)
    else:
        environment.program.end()
    report = Report(
        request_id,
        begin,
        begin + environment.init_seconds + seconds,
        environment.init_output,
        output,
        seconds,
        max(1, ran.memory_kb // 1024) if ran.memory_kb else 0,
        environment.init_seconds,
        ran.status,
        str((ran.error or {}).get("errorType", "")),
        ran.note,
    )
    return finish(call, target, environment.stream, report, ran)


def finish(call: Call, target: Target, stream: str, report: Report, ran: Ran) -> Outcome:
    lines = report.lines(target)
    write_later(call, target, stream, lines)
    log = "".join(text for _, text in lines)
    if ran.error is not None:
        return Outcome(json.dumps(ran.error, ensure_ascii=False).encode(), "Unhandled", log)
    return Outcome(ran.payload, "", log, ran.streamed)


def trace_of(target: Target, request_id: str) -> str:
    """The X-Ray header; a function whose tracing is active is always sampled."""
    digits = request_id.replace("-", "")
    sampled = int(target.config["TracingConfig"].get("Mode") == "Active")
    return f"Root=1-{digits[:8]}-{digits[8:32]};Parent={digits[16:32]};Sampled={sampled}"


async def ask(target: Target, environment: Environment, event: bytes, request_id: str, client_context: Any) -> Ran:
    limit = target.timeout_seconds
    invocation = {
        "request_id": request_id,
        "event": event.decode(errors="surrogateescape") or "{}",
        "limit_seconds": limit,
        "arn": target.arn,
        "client_context": client_context,
        "trace_id": trace_of(target, request_id),
    }
    try:
        answer = await environment.program.ask(json.dumps(invocation).encode(), limit)
    except TookTooLong:
        words = f"Task timed out after {limit:.2f} seconds"
        error = {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {request_id} Error: {words}"}
        return Ran(b"", error, status="timeout", note=f"{request_id} {words}\n\n")
    except Ended as end:
        message = f"RequestId: {request_id} Error: {exit_words(end.code)}"
        error = {"errorType": "Runtime.ExitError", "errorMessage": message}
        return Ran(b"", error, status="error", note=f"{message}\nRuntime.ExitError\n")
    kind, memory, text = answer.split(b" ", 2)
    if kind == b"E":
        return Ran(b"", json.loads(text), int(memory))
    if kind == b"S":
        return Ran(b64decode(text), None, int(memory), streamed=True)
    if len(text) > LARGEST_ANSWER_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER_BYTES} bytes)."
        return Ran(b"", {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}, int(memory))
    return Ran(text, None, int(memory))
