"""The beginning of an execution."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions.asl.json_text import loads
from cloudlet.emulator.services.stepfunctions.engine.advance import ADVANCE, drive
from cloudlet.emulator.services.stepfunctions.engine.details import WHOLE
from cloudlet.emulator.services.stepfunctions.engine.endings import EXPIRE, announce
from cloudlet.emulator.services.stepfunctions.engine.run import Run
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, Execution


def begin(call: Call, execution: Execution, *, at_once: bool = False) -> None:
    """Write it down, in the transaction that is open; a job takes its first step, or `at_once` this transaction."""
    EXECUTIONS.put(call.tx, execution)
    run = Run(call, execution)
    run.event("ExecutionStarted", 0, started(execution))
    frame = run.new_frame(None, 0, [], loads(execution.input), 0)
    limit = run.machine.get("TimeoutSeconds")
    if limit is not None:
        run.later_job(EXPIRE, {"arn": run.arn}, execution.started_at + limit, key=run.arn)
    announce(run)
    if at_once:
        run.do("enter", frame)
        drive(run)
        return
    run.later_job(ADVANCE, {"arn": run.arn, "frames": [frame.frame_id]}, run.now)
    run.save()


def started(execution: Execution) -> dict[str, Any]:
    found: dict[str, Any] = {
        "input": execution.input,
        "inputDetails": dict([WHOLE]),
        "roleArn": execution.role_arn,
    }
    if execution.alias_arn:
        found["stateMachineAliasArn"] = execution.alias_arn
    if execution.version_arn:
        found["stateMachineVersionArn"] = execution.version_arn
    return found
