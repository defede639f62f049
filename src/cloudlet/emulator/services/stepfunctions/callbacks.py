"""Task tokens: what workers and other services answer to a task that waits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.stepfunctions.api import (
    InvalidOutput,
    SendTaskFailureInput,
    SendTaskFailureOutput,
    SendTaskHeartbeatInput,
    SendTaskHeartbeatOutput,
    SendTaskSuccessInput,
    SendTaskSuccessOutput,
)
from cloudlet.emulator.services.stepfunctions.asl.json_text import complaint, loads
from cloudlet.emulator.services.stepfunctions.engine import tasks
from cloudlet.emulator.services.stepfunctions.engine.advance import continued
from cloudlet.emulator.services.stepfunctions.engine.frames import Frame
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.errors import invalid_token, task_is_gone
from cloudlet.emulator.services.stepfunctions.records import TOKENS

OURS = re.compile(r"[A-Za-z0-9]{256}")


@read_write
def send_task_success(call: Call, request: SendTaskSuccessInput) -> SendTaskSuccessOutput:
    """Raises InvalidToken, TaskTimedOut, InvalidOutput."""
    with waiting(call, request["taskToken"]) as (run, frame):
        try:
            output = loads(request["output"])
        except ValueError:
            raise InvalidOutput(f"Invalid Output: '{complaint(request['output'])}'") from None
        run.do("settle", frame, {"result": output})
    return {}


@read_write
def send_task_failure(call: Call, request: SendTaskFailureInput) -> SendTaskFailureOutput:
    """Raises InvalidToken, TaskTimedOut."""
    with waiting(call, request["taskToken"]) as (run, frame):
        run.do("settle", frame, {"error": request.get("error"), "cause": request.get("cause"), "blank": True})
    return {}


@read_write
def send_task_heartbeat(call: Call, request: SendTaskHeartbeatInput) -> SendTaskHeartbeatOutput:
    """Raises InvalidToken, TaskTimedOut."""
    with waiting(call, request["taskToken"]) as (run, frame):
        tasks.alive(run, frame)
    return {}


@contextmanager
def waiting(call: Call, text: str) -> Iterator[tuple[Run, Frame]]:
    """The task that waits for this token. Raises InvalidToken, TaskTimedOut."""
    token = TOKENS.get(call.tx, text)
    if token is None:
        raise task_is_gone() if OURS.fullmatch(text) else invalid_token()
    with continued(call, token.arn) as run:
        frame = None if run is None else run.find(token.frame_id)
        if run is None or frame is None or frame.attempt != token.attempt:
            raise task_is_gone()
        yield run, frame
