"""What is asked about the resources of stacks, their events, and signals to them."""

from __future__ import annotations

import json
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import DRIFT, machine_of, page, shelf_of, stack_of
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.records import Event, Stack, StackResource


def describe_stack_events(asked: Asked) -> dict[str, Any]:
    """Newest first."""
    if not asked.request.get("StackName"):
        raise refused(
            "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null"
        )
    stack = stack_of(asked, "Stack [{}] does not exist", deleted=True)
    return page(asked, "StackEvents", stack.events[::-1], lambda event: event_form(stack, event))


def event_form(stack: Stack, event: Event) -> dict[str, Any]:
    made: dict[str, Any] = {
        "StackId": stack.id,
        "EventId": event.event_id,
        "StackName": stack.name,
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": event.time,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason or None,
        "ResourceProperties": event.properties,
        "ClientRequestToken": event.token,
    }
    return {name: value for name, value in made.items() if value is not None}


def common(stack: Stack, resource: StackResource) -> dict[str, Any]:
    made: dict[str, Any] = {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
        "Description": resource.definition.get("Description"),
        "DriftInformation": {"StackResourceDriftStatus": DRIFT},
    }
    return {name: value for name, value in made.items() if value is not None}


def describe_stack_resource(asked: Asked) -> dict[str, Any]:
    stack = stack_of(asked, "Stack '{}' does not exist", deleted=True)
    name = asked.request["LogicalResourceId"]
    resource = stack.resources.get(name)
    if resource is None:
        raise refused(f"Resource {name} does not exist for stack {stack.name}")
    metadata = resource.metadata if resource.metadata is not None else {}
    detail = {
        **common(stack, resource),
        "StackName": stack.name,
        "StackId": stack.id,
        "LastUpdatedTimestamp": resource.time,
        "Metadata": json.dumps(metadata, separators=(",", ":")),
    }
    return {"StackResourceDetail": detail}


def describe_stack_resources(asked: Asked) -> dict[str, Any]:
    physical, logical = asked.request.get("PhysicalResourceId"), asked.request.get("LogicalResourceId")
    if asked.request.get("StackName"):
        if physical:
            raise refused("StackName and PhysicalResourceId cannot be specified together")
        stack = stack_of(asked, deleted=True)
    elif physical:
        stack = stack_with(asked, physical)
    else:
        raise refused("Either StackName or PhysicalResourceId must be specified")
    found = sorted(stack.resources.values(), key=lambda resource: resource.logical_id)
    if logical:
        found = [resource for resource in found if resource.logical_id == logical]
        if not found:
            raise refused(f"Resource {logical} does not exist for stack {stack.name}")
    listed = [
        {**common(stack, resource), "StackName": stack.name, "StackId": stack.id, "Timestamp": resource.time}
        for resource in found
    ]
    return {"StackResources": listed}


def stack_with(asked: Asked, physical_id: str) -> Stack:
    for stack in shelf_of(asked).stacks.values():
        if not stack.is_deleted and any(made.physical_id == physical_id for made in stack.resources.values()):
            return stack
    raise refused(f"Stack for {physical_id} does not exist")


def list_stack_resources(asked: Asked) -> dict[str, Any]:
    stack = stack_of(asked, deleted=True)
    found = sorted(stack.resources.values(), key=lambda resource: resource.logical_id)
    return page(
        asked,
        "StackResourceSummaries",
        found,
        lambda resource: {**common(stack, resource), "LastUpdatedTimestamp": resource.time},
    )


def signal_resource(asked: Asked) -> dict[str, Any]:
    """To a wait condition: through its handle. Other resources wait for no signals here."""
    request = asked.request
    stack = stack_of(asked, "Stack [{}] does not exist")
    resource = stack.resources.get(request["LogicalResourceId"])
    if resource is None:
        raise refused(f"Resource {request['LogicalResourceId']} does not exist for stack {stack.name}")
    address = str(resource.properties.get("Handle") or resource.physical_id)
    body = {"Status": request["Status"], "UniqueId": request["UniqueId"], "Reason": "Signal", "Data": ""}
    machine_of(asked).waits.deliver(address.rpartition("/")[2], json.dumps(body).encode())
    return {}
