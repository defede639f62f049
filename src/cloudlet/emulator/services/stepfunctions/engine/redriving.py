"""RedriveExecution: an execution that failed goes on at the states where it did.

Source: Step Functions Developer Guide, "Restarting state machine executions with redrive".
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions.api import ExecutionNotRedrivable
from cloudlet.emulator.services.stepfunctions.engine.advance import ADVANCE
from cloudlet.emulator.services.stepfunctions.engine.endings import EXPIRE, announce
from cloudlet.emulator.services.stepfunctions.engine.frames import ENTER, FAILED, PARTS, Frame
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, Execution

REDRIVABLE_SECONDS = 14 * 24 * 3600.0
ENDED_BADLY = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


def refusal(execution: Execution, now: float) -> str | None:
    """Why an execution cannot be redriven."""
    if execution.type != "STANDARD":
        return "Execution is of an express workflow and cannot be redriven"
    if execution.status not in ENDED_BADLY:
        return f"Execution is {execution.status} and cannot be redriven"
    if execution.stopped_at is not None and now - execution.stopped_at > REDRIVABLE_SECONDS:
        return "Execution has exceeded the max redrivable time of 14 days"
    return None


def status_of(execution: Execution, now: float) -> str:
    if execution.map_run_arn is not None and execution.status in ENDED_BADLY:
        return "REDRIVABLE_BY_MAP_RUN"
    return "REDRIVABLE" if refusal(execution, now) is None else "NOT_REDRIVABLE"


def redrive(call: Call, execution: Execution) -> None:
    """Raises ExecutionNotRedrivable."""
    reason = refusal(execution, call.now)
    if reason is None and execution.map_run_arn is not None:
        reason = "Execution is a child of a Map Run and cannot be redriven"
    if reason is not None:
        raise ExecutionNotRedrivable(reason)
    execution = replace(
        execution,
        status="RUNNING",
        error=None,
        cause=None,
        stopped_at=None,
        redrive_count=execution.redrive_count + 1,
        redriven_at=call.now,
    )
    EXECUTIONS.put(call.tx, execution)
    run = Run(call, execution)
    number = run.event("ExecutionRedriven", run.events, {"redriveCount": execution.redrive_count})
    starting: list[int] = []
    for frame in run.frames():
        if frame.parent is None:
            resume(run, frame, number, starting)
    limit = run.machine.get("TimeoutSeconds")
    if limit is not None:
        run.later_job(EXPIRE, {"arn": run.arn}, call.now + limit, key=run.arn)
    announce(run)
    run.later_job(ADVANCE, {"arn": run.arn, "frames": starting}, run.now)
    run.save()


def resume(run: Run, frame: Frame, previous: int, starting: list[int]) -> None:
    """The frame's state is entered again; one whose parts failed goes on with those parts."""
    frame.last_event = previous
    parts = [] if frame.group is None or frame.group.kind == "run" else frame.group.active
    found = [part for part in (run.find(number) for number in parts) if part is not None and part.phase == FAILED]
    if found:
        frame.phase = PARTS
        for part in found:
            resume(run, part, previous, starting)
        return
    frame.phase = ENTER
    starting.append(frame.frame_id)
