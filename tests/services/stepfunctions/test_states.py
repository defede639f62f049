"""Each type of state: what it makes of its input, and the events that it leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.stepfunctions.conftest import Machines


def test_pass_hands_its_input_on(machines: Machines) -> None:
    assert machines.output({"A": {"Type": "Pass", "End": True}}, {"a": [1, None, 1.5, "x"]}) == {
        "a": [1, None, 1.5, "x"]
    }


def test_pass_puts_its_result_where_result_path_says(machines: Machines) -> None:
    state = {"Type": "Pass", "Result": {"x": 1}, "ResultPath": "$.b.c", "OutputPath": "$.b", "End": True}
    assert machines.output({"A": state}, {"a": 0}) == {"c": {"x": 1}}


def test_result_path_null_drops_the_result(machines: Machines) -> None:
    assert machines.output({"A": {"Type": "Pass", "Result": 5, "ResultPath": None, "End": True}}, {"a": 0}) == {"a": 0}


def test_parameters_are_a_template(machines: Machines) -> None:
    parameters = {
        "plain": "$.a",
        "path.$": "$.a",
        "list": [{"x.$": "$.b[0]"}],
        "name.$": "$$.State.Name",
        "made.$": "States.Format('{}-{}', $.a, $.b[1])",
    }
    state = {"Type": "Pass", "Parameters": parameters, "End": True}
    wanted = {"plain": "$.a", "path": 7, "list": [{"x": 1}], "name": "A", "made": "7-two"}
    assert machines.output({"A": state}, {"a": 7, "b": [1, "two"]}) == wanted


def test_history_of_two_states_event_by_event(machines: Machines) -> None:
    arn = machines.make({"A": {"Type": "Pass", "Result": 1, "Next": "B"}, "B": {"Type": "Succeed"}})
    execution = machines.start(arn, {"k": "v"})
    machines.ended(execution)
    whole = {"truncated": False}
    events = [
        {key: value for key, value in event.items() if key != "timestamp"} for event in machines.events(execution)
    ]
    assert events == [
        {
            "type": "ExecutionStarted",
            "id": 1,
            "previousEventId": 0,
            "executionStartedEventDetails": {
                "input": '{"k": "v"}',
                "inputDetails": whole,
                "roleArn": "arn:aws:iam::000000000000:role/states",
            },
        },
        {
            "type": "PassStateEntered",
            "id": 2,
            "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "A", "input": '{"k":"v"}', "inputDetails": whole},
        },
        {
            "type": "PassStateExited",
            "id": 3,
            "previousEventId": 2,
            "stateExitedEventDetails": {"name": "A", "output": "1", "outputDetails": whole},
        },
        {
            "type": "SucceedStateEntered",
            "id": 4,
            "previousEventId": 3,
            "stateEnteredEventDetails": {"name": "B", "input": "1", "inputDetails": whole},
        },
        {
            "type": "SucceedStateExited",
            "id": 5,
            "previousEventId": 4,
            "stateExitedEventDetails": {"name": "B", "output": "1", "outputDetails": whole},
        },
        {
            "type": "ExecutionSucceeded",
            "id": 6,
            "previousEventId": 5,
            "executionSucceededEventDetails": {"output": "1", "outputDetails": whole},
        },
    ]


@pytest.mark.parametrize(
    ("rule", "given", "way"),
    [
        ({"Variable": "$.x", "NumericEquals": 1}, {"x": 1}, "yes"),
        ({"Variable": "$.x", "NumericEquals": 1}, {"x": 1.0}, "yes"),
        ({"Variable": "$.x", "NumericEquals": 1}, {"x": "1"}, "no"),
        ({"Variable": "$.x", "NumericEquals": 1}, {"x": True}, "no"),
        ({"Variable": "$.x", "NumericLessThanPath": "$.y"}, {"x": 1, "y": 2}, "yes"),
        ({"Variable": "$.x", "NumericGreaterThanEquals": 2}, {"x": 2}, "yes"),
        ({"Variable": "$.x", "StringEquals": "a"}, {"x": "a"}, "yes"),
        ({"Variable": "$.x", "StringLessThan": "b"}, {"x": "a"}, "yes"),
        ({"Variable": "$.x", "StringMatches": "log-*.txt"}, {"x": "log-1.txt"}, "yes"),
        ({"Variable": "$.x", "StringMatches": "a\\*b"}, {"x": "a*b"}, "yes"),
        ({"Variable": "$.x", "StringMatches": "a\\*b"}, {"x": "axb"}, "no"),
        ({"Variable": "$.x", "BooleanEquals": False}, {"x": False}, "yes"),
        ({"Variable": "$.x", "TimestampLessThan": "2020-01-01T00:00:00+01:00"}, {"x": "2019-12-31T22:59:59Z"}, "yes"),
        ({"Variable": "$.x", "IsPresent": True}, {}, "no"),
        ({"Variable": "$.x", "IsPresent": False}, {}, "yes"),
        ({"Variable": "$.x", "IsNull": True}, {"x": None}, "yes"),
        ({"Variable": "$.x", "IsTimestamp": True}, {"x": "2020-01-01t00:00:00z"}, "no"),
        ({"Variable": "$.x", "IsNumeric": True}, {"x": True}, "no"),
        ({"And": [{"Variable": "$.x", "IsPresent": True}, {"Variable": "$.x", "IsString": True}]}, {"x": 1}, "no"),
        ({"Or": [{"Variable": "$.x", "IsNull": True}, {"Variable": "$.x", "IsNumeric": True}]}, {"x": 1}, "yes"),
        ({"Not": {"Variable": "$.x", "StringEquals": "a"}}, {"x": "b"}, "yes"),
    ],
)
def test_choice_takes_the_rule_that_holds(machines: Machines, rule: dict[str, Any], given: Any, way: str) -> None:
    states = {
        "A": {"Type": "Choice", "Choices": [{**rule, "Next": "Y"}], "Default": "N"},
        "Y": {"Type": "Pass", "Result": "yes", "End": True},
        "N": {"Type": "Pass", "Result": "no", "End": True},
    }
    assert machines.output(states, given) == way


def test_choice_without_a_rule_that_holds_fails(machines: Machines) -> None:
    states = {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.x", "NumericEquals": 1, "Next": "B"}]},
        "B": {"Type": "Succeed"},
    }
    error, cause = machines.failure(states, {"x": 2})
    assert error == "States.NoChoiceMatched"
    assert str(cause).startswith("An error occurred while executing the state 'A' (entered at the event id #2).")


def test_fail_names_its_error_and_cause(machines: Machines) -> None:
    arn = machines.make({"A": {"Type": "Fail", "Error": "Mine", "Cause": "because"}})
    execution = machines.start(arn)
    ended = machines.ended(execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "Mine", "because")
    assert machines.types(execution) == ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]
    assert "output" not in ended


def test_fail_takes_error_and_cause_from_paths(machines: Machines) -> None:
    state = {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{} times', $.n)"}
    assert machines.failure({"A": state}, {"e": "Mine", "n": 3}) == ("Mine", "3 times")


def test_path_that_leads_nowhere_names_field_and_input(machines: Machines) -> None:
    state = {"Type": "Pass", "Parameters": {"x.$": "$.nope"}, "End": True}
    assert machines.failure({"A": state}, {"a": 1}) == (
        "States.Runtime",
        "An error occurred while executing the state 'A' (entered at the event id #2). The JSONPath '$.nope' specified "
        "for the field 'x.$' could not be found in the input '{\"a\":1}'",
    )


def test_parallel_gives_the_outputs_in_the_order_of_the_branches(machines: Machines) -> None:
    branches = [{"StartAt": f"B{n}", "States": {f"B{n}": {"Type": "Pass", "Result": n, "End": True}}} for n in range(3)]
    assert machines.output({"P": {"Type": "Parallel", "Branches": branches, "End": True}}) == [0, 1, 2]


def test_failing_branch_fails_the_parallel(machines: Machines) -> None:
    branches = [
        {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Mine", "Cause": "c"}}},
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": True}}},
    ]
    catch = [{"ErrorEquals": ["Mine"], "ResultPath": "$.error", "Next": "C"}]
    states = {
        "P": {"Type": "Parallel", "Branches": branches, "Catch": catch, "End": True},
        "C": {"Type": "Pass", "End": True},
    }
    assert machines.output(states, {"a": 1}) == {"a": 1, "error": {"Error": "Mine", "Cause": "c"}}


def test_map_runs_its_processor_for_each_item(machines: Machines) -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    selector = {"index.$": "$$.Map.Item.Index", "value.$": "$$.Map.Item.Value", "shared.$": "$.s"}
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemSelector": selector, "ItemProcessor": inner, "End": True}
    wanted = [{"index": n, "value": value, "shared": "x"} for n, value in enumerate(["a", "b"])]
    assert machines.output({"M": state}, {"items": ["a", "b"], "s": "x"}) == wanted


def test_map_over_nothing_gives_nothing(machines: Machines) -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    assert machines.output({"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}, []) == []


def test_maps_nest_and_keep_to_their_concurrency(machines: Machines) -> None:
    innermost = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}
    nested = {"Type": "Map", "ItemProcessor": innermost, "MaxConcurrency": 1, "End": True}
    outer = {"StartAt": "N", "States": {"N": nested}}
    arn = machines.make({"M": {"Type": "Map", "ItemProcessor": outer, "MaxConcurrency": 2, "End": True}})
    execution = machines.start(arn, [[1, 2], [], [3]])
    assert json.loads(machines.ended(execution)["output"]) == [[1, 2], [], [3]]
    assert machines.types(execution).count("MapIterationStarted") == 6


def test_variables_are_seen_by_later_states_and_inside_of_maps(machines: Machines) -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Parameters": {"v.$": "$x", "i.$": "$"}, "End": True}}}
    states = {
        "A": {"Type": "Pass", "Assign": {"x.$": "$.n", "y": 1}, "Next": "M"},
        "M": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": inner, "End": True},
    }
    assert machines.output(states, {"n": 5, "items": [1]}) == [{"v": 5, "i": 1}]
