"""The Cloud Control API: single resources of CloudFormation's types, without a stack.

Requests are carried out at once; their state tells so at the next look. What is made here is kept beside the stacks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import machine_of, page, shelf_of
from cloudlet.emulator.fallback.stacks.errors import Failed, NeedsReplacement, message_of
from cloudlet.emulator.fallback.stacks.kinds import Kind, Wanted
from cloudlet.emulator.fallback.stacks.records import Stack, StackResource
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

FINISHED = ("SUCCESS", "FAILED", "CANCEL_COMPLETE")


def refused(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message, 400)


def kind_of(asked: Asked) -> Kind:
    """Raises TypeNotFoundException for a type that nobody makes."""
    name = asked.request["TypeName"]
    kind = machine_of(asked).kind(name)
    if kind.is_stand_in:
        raise refused("TypeNotFoundException", f"The type '{name}' cannot be found.")
    if name.startswith(("AWS::CloudFormation::", "Custom::")):
        raise refused("UnsupportedActionException", f"Resource type {name} does not support CREATE action")
    return kind


def found(asked: Asked) -> StackResource:
    """The resource that the request names. Raises ResourceNotFoundException."""
    name, identifier = asked.request["TypeName"], asked.request["Identifier"]
    for resource in all_of(asked, name):
        if resource.physical_id == identifier:
            return resource
    said = f"{name.rpartition('::')[2]} not found (HandlerErrorCode: NotFound, RequestToken: {machine_of(asked).ids.uuid()})"
    raise refused("ResourceNotFoundException", f"{name} Handler returned status FAILED: {said}")


def all_of(asked: Asked, name: str) -> list[StackResource]:
    shelf = shelf_of(asked)
    in_stacks = [
        resource
        for stack in shelf.stacks.values()
        if not stack.is_deleted
        for resource in stack.resources.values()
        if resource.type == name and resource.physical_id and not resource.status.startswith("DELETE")
    ]
    return [*(made for made in shelf.controlled if made.type == name), *in_stacks]


def wanted_of(asked: Asked, properties: dict[str, Any]) -> Wanted:
    """What kinds are asked for: a resource of a stack that nobody sees."""
    call, machine = asked.call, machine_of(asked)
    stack = Stack("", "cloudcontrol", call.account_id, call.region, machine.now())
    return Wanted(machine, stack, "Resource", {"Type": asked.request["TypeName"]}, properties)


def model_of(asked: Asked, kind: Kind, resource: StackResource) -> str:
    """The properties as JSON, with the attributes that are known."""
    wanted, model = wanted_of(asked, resource.properties), dict(resource.properties)
    if kind.name_property and kind.name_property not in model:
        model[kind.name_property] = resource.physical_id.rpartition("/")[2].rpartition(":")[2]
    attributes = getattr(resource.handle, "attributes", None) or ("Arn", "TopicArn", "QueueUrl")
    for name in attributes:
        try:
            model[name] = kind.attribute(wanted, resource, name)
        except KeyError:
            continue
    return json.dumps(model, separators=(",", ":"))


def carried_out(asked: Asked, operation: str, identifier: str, work: Callable[[], StackResource]) -> dict[str, Any]:
    """The answer to a request, whose end is kept under its token."""
    machine, shelf, token = machine_of(asked), shelf_of(asked), asked.request.get("ClientToken")
    same = next((entry for entry in shelf.requests if token and entry.get("ClientToken") == token), None)
    if same is not None:
        if same["Request"] != asked.request:
            raise refused(
                "ClientTokenConflictException", f"Request with client token {token} already exists with another input"
            )
        return {"ProgressEvent": shown(same)}
    event: dict[str, Any] = {
        "TypeName": asked.request["TypeName"],
        "RequestToken": machine.ids.uuid(),
        "Operation": operation,
        "OperationStatus": "IN_PROGRESS",
        "EventTime": machine.now(),
        "ClientToken": token,
        "Request": asked.request,
    }
    if identifier:
        event["Identifier"] = identifier
    answer = shown(event)
    try:
        resource = work()
    except Exception as error:  # renders: as in a stack, what was wrong is said where the request's end is
        event |= {"OperationStatus": "FAILED", "StatusMessage": message_of(error), "ErrorCode": code_of(error)}
    else:
        event |= {"OperationStatus": "SUCCESS", "Identifier": resource.physical_id}
        if operation == "UPDATE":
            kind = machine.kind(resource.type)
            event["ResourceModel"] = answer["ResourceModel"] = model_of(asked, kind, resource)
        answer["Identifier"] = resource.physical_id
    with machine.lock():
        shelf.requests.append(event)
    return {"ProgressEvent": answer}


def code_of(error: Exception) -> str:
    """Cloud Control API reference, ProgressEvent, `ErrorCode`."""
    if isinstance(error, NeedsReplacement):
        return "NotUpdatable"
    if isinstance(error, Failed):
        return "GeneralServiceException"
    code = error.code if isinstance(error, AwsError) else ""
    if "Already" in code:
        return "AlreadyExists"
    return "NotFound" if code == "ResourceNotFoundException" else "InvalidRequest"


def shown(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("ClientToken", "Request")}


def create_resource(asked: Asked) -> dict[str, Any]:
    kind = kind_of(asked)
    properties = state_of(asked.request["DesiredState"])
    wanted = wanted_of(asked, properties)

    def work() -> StackResource:
        made = kind.create(wanted)
        resource = StackResource("Resource", wanted.type, made.physical_id, {"Type": wanted.type}, properties)
        resource.handle, resource.status = made.handle, "CREATE_COMPLETE"
        with wanted.machine.lock():
            shelf_of(asked).controlled.append(resource)
        return resource

    return carried_out(asked, "CREATE", "", work)


def state_of(text: str) -> dict[str, Any]:
    """Raises InvalidRequestException for what is no object of JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise refused("InvalidRequestException", "DesiredState must be a valid JSON object")
    return value


def update_resource(asked: Asked) -> dict[str, Any]:
    kind, resource = kind_of(asked), found(asked)
    if kind.is_fixed:
        said = f"Resource type {resource.type} does not support UPDATE action"
        raise refused("UnsupportedActionException", said)
    try:
        properties = patched(resource.properties, json.loads(asked.request["PatchDocument"]))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise refused("InvalidRequestException", f"The patch cannot be applied: {error}") from error
    fixed = [name for name in sorted(kind.replaced_by) if resource.properties.get(name) != properties.get(name)]
    if fixed:
        named = ", ".join(f"/properties/{name}" for name in fixed)
        said = f"Invalid patch update: createOnlyProperties [{named}] cannot be updated"
        raise refused("NotUpdatableException", said)
    wanted = wanted_of(asked, properties)

    def work() -> StackResource:
        made = kind.update(wanted, resource)
        resource.physical_id, resource.handle, resource.properties = made.physical_id, made.handle, properties
        return resource

    return carried_out(asked, "UPDATE", resource.physical_id, work)


def patched(properties: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """The properties after the operations of a JSON patch (RFC 6902: add, replace, remove, test)."""
    made: dict[str, Any] = json.loads(json.dumps(properties))
    for step in patch:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        place: Any = made
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        key: Any = last
        if isinstance(place, list):
            key = len(place) if last == "-" else int(last)
        if step["op"] == "remove":
            del place[key]
        elif step["op"] == "test":
            if place[key] != step["value"]:
                raise ValueError(f"{step['path']} has another value")
        elif step["op"] == "add" and isinstance(place, list):
            place.insert(key, step["value"])
        elif step["op"] in ("add", "replace"):
            place[key] = step["value"]
        else:
            raise ValueError(f"the operation {step['op']}")
    return made


def delete_resource(asked: Asked) -> dict[str, Any]:
    kind = kind_of(asked)

    def work() -> StackResource:
        resource = found(asked)
        kind.delete(wanted_of(asked, resource.properties), resource)
        shelf = shelf_of(asked)
        with machine_of(asked).lock():
            shelf.controlled = [made for made in shelf.controlled if made is not resource]
        return resource

    return carried_out(asked, "DELETE", asked.request["Identifier"], work)


def get_resource(asked: Asked) -> dict[str, Any]:
    kind, resource = kind_of(asked), found(asked)
    return {"TypeName": resource.type, "ResourceDescription": described(asked, kind, resource)}


def described(asked: Asked, kind: Kind, resource: StackResource) -> dict[str, str]:
    return {"Identifier": resource.physical_id, "Properties": model_of(asked, kind, resource)}


def list_resources(asked: Asked) -> dict[str, Any]:
    kind, name = kind_of(asked), asked.request["TypeName"]
    size = asked.request.get("MaxResults") or 100
    listed = page(asked, "ResourceDescriptions", all_of(asked, name), lambda made: described(asked, kind, made), size)
    return {"TypeName": name, **listed}


def event_of(asked: Asked) -> dict[str, Any]:
    token = asked.request["RequestToken"]
    for event in shelf_of(asked).requests:
        if event["RequestToken"] == token:
            return event
    raise UnmodelledError("RequestTokenNotFoundException", f"Request with token {token} was not found", 400)


def get_resource_request_status(asked: Asked) -> dict[str, Any]:
    return {"ProgressEvent": shown(event_of(asked))}


def cancel_resource_request(asked: Asked) -> dict[str, Any]:
    event = event_of(asked)
    if event["OperationStatus"] in FINISHED:
        said = f"Request with token {event['RequestToken']} is in a terminal state: {event['OperationStatus']}"
        raise UnmodelledError("ConcurrentModificationException", said, 500)
    return {"ProgressEvent": shown(event)}


def list_resource_requests(asked: Asked) -> dict[str, Any]:
    wanted = asked.request.get("ResourceRequestStatusFilter") or {}
    listed = [
        event
        for event in reversed(shelf_of(asked).requests)
        if event["Operation"] in (wanted.get("Operations") or (event["Operation"],))
        and event["OperationStatus"] in (wanted.get("OperationStatuses") or (event["OperationStatus"],))
    ]
    return page(asked, "ResourceRequestStatusSummaries", listed, shown, asked.request.get("MaxResults") or 100)


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CancelResourceRequest": cancel_resource_request,
        "CreateResource": create_resource,
        "DeleteResource": delete_resource,
        "GetResource": get_resource,
        "GetResourceRequestStatus": get_resource_request_status,
        "ListResourceRequests": list_resource_requests,
        "ListResources": list_resources,
        "UpdateResource": update_resource,
    }
)
