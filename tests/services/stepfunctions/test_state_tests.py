"""TestState: states alone, inspected and mocked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.stepfunctions.conftest import ROLE, Machines
from tests.services.stepfunctions.test_machines import refused

LOOP = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueUrl", "End": True}


def tried(machines: Machines, state: dict[str, Any], given: Any = None, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = machines.client.test_state(
        definition=json.dumps(state), roleArn=ROLE, input=json.dumps({} if given is None else given), **options
    )
    del found["ResponseMetadata"]
    return found


def test_pass_state_is_inspected_step_by_step(machines: Machines) -> None:
    state = {
        "Type": "Pass",
        "InputPath": "$.a",
        "Parameters": {"x.$": "$.b"},
        "ResultPath": "$.r",
        "OutputPath": "$.r",
        "Next": "B",
    }
    assert tried(machines, state, {"a": {"b": 1}}, inspectionLevel="DEBUG") == {
        "status": "SUCCEEDED",
        "output": '{"x":1}',
        "nextState": "B",
        "inspectionData": {
            "input": '{"a":{"b":1}}',
            "afterInputPath": '{"b":1}',
            "afterParameters": '{"x":1}',
            "afterResultSelector": '{"x":1}',
            "afterResultPath": '{"a":{"b":1},"r":{"x":1}}',
        },
    }


def test_choice_and_fail(machines: Machines) -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "One"}], "Default": "Other"}
    assert tried(machines, choice, {"x": 1}) == {"status": "SUCCEEDED", "output": '{"x":1}', "nextState": "One"}
    assert tried(machines, choice, {"x": 2})["nextState"] == "Other"
    assert tried(machines, {"Type": "Fail", "Error": "E", "Cause": "c"}) == {
        "status": "FAILED",
        "error": "E",
        "cause": "c",
    }


def test_task_is_really_called(machines: Machines, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="of-a-tested-state")["QueueUrl"]
    found = tried(machines, {**TASK, "Parameters": {"QueueName": "of-a-tested-state"}})
    assert json.loads(found["output"]) == {"QueueUrl": url}
    found = tried(machines, {**TASK, "Parameters": {"QueueName": "not-there"}})
    assert (found["status"], found["error"]) == ("FAILED", "Sqs.QueueDoesNotExistException")


def test_mocked_result_takes_the_place_of_the_call(machines: Machines) -> None:
    state = {**TASK, "ResultSelector": {"u.$": "$.QueueUrl"}}
    found = tried(machines, state, mock={"result": '{"QueueUrl": "x"}'}, inspectionLevel="DEBUG")
    assert (found["status"], found["output"]) == ("SUCCEEDED", '{"u":"x"}')
    assert found["inspectionData"]["afterResultSelector"] == '{"u":"x"}'


def test_mocked_result_has_to_be_possible(machines: Machines) -> None:
    call = machines.client.test_state
    state = json.dumps(TASK)
    code, _ = refused(call, definition=state, mock={"result": '{"QueueUrl": 5}'})
    assert code == "ValidationException"
    found = tried(machines, TASK, mock={"result": '{"QueueUrl": 5}', "fieldValidationMode": "NONE"})
    assert found["status"] == "SUCCEEDED"
    assert refused(call, definition=state, mock={"result": "{}", "errorOutput": {"error": "E"}}) == (
        "ValidationException",
        "A test mock should have only one of the following fields: [result, errorOutput].",
    )
    succeed = json.dumps({"Type": "Succeed"})
    assert refused(call, definition=succeed, mock={"result": "{}"}) == (
        "ValidationException",
        "State type 'Succeed' is not supported when a mock is specified",
    )


def test_mocked_error_is_retried_caught_or_fatal(machines: Machines) -> None:
    state = {
        **TASK,
        "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["E"], "ResultPath": "$.error", "Next": "C"}],
    }
    mock = {"errorOutput": {"error": "E", "cause": "c"}}
    options: dict[str, Any] = {"mock": mock, "inspectionLevel": "DEBUG"}
    found = tried(machines, state, **options, stateConfiguration={"retrierRetryCount": 1})
    assert found["status"] == "RETRIABLE"
    assert found["inspectionData"]["errorDetails"] == {"retryIndex": 0, "retryBackoffIntervalSeconds": 6}
    found = tried(machines, state, {"a": 1}, **options, stateConfiguration={"retrierRetryCount": 2})
    assert (found["status"], found["nextState"]) == ("CAUGHT_ERROR", "C")
    assert json.loads(found["output"]) == {"a": 1, "error": {"Error": "E", "Cause": "c"}}
    assert found["inspectionData"]["errorDetails"] == {"catchIndex": 0}
    found = tried(machines, TASK, mock=mock)
    assert found == {"status": "FAILED", "error": "E", "cause": "c"}


def test_map_is_tested_with_a_mock_only(machines: Machines) -> None:
    state = {"Type": "Map", "ItemsPath": "$.list", "ItemSelector": {"v.$": "$$.Map.Item.Value"}, "End": True}
    state |= {"ItemProcessor": LOOP, "MaxConcurrency": 3}
    code, message = refused(machines.client.test_state, definition=json.dumps(state), roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert "TestState API does not support Map or Parallel states." in message
    found = tried(machines, state, {"list": [1, 2]}, mock={"result": "[5, 6]"}, inspectionLevel="DEBUG")
    assert (found["status"], found["output"]) == ("SUCCEEDED", "[5, 6]")
    assert found["inspectionData"]["afterItemsPath"] == "[1,2]"
    assert found["inspectionData"]["afterItemSelector"] == '[{"v":1},{"v":2}]'
    assert found["inspectionData"]["maxConcurrency"] == 3


def test_state_of_a_whole_machine_is_named(machines: Machines) -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}
    assert tried(machines, machine, 1, stateName="A")["nextState"] == "B"
    assert (
        refused(machines.client.test_state, definition=json.dumps(machine), stateName="X")[0] == "ValidationException"
    )


@pytest.mark.parametrize("member", ["variables", "context"])
def test_variables_and_context_may_be_given(machines: Machines, member: str) -> None:
    path = {"variables": "$v.a", "context": "$$.v.a"}[member]
    state = {"Type": "Pass", "Parameters": {"x.$": path}, "End": True}
    assert tried(machines, state, **{member: '{"v": {"a": 1}}'})["output"] == '{"x":1}'


def test_bad_state_is_refused(machines: Machines) -> None:
    code, message = refused(machines.client.test_state, definition='{"Type": "Pass"}', roleArn=ROLE)
    assert code == "InvalidDefinition"
    assert "SCHEMA_VALIDATION_FAILED" in message
