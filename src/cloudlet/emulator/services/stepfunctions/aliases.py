"""Aliases: names for one version of a state machine, or for two with weights."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.stepfunctions.api import (
    ConflictException,
    CreateStateMachineAliasInput,
    CreateStateMachineAliasOutput,
    DeleteStateMachineAliasInput,
    DeleteStateMachineAliasOutput,
    DescribeStateMachineAliasInput,
    DescribeStateMachineAliasOutput,
    ListStateMachineAliasesInput,
    ListStateMachineAliasesOutput,
    ResourceNotFound,
    UpdateStateMachineAliasInput,
    UpdateStateMachineAliasOutput,
    ValidationException,
)
from cloudlet.emulator.services.stepfunctions.errors import invalid_arn, invalid_name, no_such_machine
from cloudlet.emulator.services.stepfunctions.names import Arn, read
from cloudlet.emulator.services.stepfunctions.paging import page
from cloudlet.emulator.services.stepfunctions.records import ALIASES, MACHINES, VERSIONS, Alias

NAME = re.compile(r"(?=.*[a-zA-Z_.-])[a-zA-Z0-9_.-]{1,80}")
MOST_ROUTES = 2
GONE = "Request references a resource that does not exist."


@read_write
def create_state_machine_alias(call: Call, request: CreateStateMachineAliasInput) -> CreateStateMachineAliasOutput:
    """Idempotent: the same again is the alias that is there.

    Raises InvalidName, InvalidArn, ConflictException, ResourceNotFound, ValidationException.
    """
    name = request["name"]
    if NAME.fullmatch(name) is None:
        raise invalid_name(name)
    routing, machine = checked_routing(call, request["routingConfiguration"])
    made = Alias(
        machine.account_id, machine.region, machine.name, name, request.get("description"), routing, call.now, call.now
    )
    existing = ALIASES.get(call.tx, machine.account_id, machine.region, machine.name, name)
    arn = f"{machine.plain}:{name}"
    if existing is not None:
        if (existing.description, existing.routing) != (made.description, made.routing):
            raise ConflictException(
                "Failed to create alias because an alias with the same name and a different routing configuration "
                "already exists."
            )
        return {"stateMachineAliasArn": arn, "creationDate": existing.created_at}
    ALIASES.put(call.tx, made)
    return {"stateMachineAliasArn": arn, "creationDate": made.created_at}


def checked_routing(call: Call, routing: list[Any]) -> tuple[list[dict[str, Any]], Arn]:
    """The routes and the machine that they lead to. Raises InvalidArn, ResourceNotFound, ValidationException."""
    problem = None
    if not 1 <= len(routing) <= MOST_ROUTES:
        problem = "Routing configuration must have one or two versions"
    arns = [route["stateMachineVersionArn"] for route in routing]
    if len(set(arns)) != len(arns):
        problem = "Routing configuration must contain distinct state machine version ARNs. Received: " + str(
            arns
        ).replace("'", "")
    if sum(route["weight"] for route in routing) != 100:
        weights = [route["weight"] for route in routing]
        problem = f"Sum of routing configuration weights must equal 100. Received: {weights}"
    if problem is not None:
        raise ValidationException(problem, reason="INVALID_ROUTING_CONFIGURATION")
    found = [read(arn, "stateMachine") for arn in arns]
    for arn in found:
        if arn.version is None:
            raise ValidationException(
                f"Routing configuration must contain state machine version ARNs. Received: [{arn.text}]",
                reason="INVALID_ROUTING_CONFIGURATION",
            )
        if VERSIONS.get(call.tx, arn.account_id, arn.region, arn.name, arn.version) is None:
            raise ResourceNotFound(GONE, resourceName=arn.text)
    if len({arn.plain for arn in found}) != 1:
        raise ValidationException(
            "Routing configuration must contain versions of one state machine", reason="INVALID_ROUTING_CONFIGURATION"
        )
    return [{"stateMachineVersionArn": r["stateMachineVersionArn"], "weight": r["weight"]} for r in routing], found[0]


def alias_by_arn(call: Call, text: str) -> Alias:
    """Raises InvalidArn, ResourceNotFound."""
    arn = read(text, "stateMachine")
    if not arn.qualifier or arn.version is not None:
        raise invalid_arn(text)
    found = ALIASES.get(call.tx, arn.account_id, arn.region, arn.name, arn.qualifier)
    if found is None:
        raise ResourceNotFound(GONE, resourceName=text)
    return found


@read_only
def describe_state_machine_alias(
    call: Call, request: DescribeStateMachineAliasInput
) -> DescribeStateMachineAliasOutput:
    """Raises InvalidArn, ResourceNotFound."""
    alias = alias_by_arn(call, request["stateMachineAliasArn"])
    result: DescribeStateMachineAliasOutput = {
        "stateMachineAliasArn": request["stateMachineAliasArn"],
        "name": alias.alias,
        "routingConfiguration": alias.routing,  # type: ignore[typeddict-item]
        "creationDate": alias.created_at,
        "updateDate": alias.updated_at,
    }
    if alias.description is not None:
        result["description"] = alias.description
    return result


@read_write
def update_state_machine_alias(call: Call, request: UpdateStateMachineAliasInput) -> UpdateStateMachineAliasOutput:
    """Raises InvalidArn, ResourceNotFound, ValidationException."""
    alias = alias_by_arn(call, request["stateMachineAliasArn"])
    if "description" not in request and "routingConfiguration" not in request:
        raise ValidationException(
            "Either the description or the routing configuration must be specified",
            reason="MISSING_REQUIRED_PARAMETER",
        )
    if "routingConfiguration" in request:
        routing, _ = checked_routing(call, request["routingConfiguration"])
        alias = replace(alias, routing=routing)
    alias = replace(alias, description=request.get("description", alias.description), updated_at=call.now)
    ALIASES.put(call.tx, alias)
    return {"updateDate": call.now}


@read_write
def delete_state_machine_alias(call: Call, request: DeleteStateMachineAliasInput) -> DeleteStateMachineAliasOutput:
    """Deleting what is not there is fine. Raises InvalidArn."""
    arn = read(request["stateMachineAliasArn"], "stateMachine")
    if not arn.qualifier or arn.version is not None:
        raise invalid_arn(arn.text)
    ALIASES.delete(call.tx, arn.account_id, arn.region, arn.name, arn.qualifier)
    return {}


@read_only
def list_state_machine_aliases(call: Call, request: ListStateMachineAliasesInput) -> ListStateMachineAliasesOutput:
    """Of a machine, or of one of its versions. Raises InvalidArn, StateMachineDoesNotExist, InvalidToken."""
    arn = read(request["stateMachineArn"], "stateMachine")
    if MACHINES.get(call.tx, arn.account_id, arn.region, arn.name) is None:
        raise no_such_machine(request["stateMachineArn"])
    found = [
        alias
        for alias in ALIASES.scan(call.tx, arn.account_id, arn.region, arn.name)
        if arn.version is None or any(route["stateMachineVersionArn"] == arn.text for route in alias.routing)
    ]
    chosen, following = page(found, request)
    result: ListStateMachineAliasesOutput = {
        "stateMachineAliases": [
            {"stateMachineAliasArn": f"{arn.plain}:{alias.alias}", "creationDate": alias.created_at} for alias in chosen
        ]
    }
    if following is not None:
        result["nextToken"] = following
    return result
