"""What EventBridge and CloudWatch Logs are told of executions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import RunningEmulator
from tests.services.stepfunctions.conftest import Machines

STATES = {"A": {"Type": "Pass", "Result": "secret", "Next": "F"}, "F": {"Type": "Fail", "Error": "Mine", "Cause": "c"}}


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        ("ALL", ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered", "ExecutionFailed"]),
        ("FATAL", ["ExecutionFailed"]),
    ],
)
def test_history_is_logged(machines: Machines, emulator: RunningEmulator, level: str, wanted: list[str]) -> None:
    logs = emulator.client("logs")
    group = f"/states/{machines.make({'A': {'Type': 'Succeed'}}).rpartition(':')[2]}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    logging = {
        "level": level,
        "includeExecutionData": False,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }
    execution = machines.start(machines.make(STATES, loggingConfiguration=logging), {"a": 1})

    def lines() -> list[dict[str, Any]]:
        found = logs.filter_log_events(logGroupName=group)["events"]
        return sorted((json.loads(event["message"]) for event in found), key=lambda line: int(line["id"]))

    machines.until(lambda: len(lines()) == len(wanted))
    assert [line["type"] for line in lines()] == wanted
    assert lines()[-1]["details"] == {"error": "Mine", "cause": "c"}
    assert all(line["execution_arn"] == execution for line in lines())
    assert "secret" not in json.dumps(lines())


def test_express_workflow_is_logged_too(machines: Machines, emulator: RunningEmulator) -> None:
    logs = emulator.client("logs")
    group = f"/states/{machines.make({'A': {'Type': 'Succeed'}}).rpartition(':')[2]}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    logging = {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }
    machine = machines.make({"A": {"Type": "Succeed"}}, type="EXPRESS", loggingConfiguration=logging)
    machines.client.start_sync_execution(stateMachineArn=machine, input='{"a":1}')
    machines.until(lambda: len(logs.filter_log_events(logGroupName=group)["events"]) == 4)


def test_rule_gets_the_status_of_executions(machines: Machines, emulator: RunningEmulator, sqs: Any) -> None:
    machine = machines.make({"A": {"Type": "Succeed"}})
    name = machine.rpartition(":")[2]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    target = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    events = emulator.client("events")
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target}])
    execution = machines.start(machine, {"a": 1})
    machines.ended(execution)
    found: list[dict[str, Any]] = []

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            found.append(json.loads(message["Body"]))
        return len(found) >= 2

    machines.until(both)
    assert {event["detail-type"] for event in found} == {"Step Functions Execution Status Change"}
    details = {event["detail"]["status"]: event["detail"] for event in found}
    assert set(details) == {"RUNNING", "SUCCEEDED"}
    assert details["SUCCEEDED"]["executionArn"] == execution
    assert details["SUCCEEDED"]["output"] == '{"a":1}'
    assert details["RUNNING"]["stopDate"] is None
