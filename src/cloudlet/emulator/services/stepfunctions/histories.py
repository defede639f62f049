"""The history of an execution."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.stepfunctions.api import GetExecutionHistoryInput, GetExecutionHistoryOutput
from cloudlet.emulator.services.stepfunctions.errors import invalid_token
from cloudlet.emulator.services.stepfunctions.lookup import execution_by_arn
from cloudlet.emulator.services.stepfunctions.paging import limit_of, position_of, token_of
from cloudlet.emulator.services.stepfunctions.records import EVENTS, Event

DATA = frozenset({"input", "inputDetails", "output", "outputDetails", "parameters", "assignedVariables"})


@read_only
def get_execution_history(call: Call, request: GetExecutionHistoryInput) -> GetExecutionHistoryOutput:
    """Raises ExecutionDoesNotExist, InvalidArn, InvalidToken."""
    execution = execution_by_arn(call, request["executionArn"])
    backwards = request.get("reverseOrder", False)
    limit = limit_of(dict(request))
    after = None
    if request.get("nextToken"):
        after = position_of(request["nextToken"])
        if not isinstance(after, int):
            raise invalid_token()
    found = list(
        EVENTS.scan(
            call.tx,
            execution.arn,
            after=None if after is None else (after,),
            reverse=backwards,
            limit=limit + 1,
        )
    )
    whole = request.get("includeExecutionData", True)
    result: GetExecutionHistoryOutput = {"events": [shown(event, whole) for event in found[:limit]]}
    if len(found) > limit:
        result["nextToken"] = token_of(found[limit - 1].event_id)
    return result


def shown(event: Event, whole: bool) -> Any:
    entry: dict[str, Any] = {
        "timestamp": event.timestamp,
        "type": event.type,
        "id": event.event_id,
        "previousEventId": event.previous_id,
    }
    if event.details is not None:
        details = event.details
        if not whole:
            details = {name: value for name, value in details.items() if name not in DATA}
        entry[member_of(event.type)] = details
    return entry


def member_of(kind: str) -> str:
    """The member that holds an event's details."""
    if kind.endswith("StateEntered"):
        return "stateEnteredEventDetails"
    if kind.endswith("StateExited"):
        return "stateExitedEventDetails"
    return f"{kind[:1].lower()}{kind[1:]}EventDetails"
