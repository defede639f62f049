"""Machines in JSONata."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.services.stepfunctions.conftest import Machines


def jsonata(**states: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}


def test_output_and_assign(machines: Machines) -> None:
    definition = jsonata(
        A={
            "Type": "Pass",
            "Assign": {"n": "{% $states.input.a * 2 %}", "plain": "$x"},
            "Output": {"sum": "{% $sum($states.input.list) %}", "keep": ["{% $states.context.State.Name %}"]},
            "Next": "B",
        },
        B={"Type": "Pass", "Output": "{% {'in': $states.input, 'n': $n, 'plain': $plain} %}", "End": True},
    )
    wanted = {"in": {"sum": 6, "keep": ["A"]}, "n": 8, "plain": "$x"}
    assert machines.output(definition, {"a": 4, "list": [1, 2, 3]}) == wanted


def test_choice_by_a_condition(machines: Machines) -> None:
    definition = jsonata(
        C={
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $states.input.n > 5 %}", "Next": "Big", "Assign": {"kind": "big"}},
                {"Condition": "{% $states.input.n > 2 %}", "Next": "Big", "Output": {"kind": "middle"}},
            ],
            "Default": "Small",
        },
        Big={"Type": "Pass", "Output": "{% $exists($kind) ? $kind : $states.input.kind %}", "End": True},
        Small={"Type": "Succeed", "Output": "small"},
    )
    assert [machines.output(definition, {"n": n}) for n in (6, 3, 1)] == ["big", "middle", "small"]


def test_map_over_items_of_an_expression(machines: Machines) -> None:
    inner = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Output": "{% $states.input.v * $f %}", "End": True}}}
    definition = jsonata(
        A={"Type": "Pass", "Assign": {"f": 10}, "Next": "M"},
        M={
            "Type": "Map",
            "Items": "{% $states.input.list %}",
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
            "MaxConcurrency": "{% $states.input.most %}",
            "ItemProcessor": inner,
            "Output": "{% $states.result %}",
            "End": True,
        },
    )
    assert machines.output(definition, {"list": [1, 2, 3], "most": 1}) == [10, 20, 30]


def test_wait_for_computed_seconds(machines: Machines) -> None:
    assert machines.output(jsonata(W={"Type": "Wait", "Seconds": "{% 1 - 1 %}", "End": True}), {"a": 1}) == {"a": 1}


def test_expression_without_a_value_fails_with_the_name_of_its_field(machines: Machines) -> None:
    arn = machines.make(jsonata(A={"Type": "Pass", "Output": {"x": "{% $states.input.nope %}"}, "End": True}))
    execution = machines.start(arn)
    ended = machines.ended(execution)
    assert ended["error"] == "States.QueryEvaluationError"
    event = next(event for event in machines.events(execution) if event["type"] == "EvaluationFailed")
    assert event["evaluationFailedEventDetails"] == {
        "error": "States.QueryEvaluationError",
        "cause": ended["cause"],
        "location": "Output/x",
        "state": "A",
    }
    assert ended["cause"] == (
        "An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression "
        "'$states.input.nope' specified for the field 'Output/x' returned nothing (undefined)."
    )


def test_failure_is_caught_with_its_error_output(machines: Machines) -> None:
    definition = jsonata(
        T={
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:describeTable",
            "Arguments": {"TableName": "{% $states.input.name %}"},
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Assign": {"e": "{% $states.errorOutput.Error %}"},
                    "Output": "{% $states.input %}",
                    "Next": "C",
                }
            ],
            "End": True,
        },
        C={"Type": "Pass", "Output": "{% [$e, $states.input.name] %}", "End": True},
    )
    assert machines.output(definition, {"name": "nowhere"}) == ["DynamoDb.ResourceNotFoundException", "nowhere"]


def test_fail_with_computed_error(machines: Machines) -> None:
    definition = jsonata(F={"Type": "Fail", "Error": "{% 'E' & $states.input.n %}", "Cause": "plain"})
    assert machines.failure(definition, {"n": 1}) == ("E1", "plain")


@pytest.mark.parametrize("language", ["JSONata", "JSONPath"])
def test_languages_mix(machines: Machines, language: str) -> None:
    other = {
        "JSONata": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input.a & $v %}", "End": True},
        "JSONPath": {
            "Type": "Pass",
            "Parameters": {"x.$": "States.Format('{}{}', $.a, $v)"},
            "OutputPath": "$.x",
            "End": True,
        },
    }[language]
    states = {"A": {"Type": "Pass", "Assign": {"v.$": "$.b"}, "Next": "B"}, "B": other}
    assert machines.output(states, {"a": "1", "b": "2"}) == "12"


def test_references_to_variables_are_described(machines: Machines) -> None:
    definition = jsonata(
        A={"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
        B={"Type": "Pass", "Output": "{% ($own := 1; $x + $own + $sum([$y])) %}", "End": True},
    )
    found = machines.client.describe_state_machine(stateMachineArn=machines.make(definition))
    assert found["variableReferences"] == {"B": ["x", "y"]}
    assert json.loads(found["definition"]) == definition
