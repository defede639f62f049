"""Executions that other executions start and wait for: `states:startExecution.sync` and `.sync:2`."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions.asl.failures import TASK_FAILED
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, loads
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, Execution


def listen(call: Call, answer: dict[str, Any], waiter: list[Any]) -> Execution | None:
    """Have the started execution tell its end; the execution itself when it has ended already."""
    child = EXECUTIONS.get(call.tx, answer.get("ExecutionArn", ""))
    if child is None:
        return None
    if child.status != "RUNNING":
        return child
    EXECUTIONS.put(call.tx, replace(child, waiter=waiter))
    return None


def outcome_of(child: Execution, resource: str) -> dict[str, Any]:
    """What the task gets that waited for it."""
    whole = described(child, parsed=resource.endswith(":2"))
    if child.status == "SUCCEEDED":
        return {"result": whole}
    return {"error": TASK_FAILED, "cause": dumps(described(child, parsed=False))}


def described(child: Execution, *, parsed: bool) -> dict[str, Any]:
    """The execution as `.sync` shows it: moments in milliseconds; `.sync:2` has input and output as JSON, not as text."""
    found: dict[str, Any] = {}
    if child.cause is not None:
        found["Cause"] = child.cause
    if child.error is not None:
        found["Error"] = child.error
    found["ExecutionArn"] = child.arn
    found["Input"] = loads(child.input) if parsed else child.input
    found["InputDetails"] = {"Included": True}
    found["Name"] = child.name
    if child.output is not None:
        found["Output"] = loads(child.output) if parsed else child.output
        found["OutputDetails"] = {"Included": True}
    found["StartDate"] = int(child.started_at * 1000)
    found["StateMachineArn"] = child.machine_arn
    found["Status"] = child.status
    found["StopDate"] = int((child.stopped_at or 0) * 1000)
    return found
