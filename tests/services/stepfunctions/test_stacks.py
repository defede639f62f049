"""State machines of CloudFormation's templates."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import RunningEmulator
from tests.services.stepfunctions.conftest import ROLE, Machines

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": ROLE,
                "StateMachineType": "STANDARD",
                "DefinitionString": json.dumps(
                    {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${word}", "End": True}}}
                ),
                "DefinitionSubstitutions": {"word": "hello"},
                "Tags": [{"Key": "k", "Value": "v"}],
            },
        },
        "Version": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "Properties": {"StateMachineArn": {"Ref": "Machine"}},
        },
        "Alias": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "RoutingConfiguration": [{"StateMachineVersionArn": {"Ref": "Version"}, "Weight": 100}],
            },
        },
        "Activity": {"Type": "AWS::StepFunctions::Activity", "Properties": {"Name": "of-a-stack"}},
    },
    "Outputs": {
        "Machine": {"Value": {"Ref": "Machine"}},
        "Alias": {"Value": {"Ref": "Alias"}},
        "Activity": {"Value": {"Ref": "Activity"}},
    },
}


def test_machine_of_a_stack_runs_and_goes_with_it(machines: Machines, emulator: RunningEmulator) -> None:
    formation = emulator.client("cloudformation")
    formation.create_stack(StackName="states", TemplateBody=json.dumps(TEMPLATE))
    formation.get_waiter("stack_create_complete").wait(StackName="states", WaiterConfig={"Delay": 1})
    stack = formation.describe_stacks(StackName="states")["Stacks"][0]
    made = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert made["Alias"] == made["Machine"] + ":live"
    assert machines.ended(machines.start(made["Alias"]))["output"] == '"hello"'
    assert machines.client.describe_activity(activityArn=made["Activity"])["name"] == "of-a-stack"
    tags = machines.client.list_tags_for_resource(resourceArn=made["Machine"])["tags"]
    assert {"key": "k", "value": "v"} in tags
    formation.delete_stack(StackName="states")
    formation.get_waiter("stack_delete_complete").wait(StackName="states", WaiterConfig={"Delay": 1})
    arns = [entry["stateMachineArn"] for entry in machines.client.list_state_machines(maxResults=1000)["stateMachines"]]
    assert made["Machine"] not in arns
