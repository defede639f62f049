"""What others are told of an execution: EventBridge of its status, CloudWatch Logs of its history."""

from __future__ import annotations

import re
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.stepfunctions.asl import timestamps
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, loads
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, Execution

EXISTS = "ResourceAlreadyExistsException"
FAILURES = re.compile(r".*(Failed|TimedOut|Aborted)")
ENDS = re.compile(r"Execution(Failed|TimedOut|Aborted)")
DATA = frozenset({"input", "output", "inputDetails", "outputDetails", "parameters", "assignedVariables"})


async def announce(call: Call, payload: dict[str, Any]) -> None:
    """A "Step Functions Execution Status Change" event."""
    with call.transaction(read_only=True) as tx:
        execution = EXECUTIONS.get(tx, payload["arn"])
    if execution is None:
        return
    entry = {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Detail": dumps(status_change(execution, payload["status"])),
        "Resources": [execution.arn],
    }
    try:
        await call.reach("events", "PutEvents", {"Entries": [entry]})
    except AwsError:
        return  # nobody can be told: events are sent once, if at all


def status_change(execution: Execution, status: str) -> dict[str, Any]:
    """The event's detail ("Automating Step Functions event delivery with EventBridge")."""
    over = status != "RUNNING"
    whole = status in ("RUNNING", "SUCCEEDED")
    included = {"included": True}
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": int(execution.started_at * 1000),
        "stopDate": int((execution.stopped_at or 0) * 1000) if over else None,
        "input": execution.input,
        "output": execution.output if over else None,
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        "redriveCount": execution.redrive_count,
        "redriveDate": None if execution.redriven_at is None else int(execution.redriven_at * 1000),
        "redriveStatus": "NOT_REDRIVABLE" if whole else "REDRIVABLE",
        "redriveStatusReason": f"Execution is {status} and cannot be redriven" if whole else None,
        "inputDetails": included,
        "outputDetails": included if over and execution.output is not None else None,
        "error": execution.error if over else None,
        "cause": execution.cause if over else None,
    }


async def log(call: Call, payload: dict[str, Any]) -> None:
    """Events of the history, as the machine's logging configuration wants them."""
    with call.transaction(read_only=True) as tx:
        execution = EXECUTIONS.get(tx, payload["arn"])
    if execution is None or execution.logging is None:
        return
    level, whole = execution.logging.get("level", "OFF"), bool(execution.logging.get("includeExecutionData"))
    chosen = [event for event in loads(payload["events"]) if is_logged(level, event["type"])]
    lines = [
        {"timestamp": int(event["at"] * 1000), "message": dumps(line(execution, event, whole))} for event in chosen
    ]
    if not lines:
        return
    for destination in execution.logging.get("destinations", ()):
        arn = destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
        group = arn.partition(":log-group:")[2].removesuffix(":*")
        if group:
            await write(call, group, stream_of(execution), lines)


def is_logged(level: str, kind: str) -> bool:
    if level == "ALL":
        return True
    if level == "ERROR":
        return FAILURES.fullmatch(kind) is not None or kind in ("EvaluationFailed", "FailStateEntered")
    return level == "FATAL" and ENDS.fullmatch(kind) is not None


def stream_of(execution: Execution) -> str:
    day = timestamps.written(execution.started_at)[:16].replace("T", "-").replace(":", "-")
    return f"states/{execution.machine}/{day}/{execution.name[-8:]}"


def line(execution: Execution, event: dict[str, Any], whole: bool) -> dict[str, Any]:
    details = {name: value for name, value in event["details"].items() if whole or name not in DATA}
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event["previous"]),
        "event_timestamp": str(int(event["at"] * 1000)),
        "execution_arn": execution.arn,
        "redrive_count": str(execution.redrive_count),
    }


async def write(call: Call, group: str, stream: str, lines: list[dict[str, Any]]) -> None:
    """A log group that is gone takes nothing, as on AWS."""
    try:
        await call.reach("logs", "CreateLogStream", {"logGroupName": group, "logStreamName": stream})
    except AwsError as error:
        if error.code != EXISTS:
            return
    request = {"logGroupName": group, "logStreamName": stream, "logEvents": lines}
    try:
        await call.reach("logs", "PutLogEvents", request)
    except AwsError:
        return
