"""The end of an execution: its last event, its record, and who waits for it."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.effects.jobs import cancel_key
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps
from cloudlet.emulator.services.stepfunctions.engine import details, map_runs
from cloudlet.emulator.services.stepfunctions.engine.frames import FAILED, Frame
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.records import ACTIVITY_TASKS, TOKENS

EXPIRE = "stepfunctions.expire"
TOLD = "stepfunctions.child_ended"
ANNOUNCE = "stepfunctions.announce"


def succeed(run: Run, frame: Frame, output: Any) -> None:
    run.note(frame, "ExecutionSucceeded", details.output(output))
    end(run, "SUCCEEDED", output=dumps(output))


def fail(run: Run, frame: Frame, error: str | None, cause: str | None) -> None:
    run.note(frame, "ExecutionFailed", details.failure(error, cause))
    end(run, "FAILED", error=error, cause=cause)
    stop_frames(run)


def time_out(run: Run) -> None:
    """Its TimeoutSeconds are over."""
    error = "States.Timeout"
    run.event("ExecutionTimedOut", last_event(run), details.failure(error, None))
    end(run, "TIMED_OUT")
    stop_frames(run)


def abort(run: Run, error: str | None, cause: str | None) -> None:
    """StopExecution."""
    run.event("ExecutionAborted", 0, details.failure(error, cause))
    end(run, "ABORTED", error=error, cause=cause)
    stop_frames(run)


def last_event(run: Run) -> int:
    """The last event of the execution's own thread, else of any."""
    return max((frame.last_event for frame in run.frames()), default=run.events)


def end(run: Run, status: str, **members: Any) -> None:
    run.todo.clear()
    run.later.clear()
    run.change(status=status, stopped_at=run.now, **members)
    cancel_key(run.tx, EXPIRE, run.arn)
    if run.execution.waiter is not None:
        run.later_job(TOLD, {"waiter": run.execution.waiter, "child": run.arn}, run.now)
    announce(run)


def announce(run: Run) -> None:
    """EventBridge gets a "Step Functions Execution Status Change"; express workflows send none."""
    if run.execution.type == "STANDARD" and run.execution.map_run_arn is None:
        run.later_job(ANNOUNCE, {"arn": run.arn, "status": run.execution.status}, run.now)


def stop_frames(run: Run) -> None:
    """Nothing that comes later is meant for them any more. They stay, for RedriveExecution."""
    for frame in run.frames():
        frame.phase = FAILED
        frame.attempt += 1
        if frame.group is not None and frame.group.kind == "run":
            map_runs.stop(run, frame.group, "ABORTED")
        if frame.task is not None and frame.task.token:
            TOKENS.delete(run.tx, frame.task.token)
            waiting = ACTIVITY_TASKS.find(run.tx, "by_token", frame.task.token)
            if waiting is not None:
                ACTIVITY_TASKS.delete(run.tx, waiting.activity_arn, waiting.scheduled_at, waiting.token)
