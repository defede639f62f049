"""Executions: starting them twice, stopping, listing, their history, redriving; express workflows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator
from tests.services.stepfunctions.conftest import Machines
from tests.services.stepfunctions.test_machines import refused

WAITING = {"W": {"Type": "Wait", "Seconds": 99999, "End": True}}
QUICK = {"A": {"Type": "Pass", "End": True}}


def test_execution_is_described(machines: Machines) -> None:
    arn = machines.make(QUICK)
    execution = machines.start(arn, {"a": 1}, name="mine")
    assert execution == arn.replace(":stateMachine:", ":execution:") + ":mine"
    found = machines.ended(execution)
    del found["ResponseMetadata"], found["startDate"], found["stopDate"]
    assert found == {
        "executionArn": execution,
        "stateMachineArn": arn,
        "name": "mine",
        "status": "SUCCEEDED",
        "input": '{"a": 1}',
        "inputDetails": {"included": True},
        "output": '{"a":1}',
        "outputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }


def test_same_name_and_input_is_the_execution_that_runs(machines: Machines) -> None:
    arn = machines.make(WAITING)
    execution = machines.start(arn, {"a": 1}, name="mine")
    assert machines.start(arn, {"a": 1}, name="mine") == execution
    with pytest.raises(ClientError) as raised:
        machines.start(arn, {"a": 2}, name="mine")
    assert raised.value.response["Error"] == {
        "Code": "ExecutionAlreadyExists",
        "Message": f"Execution Already Exists: '{execution}'",
    }
    machines.client.stop_execution(executionArn=execution)
    with pytest.raises(ClientError):
        machines.start(arn, {"a": 1}, name="mine")


def test_input_that_is_no_json(machines: Machines) -> None:
    answer = refused(machines.client.start_execution, stateMachineArn=machines.make(QUICK), input="not json")
    assert answer == (
        "InvalidExecutionInput",
        "Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting "
        "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')'",
    )


def test_execution_that_is_not_there(machines: Machines) -> None:
    arn = "arn:aws:states:us-east-1:000000000000:execution:no:such"
    gone = ("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    for call in ("describe_execution", "get_execution_history", "stop_execution", "redrive_execution"):
        assert refused(getattr(machines.client, call), executionArn=arn) == gone


def test_stopped_execution_is_aborted(machines: Machines) -> None:
    execution = machines.start(machines.make(WAITING))
    machines.until(lambda: "WaitStateEntered" in machines.types(execution))
    machines.client.stop_execution(executionArn=execution, error="Mine", cause="because")
    found = machines.ended(execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Mine", "because")
    assert machines.types(execution)[-1] == "ExecutionAborted"
    machines.client.stop_execution(executionArn=execution)
    assert machines.ended(execution)["error"] == "Mine"


def test_executions_are_listed_newest_first(machines: Machines) -> None:
    arn = machines.make(QUICK)
    made = [machines.start(arn) for _ in range(3)]
    for execution in made:
        machines.ended(execution)
    pages = machines.client.get_paginator("list_executions").paginate(
        stateMachineArn=arn, PaginationConfig={"PageSize": 2}
    )
    found = [entry["executionArn"] for page in pages for entry in page["executions"]]
    assert found == made[::-1]
    failed = machines.client.list_executions(stateMachineArn=arn, statusFilter="FAILED")["executions"]
    assert failed == []


def test_history_goes_both_ways_and_page_by_page(machines: Machines) -> None:
    execution = machines.start(machines.make(QUICK), {"secret": 1})
    machines.ended(execution)
    client = machines.client
    pages = client.get_paginator("get_execution_history").paginate(
        executionArn=execution, PaginationConfig={"PageSize": 3}
    )
    assert [event["id"] for page in pages for event in page["events"]] == [1, 2, 3, 4]
    backwards = client.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=2)
    assert [event["id"] for event in backwards["events"]] == [4, 3]
    more = client.get_execution_history(
        executionArn=execution, reverseOrder=True, maxResults=2, nextToken=backwards["nextToken"]
    )
    assert [event["id"] for event in more["events"]] == [2, 1]
    bare = client.get_execution_history(executionArn=execution, includeExecutionData=False)
    assert "secret" not in json.dumps(bare["events"], default=str)


def test_running_execution_keeps_the_definition_that_it_began_with(machines: Machines) -> None:
    arn = machines.make(WAITING)
    execution = machines.start(arn)
    machines.client.update_state_machine(stateMachineArn=arn, definition=json.dumps({"StartAt": "A", "States": QUICK}))
    found = machines.client.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(found["definition"])["States"] == WAITING
    assert (found["stateMachineArn"], found["name"]) == (arn, arn.rpartition(":")[2])


# --- redriving


def test_redriven_execution_goes_on_where_it_failed(machines: Machines, sqs: Any) -> None:
    arn = machines.make(QUICK)
    name = arn.rpartition(":")[2]
    url = f"http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/{name}"
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": url, "MessageBody": "x"},
        "ResultSelector": {"sent": True},
        "End": True,
    }
    branches = [
        {"StartAt": "S", "States": {"S": send}},
        {"StartAt": "D", "States": {"D": {"Type": "Pass", "Result": "done", "End": True}}},
    ]
    states = {
        "A": {"Type": "Pass", "Next": "P"},
        "P": {"Type": "Parallel", "Branches": branches, "End": True},
    }
    execution = machines.start(machines.make(states))
    failed = machines.ended(execution)
    assert (failed["status"], failed["redriveStatus"]) == ("FAILED", "REDRIVABLE")
    sqs.create_queue(QueueName=name)
    machines.client.redrive_execution(executionArn=execution)
    ended = machines.ended(execution)
    assert (ended["status"], ended["redriveCount"]) == ("SUCCEEDED", 1)
    assert json.loads(ended["output"]) == [{"sent": True}, "done"]
    types = machines.types(execution)
    assert types.count("ExecutionRedriven") == 1
    assert types.count("PassStateEntered") == 2
    code, message = refused(machines.client.redrive_execution, executionArn=execution)
    assert (code, message) == ("ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven")


# --- express workflows


def test_express_workflow_answers_with_its_output(machines: Machines) -> None:
    arn = machines.make(QUICK, type="EXPRESS")
    found = machines.client.start_sync_execution(stateMachineArn=arn, input='{"a": 1}', name="mine")
    assert (found["status"], found["output"], found["name"]) == ("SUCCEEDED", '{"a":1}', "mine")
    assert found["executionArn"].startswith(arn.replace(":stateMachine:", ":express:") + ":mine:")
    assert found["billingDetails"]["billedMemoryUsedInMB"] == 64
    failing = machines.make({"F": {"Type": "Fail", "Error": "Mine", "Cause": "c"}}, type="EXPRESS")
    found = machines.client.start_sync_execution(stateMachineArn=failing)
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Mine", "c")


def test_what_express_workflows_do_not_have(machines: Machines) -> None:
    arn = machines.make(QUICK, type="EXPRESS")
    execution = machines.start(arn)
    for call in ("describe_execution", "get_execution_history", "stop_execution"):
        assert refused(getattr(machines.client, call), executionArn=execution) == (
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: express'",
        )
    wrong = ("StateMachineTypeNotSupported", "This operation is not supported by this type of state machine")
    assert refused(machines.client.list_executions, stateMachineArn=arn) == wrong
    assert refused(machines.client.start_sync_execution, stateMachineArn=machines.make(QUICK)) == wrong


# --- crashes


def test_executions_survive_a_killed_emulator(start_emulator: Any) -> None:
    emulator: RunningEmulator = start_emulator(PERSISTENCE="1")
    machines = Machines(emulator.client("stepfunctions"))
    inner = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3, "End": True}}}
    states = {
        "A": {"Type": "Pass", "Assign": {"x": 5}, "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": inner, "MaxConcurrency": 2, "Next": "B"},
        "B": {"Type": "Pass", "Parameters": {"x.$": "$x", "list.$": "$"}, "End": True},
    }
    execution = machines.start(machines.make(states), [1, 2, 3])
    machines.until(lambda: machines.types(execution).count("WaitStateEntered") >= 2)
    emulator.kill()
    emulator.restart()
    assert json.loads(machines.ended(execution)["output"]) == {"x": 5, "list": [1, 2, 3]}
    types = machines.types(execution)
    assert (types.count("MapIterationStarted"), types.count("MapIterationSucceeded")) == (3, 3)
    ids = [event["id"] for event in machines.events(execution)]
    assert ids == list(range(1, len(ids) + 1))
