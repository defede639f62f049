"""Retry, Catch and timeouts, by the emulator's clock."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import RunningEmulator
from tests.services.stepfunctions.conftest import Machines, advance

NOWHERE = "https://sqs.us-east-1.amazonaws.com/000000000000/nowhere"
SEND = "arn:aws:states:::sqs:sendMessage"


@pytest.fixture
def slow(timed: RunningEmulator) -> Machines:
    """Machines of the emulator whose clock may be moved."""
    return Machines(timed.client("stepfunctions"))


def failing_task(**fields: Any) -> dict[str, Any]:
    """A task that fails: the queue is not there."""
    return {
        "Type": "Task",
        "Resource": SEND,
        "Parameters": {"QueueUrl": NOWHERE, "MessageBody": "x"},
        "End": True,
        **fields,
    }


def count(machines: Machines, execution: str, kind: str) -> int:
    return machines.types(execution).count(kind)


def test_wait_ends_when_the_emulators_clock_says_so(timed: RunningEmulator, slow: Machines) -> None:
    execution = slow.start(slow.make({"W": {"Type": "Wait", "Seconds": 86400, "End": True}}))
    slow.until(lambda: count(slow, execution, "WaitStateEntered"))
    advance(timed, 86000)
    assert slow.over(execution) is None
    advance(timed, 401)
    assert slow.ended(execution)["status"] == "SUCCEEDED"
    assert slow.types(execution) == ["ExecutionStarted", "WaitStateEntered", "WaitStateExited", "ExecutionSucceeded"]


def test_wait_until_a_timestamp_in_the_input(slow: Machines) -> None:
    states = {"W": {"Type": "Wait", "TimestampPath": "$.at", "End": True}}
    assert slow.output(states, {"at": "2001-01-01T00:00:00Z"}) == {"at": "2001-01-01T00:00:00Z"}
    error, cause = slow.failure(states, {"at": "tomorrow"})
    assert error == "States.Runtime"
    assert "tomorrow" in str(cause)


def test_wait_without_its_seconds_fails(slow: Machines) -> None:
    error, cause = slow.failure({"W": {"Type": "Wait", "SecondsPath": "$.n", "End": True}})
    assert error == "States.Runtime"
    assert cause == (
        "An error occurred while executing the state 'W' (entered at the event id #2). "
        "The SecondsPath parameter does not reference an input value: $.n"
    )


def test_retry_waits_longer_each_time_and_then_gives_up(timed: RunningEmulator, slow: Machines) -> None:
    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxAttempts": 2}]
    execution = slow.start(slow.make({"T": failing_task(Retry=retry)}))
    slow.until(lambda: count(slow, execution, "TaskFailed") == 1)
    advance(timed, 9)
    assert count(slow, execution, "TaskFailed") == 1
    advance(timed, 2)
    slow.until(lambda: count(slow, execution, "TaskFailed") == 2)
    advance(timed, 28)
    assert count(slow, execution, "TaskFailed") == 2
    advance(timed, 3)
    ended = slow.ended(execution)
    assert ended["status"] == "FAILED"
    assert ended["error"] == "SQS.QueueDoesNotExistException"
    assert slow.types(execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        *["TaskScheduled", "TaskStarted", "TaskFailed"] * 3,
        "ExecutionFailed",
    ]


def test_retry_is_cut_off_at_the_longest_delay(timed: RunningEmulator, slow: Machines) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "MaxDelaySeconds": 5, "MaxAttempts": 1}]
    execution = slow.start(slow.make({"T": failing_task(Retry=retry)}))
    slow.until(lambda: count(slow, execution, "TaskFailed") == 1)
    advance(timed, 6)
    assert slow.ended(execution)["status"] == "FAILED"


def test_retry_with_no_attempts_catches_at_once(slow: Machines) -> None:
    states = {
        "T": failing_task(
            Retry=[{"ErrorEquals": ["SQS.QueueDoesNotExistException"], "MaxAttempts": 0}],
            Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "C"}],
        ),
        "C": {"Type": "Pass", "InputPath": "$.error.Error", "End": True},
    }
    assert slow.output(states, {"a": 1}) == "SQS.QueueDoesNotExistException"


def test_catch_takes_only_what_it_names(slow: Machines) -> None:
    states = {
        "T": failing_task(
            Catch=[
                {"ErrorEquals": ["Other", "States.Timeout"], "Next": "No"},
                {"ErrorEquals": ["States.TaskFailed"], "Next": "Yes"},
            ]
        ),
        "No": {"Type": "Pass", "Result": "no", "End": True},
        "Yes": {"Type": "Pass", "Result": "yes", "End": True},
    }
    assert slow.output(states) == "yes"


def test_catch_does_not_take_runtime_errors(slow: Machines) -> None:
    state = failing_task(
        Parameters={"QueueUrl.$": "$.nope", "MessageBody": "x"}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    )
    error, _ = slow.failure({"T": state, "C": {"Type": "Succeed"}})
    assert error == "States.Runtime"


def test_task_that_gets_no_answer_times_out(timed: RunningEmulator, slow: Machines) -> None:
    arn = timed.client("stepfunctions").create_activity(name="nobody")["activityArn"]
    states = {
        "T": {
            "Type": "Task",
            "Resource": arn,
            "TimeoutSeconds": 30,
            "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "C"}],
            "End": True,
        },
        "C": {"Type": "Pass", "End": True},
    }
    execution = slow.start(slow.make(states))
    slow.until(lambda: count(slow, execution, "ActivityScheduled"))
    advance(timed, 31)
    assert json.loads(slow.ended(execution)["output"]) == {"Error": "States.Timeout"}
    assert "ActivityTimedOut" in slow.types(execution)


def test_execution_that_takes_too_long_times_out(timed: RunningEmulator, slow: Machines) -> None:
    definition = {
        "StartAt": "W",
        "TimeoutSeconds": 60,
        "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}},
    }
    execution = slow.start(slow.make(definition))
    slow.until(lambda: count(slow, execution, "WaitStateEntered"))
    advance(timed, 61)
    ended = slow.ended(execution)
    assert ended["status"] == "TIMED_OUT"
    assert "error" not in ended
    advance(timed, 3600)
    assert slow.types(execution) == ["ExecutionStarted", "WaitStateEntered", "ExecutionTimedOut"]


def test_output_that_is_too_large_fails_the_execution(slow: Machines) -> None:
    doubled = {"a.$": "$.a", "b.$": "$.a"}
    states: dict[str, Any] = {
        "A": {"Type": "Pass", "Parameters": doubled, "Next": "B"},
        "B": {"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}, "End": True},
    }
    error, cause = slow.failure(states, {"a": "x" * 100_000})
    assert error == "States.DataLimitExceeded"
    assert (
        cause == "The state/task 'B' returned a result with a size exceeding the maximum number of bytes service limit."
    )


def test_machine_that_never_ends_runs_into_the_limit_of_its_history(slow: Machines) -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "E"}], "Default": "A"}
    states = {"A": {"Type": "Pass", "Next": "C"}, "C": choice, "E": {"Type": "Succeed"}}
    error, cause = slow.failure(states)
    assert error == "States.Runtime"
    assert cause == "The execution reached the maximum number of history events (25000)."


def test_failing_iteration_aborts_the_others(slow: Machines) -> None:
    inner = {
        "StartAt": "C",
        "States": {
            "C": {"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "F"}], "Default": "W"},
            "F": {"Type": "Fail", "Error": "Mine"},
            "W": {"Type": "Wait", "Seconds": 9999, "End": True},
        },
    }
    execution = slow.start(slow.make({"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}), [0, 1])
    assert slow.ended(execution)["error"] == "Mine"
    types = slow.types(execution)
    assert types[-5:] == [
        "MapIterationFailed",
        "WaitStateAborted",
        "MapIterationAborted",
        "MapStateFailed",
        "ExecutionFailed",
    ]
