"""What the tests of stacks share: templates as text, events as short tuples."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

LIMIT_SECONDS = 60.0
ALL = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


def body(resources: dict[str, Any], **sections: Any) -> str:
    return json.dumps({"Resources": resources, **sections})


def resource(kind: str, /, **members: Any) -> dict[str, Any]:
    """`resource("SQS::Queue", QueueName="a")`; members that begin with `_` are the resource's own: `_DependsOn`."""
    own = {name[1:]: value for name, value in members.items() if name.startswith("_")}
    properties = {name: value for name, value in members.items() if not name.startswith("_")}
    return {"Type": kind if kind.startswith("Custom") else f"AWS::{kind}", "Properties": properties, **own}


def parameter(name: str, value: Any = "1", **members: Any) -> dict[str, Any]:
    return resource("SSM::Parameter", Name=name, Type="String", Value=value, **members)


def settled(cloudformation: Any, name: str) -> dict[str, Any]:
    """The stack once nothing is in progress."""
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS") or time.monotonic() > end:
            return stack
        time.sleep(0.1)


def create(cloudformation: Any, name: str, text: str, **options: Any) -> dict[str, Any]:
    cloudformation.create_stack(StackName=name, TemplateBody=text, Capabilities=ALL, **options)
    return settled(cloudformation, name)


def update(cloudformation: Any, name: str, text: str, **options: Any) -> dict[str, Any]:
    cloudformation.update_stack(StackName=name, TemplateBody=text, Capabilities=ALL, **options)
    return settled(cloudformation, name)


def events(cloudformation: Any, name: str) -> list[tuple[str, str]]:
    """Logical id and status, oldest first; the stack itself is `-`."""
    found = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [
        (
            "-" if event["LogicalResourceId"] == event["StackName"] else event["LogicalResourceId"],
            event["ResourceStatus"],
        )
        for event in reversed(found)
    ]


def reasons(cloudformation: Any, name: str, logical_id: str) -> list[str]:
    found = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [event.get("ResourceStatusReason", "") for event in found if event["LogicalResourceId"] == logical_id]


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def refusal(operation: Any, /, **request: Any) -> str:
    """Code and message of the error that must come."""
    with pytest.raises(ClientError) as caught:
        operation(**request)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"
