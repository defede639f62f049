"""Details of history events: the members that several kinds of events share."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps

WHOLE = ("truncated", False)


def entered(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "input": dumps(value), "inputDetails": dict([WHOLE])}


def exited(name: str, value: Any, assigned: dict[str, Any] | None) -> dict[str, Any]:
    found = {"name": name, "output": dumps(value), "outputDetails": dict([WHOLE])}
    if assigned:
        found["assignedVariables"] = {key: dumps(item) for key, item in assigned.items()}
        found["assignedVariablesDetails"] = dict([WHOLE])
    return found


def output(value: Any) -> dict[str, Any]:
    return {"output": dumps(value), "outputDetails": dict([WHOLE])}


def failure(error: str | None, cause: str | None) -> dict[str, Any]:
    """Members that are not there are left out. AWS cuts causes off at 32,768 characters."""
    found = {}
    if error is not None:
        found["error"] = error[:256]
    if cause is not None:
        found["cause"] = cause[:32768]
    return found
