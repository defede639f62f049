"""State machines: making, changing, describing, validating; their tags, versions and aliases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.stepfunctions.conftest import ROLE, Machines

GOOD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
OTHER = {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_machine_is_described_as_it_was_made(machines: Machines) -> None:
    arn = machines.make(GOOD, type="EXPRESS", tags=[{"key": "k", "value": "v"}])
    found = machines.client.describe_state_machine(stateMachineArn=arn)
    assert found["name"] == arn.rpartition(":")[2]
    assert (found["status"], found["type"], found["roleArn"]) == ("ACTIVE", "EXPRESS", ROLE)
    assert json.loads(found["definition"]) == GOOD
    assert found["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}
    assert found["tracingConfiguration"] == {"enabled": False}
    assert machines.client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "k", "value": "v"}]


def test_making_the_same_again_changes_nothing(machines: Machines) -> None:
    client = machines.client
    arn = machines.make(GOOD)
    name = arn.rpartition(":")[2]
    again = client.create_state_machine(name=name, definition=json.dumps(GOOD), roleArn=ROLE)
    assert again["stateMachineArn"] == arn
    assert refused(client.create_state_machine, name=name, definition=json.dumps(OTHER), roleArn=ROLE) == (
        "StateMachineAlreadyExists",
        f"State Machine Already Exists: '{arn}'",
    )


@pytest.mark.parametrize("name", ["a b", "a*", "a/b", "a\x07"])
def test_name_with_forbidden_characters(machines: Machines, name: str) -> None:
    answer = refused(machines.client.create_state_machine, name=name, definition=json.dumps(GOOD), roleArn=ROLE)
    assert answer == ("InvalidName", f"Invalid Name: '{name}'")


def test_deleted_machine_is_gone_and_may_be_deleted_again(machines: Machines) -> None:
    arn = machines.make(GOOD)
    machines.client.delete_state_machine(stateMachineArn=arn)
    machines.client.delete_state_machine(stateMachineArn=arn)
    gone = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    assert refused(machines.client.describe_state_machine, stateMachineArn=arn) == gone
    assert refused(machines.client.start_execution, stateMachineArn=arn) == gone
    assert refused(machines.client.update_state_machine, stateMachineArn=arn, roleArn=ROLE) == gone


def test_arn_that_is_none(machines: Machines) -> None:
    answer = refused(machines.client.describe_state_machine, stateMachineArn="nonsense")
    assert answer == ("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nonsense'")
    wrong = "arn:aws:states:us-east-1:000000000000:activity:x"
    answer = refused(machines.client.describe_state_machine, stateMachineArn=wrong)
    assert answer == ("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: activity'")


def test_update_gives_a_new_revision(machines: Machines) -> None:
    client = machines.client
    arn = machines.make(GOOD)
    assert "revisionId" not in client.describe_state_machine(stateMachineArn=arn)
    first = client.update_state_machine(stateMachineArn=arn, definition=json.dumps(OTHER))
    found = client.describe_state_machine(stateMachineArn=arn)
    assert found["revisionId"] == first["revisionId"]
    assert json.loads(found["definition"]) == OTHER
    same = client.update_state_machine(stateMachineArn=arn, definition=json.dumps(OTHER))
    assert same["revisionId"] == first["revisionId"]
    assert refused(client.update_state_machine, stateMachineArn=arn)[0] == "MissingRequiredParameter"


def test_machines_are_listed_page_by_page(machines: Machines) -> None:
    made = {machines.make(GOOD) for _ in range(3)}
    found: list[str] = []
    pages = machines.client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
    for page in pages:
        assert len(page["stateMachines"]) <= 2
        found += [entry["stateMachineArn"] for entry in page["stateMachines"]]
    assert made <= set(found)
    assert len(found) == len(set(found))
    answer = refused(machines.client.list_state_machines, nextToken="nonsense")
    assert answer == ("InvalidToken", "Invalid Token: 'Invalid token'")


def test_tags_are_added_and_removed(machines: Machines) -> None:
    client = machines.client
    arn = machines.make(GOOD)
    client.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    client.untag_resource(resourceArn=arn, tagKeys=["a", "nope"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    gone = arn + "-gone"
    assert refused(client.tag_resource, resourceArn=gone, tags=[]) == (
        "ResourceNotFound",
        f"Resource not found: '{gone}'",
    )


# --- definitions


@pytest.mark.parametrize(
    ("definition", "complaints"),
    [
        (
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "C"}, "B": {"Type": "Pass", "End": True}}},
            [
                ("MISSING_TRANSITION_TARGET", "Missing 'Next' target: C", "/States/A/Next"),
                ("MISSING_TRANSITION_TARGET", 'State "B" is not reachable.', "/States/B"),
            ],
        ),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}},
            [("MISSING_END_STATE", "Workflow has no terminal state", None)],
        ),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "TimeoutSeconds": 1, "End": True}}},
            [("SCHEMA_VALIDATION_FAILED", "Field 'TimeoutSeconds' is not supported", "/States/A")],
        ),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Parameters": {"x": {"y.$": "z"}}, "End": True}}},
            [
                (
                    "SCHEMA_VALIDATION_FAILED",
                    "The value for the field 'y.$' must be a valid JSONPath or a valid intrinsic function call",
                    "/States/A/Parameters/x",
                )
            ],
        ),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Output": 1, "End": True}}},
            [
                (
                    "SCHEMA_VALIDATION_FAILED",
                    "The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' "
                    "QueryLanguage",
                    "/States/A",
                )
            ],
        ),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "nonsense", "End": True}}},
            [
                (
                    "SCHEMA_VALIDATION_FAILED",
                    "The resource provided nonsense is not recognized. The value is not a valid resource ARN, or the "
                    "resource is not available in this region.",
                    "/States/A/Resource",
                )
            ],
        ),
        (
            {"StartAt": "A", "States": {"A": {"Type": "Task", "End": True}}},
            [("SCHEMA_VALIDATION_FAILED", "These fields are required: [Resource]", "/States/A")],
        ),
    ],
)
def test_bad_definition_is_diagnosed_and_refused(
    machines: Machines, definition: dict[str, Any], complaints: list[tuple[str, str, str | None]]
) -> None:
    text = json.dumps(definition)
    found = machines.client.validate_state_machine_definition(definition=text)
    assert found["result"] == "FAIL"
    assert [(one["code"], one["message"], one.get("location")) for one in found["diagnostics"]] == complaints
    code, message = refused(machines.client.create_state_machine, name="bad", definition=text, roleArn=ROLE)
    told = ", ".join(f"{kind}: {words} at {place or 'null'}" for kind, words, place in complaints)
    assert (code, message) == ("InvalidDefinition", f"Invalid State Machine Definition: '{told}'")


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Nope", "End": True},
        {"Type": "Pass"},
        {"Type": "Pass", "Next": "A", "End": True},
        {"Type": "Pass", "InputPath": "a.b", "End": True},
        {"Type": "Pass", "ResultPath": "$.a[*]", "End": True},
        {"Type": "Wait", "Seconds": 1, "Timestamp": "2020-01-01T00:00:00Z", "End": True},
        {"Type": "Wait", "Seconds": -1, "End": True},
        {"Type": "Choice", "Choices": []},
        {"Type": "Choice", "Choices": [{"Variable": "$.x", "Next": "A"}], "Default": "A"},
        {"Type": "Parallel", "Branches": [], "End": True},
        {"Type": "Map", "End": True},
        {"Type": "Fail", "Error": "a", "ErrorPath": "$.a"},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 + %}", "End": True},
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Retry": [{"ErrorEquals": ["States.ALL", "X"]}],
            "End": True,
        },
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Catch": [{"ErrorEquals": ["X"]}],
            "End": True,
        },
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "TimeoutSeconds": 5,
            "HeartbeatSeconds": 5,
            "End": True,
        },
    ],
)
def test_bad_state_is_refused(machines: Machines, state: dict[str, Any]) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    found = machines.client.validate_state_machine_definition(definition=definition)
    assert found["result"] == "FAIL"
    assert found["diagnostics"][0]["severity"] == "ERROR"


def test_good_definition_has_no_diagnostics(machines: Machines) -> None:
    found = machines.client.validate_state_machine_definition(definition=json.dumps(GOOD))
    assert (found["result"], found["diagnostics"]) == ("OK", [])
    found = machines.client.validate_state_machine_definition(definition="not json")
    assert found["diagnostics"][0]["code"] == "INVALID_JSON_DESCRIPTION"


def test_express_machine_waits_for_nobody(machines: Machines) -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    assert machines.client.validate_state_machine_definition(definition=definition)["result"] == "OK"
    assert machines.client.validate_state_machine_definition(definition=definition, type="EXPRESS")["result"] == "FAIL"


# --- versions and aliases


def test_version_keeps_what_the_machine_was(machines: Machines) -> None:
    client = machines.client
    arn = machines.make(GOOD)
    first = client.publish_state_machine_version(stateMachineArn=arn, description="one")["stateMachineVersionArn"]
    assert first == arn + ":1"
    assert client.publish_state_machine_version(stateMachineArn=arn)["stateMachineVersionArn"] == first
    second = client.update_state_machine(stateMachineArn=arn, definition=json.dumps(OTHER), publish=True)
    assert second["stateMachineVersionArn"] == arn + ":2"
    found = client.describe_state_machine(stateMachineArn=first)
    assert (json.loads(found["definition"]), found["description"]) == (GOOD, "one")
    listed = client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [entry["stateMachineVersionArn"] for entry in listed] == [arn + ":2", arn + ":1"]
    execution = machines.start(first)
    assert machines.ended(execution)["stateMachineVersionArn"] == first
    assert "PassStateEntered" in machines.types(execution)
    client.delete_state_machine_version(stateMachineVersionArn=first)
    assert refused(client.describe_state_machine, stateMachineArn=first)[0] == "StateMachineDoesNotExist"


def test_version_of_another_revision_is_not_published(machines: Machines) -> None:
    arn = machines.make(GOOD)
    code, message = refused(machines.client.publish_state_machine_version, stateMachineArn=arn, revisionId="other")
    assert code == "ConflictException"
    assert "for revision other" in message


def test_alias_leads_to_versions(machines: Machines) -> None:
    client = machines.client
    arn = machines.make(GOOD, publish=True)
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(OTHER), publish=True)
    route = [{"stateMachineVersionArn": arn + ":1", "weight": 100}]
    alias = client.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
    assert alias == arn + ":live"
    execution = machines.start(alias)
    ended = machines.ended(execution)
    assert (ended["stateMachineAliasArn"], ended["stateMachineVersionArn"]) == (alias, arn + ":1")
    split = [{"stateMachineVersionArn": f"{arn}:{number}", "weight": 50} for number in (1, 2)]
    client.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=split, description="both")
    found = client.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert (found["name"], found["routingConfiguration"], found["description"]) == ("live", split, "both")
    listed = client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [entry["stateMachineAliasArn"] for entry in listed] == [alias]
    code, message = refused(client.delete_state_machine_version, stateMachineVersionArn=arn + ":1")
    assert code == "ConflictException"
    assert "live" in message
    client.delete_state_machine_alias(stateMachineAliasArn=alias)
    assert refused(client.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == "ResourceNotFound"


@pytest.mark.parametrize("weights", [(50,), (60, 60), (40, 30, 30)])
def test_alias_needs_weights_of_a_hundred(machines: Machines, weights: tuple[int, ...]) -> None:
    arn = machines.make(GOOD, publish=True)
    routes = [{"stateMachineVersionArn": f"{arn}:{at}", "weight": weight} for at, weight in enumerate(weights, 1)]
    code, _ = refused(machines.client.create_state_machine_alias, name="live", routingConfiguration=routes)
    assert code == "ValidationException"
