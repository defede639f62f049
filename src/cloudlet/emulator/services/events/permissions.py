"""The resource policy of a bus: who may send events to it."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.events.api import (
    PolicyLengthExceededException,
    PutPermissionRequest,
    RemovePermissionRequest,
    ResourceNotFoundException,
)
from cloudlet.emulator.services.events.errors import invalid
from cloudlet.emulator.services.events.lookup import bus_arn, bus_of
from cloudlet.emulator.services.events.records import BUSES, Bus

LONGEST_POLICY = 10 * 1024


@read_write
def put_permission(call: Call, request: PutPermissionRequest) -> dict[str, Any]:
    """A whole policy, or one statement. Raises PolicyLengthExceededException, ResourceNotFoundException."""
    bus = bus_of(call, request.get("EventBusName"))
    policy = request.get("Policy")
    if policy:
        if any(name in request for name in ("Action", "Principal", "StatementId", "Condition")):
            raise invalid("StatementId, Action, Principal and Condition must not be provided with Policy.")
        return store(call, whole_policy(bus, policy))
    for name in ("Action", "Principal", "StatementId"):
        if name not in request:
            raise invalid(f"Parameter {name} must be specified.")
    if request["Action"] not in ("events:PutEvents", "events:PutRule", "events:*"):
        raise invalid("Provided value in parameter 'action' is not supported.")
    statement: dict[str, Any] = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": principal_of(call, request["Principal"]),
        "Action": request["Action"],
        "Resource": bus_arn(call, bus),
    }
    condition = request.get("Condition")
    if condition is not None:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    others = [entry for entry in bus.statements if entry.get("Sid") != statement["Sid"]]
    return store(call, replace(bus, statements=[*others, statement]))


def principal_of(call: Call, principal: str) -> Any:
    """Raises ValidationException."""
    if principal == "*":
        return "*"
    if len(principal) != 12 or not principal.isdigit():
        raise invalid(
            f"1 validation error detected: Value '{principal}' at 'principal' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: (\d{12}|\*)"
        )
    return {"AWS": f"arn:{call.partition}:iam::{principal}:root"}


def whole_policy(bus: Bus, policy: str) -> Bus:
    try:
        document = orjson.loads(policy)
        found = document["Statement"]
    except (ValueError, KeyError, TypeError):
        raise invalid("The policy is not a valid JSON document.") from None
    statements = found if isinstance(found, list) else [found]
    return replace(bus, statements=statements, version=document.get("Version", "2012-10-17"))


def store(call: Call, bus: Bus) -> dict[str, Any]:
    if len(orjson.dumps(bus.statements)) > LONGEST_POLICY:
        raise PolicyLengthExceededException("The policy of the event bus is longer than 10240 bytes.")
    BUSES.put(call.tx, replace(bus, modified=call.now))
    return {}


@read_write
def remove_permission(call: Call, request: RemovePermissionRequest) -> dict[str, Any]:
    """Raises ResourceNotFoundException."""
    bus = bus_of(call, request.get("EventBusName"))
    if request.get("RemoveAllPermissions"):
        return store(call, replace(bus, statements=[]))
    if "StatementId" not in request:
        raise invalid("Parameter StatementId must be specified.")
    if not bus.statements:
        raise ResourceNotFoundException("EventBus does not have a policy.")
    left = [entry for entry in bus.statements if entry.get("Sid") != request["StatementId"]]
    if len(left) == len(bus.statements):
        raise ResourceNotFoundException("Statement with the provided id does not exist.")
    return store(call, replace(bus, statements=left))
