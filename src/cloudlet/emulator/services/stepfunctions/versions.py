"""Versions of state machines, and which of them an alias leads to."""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.stepfunctions.api import (
    ConflictException,
    DeleteStateMachineVersionInput,
    DeleteStateMachineVersionOutput,
    ListStateMachineVersionsInput,
    ListStateMachineVersionsOutput,
    PublishStateMachineVersionInput,
    PublishStateMachineVersionOutput,
)
from cloudlet.emulator.services.stepfunctions.errors import invalid_arn, no_such_machine
from cloudlet.emulator.services.stepfunctions.lookup import machine_by_arn
from cloudlet.emulator.services.stepfunctions.names import machine_arn, read
from cloudlet.emulator.services.stepfunctions.paging import page
from cloudlet.emulator.services.stepfunctions.records import ALIASES, MACHINES, VERSIONS, Alias, Machine, Version


def version_arn(call: Call, name: str, number: int) -> str:
    return f"{machine_arn(call, name)}:{number}"


def published(call: Call, machine: Machine, description: str | None) -> str:
    """The ARN of the version of the machine's current revision; it is made when there is none yet."""
    for version in VERSIONS.scan(call.tx, machine.account_id, machine.region, machine.name, reverse=True, limit=1):
        if version.revision_id == machine.revision_id:
            return version_arn(call, machine.name, version.number)
    number = machine.next_version
    VERSIONS.put(
        call.tx,
        Version(
            machine.account_id,
            machine.region,
            machine.name,
            number,
            machine.definition,
            machine.role_arn,
            machine.revision_id,
            description,
            call.now,
            machine.logging,
            machine.tracing,
            machine.encryption,
        ),
    )
    MACHINES.put(call.tx, replace(machine, next_version=number + 1))
    return version_arn(call, machine.name, number)


@read_write
def publish_state_machine_version(
    call: Call, request: PublishStateMachineVersionInput
) -> PublishStateMachineVersionOutput:
    """Raises InvalidArn, StateMachineDoesNotExist, ConflictException."""
    chosen = machine_by_arn(call, request["stateMachineArn"])
    if chosen.arn.qualifier:
        raise no_such_machine(request["stateMachineArn"])
    machine = chosen.machine
    wanted = request.get("revisionId")
    current = machine.revision_id or "INITIAL"
    if wanted is not None and wanted != current:
        raise ConflictException(
            f"Failed to publish the State Machine version for revision {wanted}. "
            f"The current State Machine revision is {machine.revision_id or 'null'}."
        )
    arn = published(call, machine, request.get("description"))
    number = int(arn.rpartition(":")[2])
    version = VERSIONS.get(call.tx, machine.account_id, machine.region, machine.name, number)
    return {"creationDate": call.now if version is None else version.created_at, "stateMachineVersionArn": arn}


@read_write
def delete_state_machine_version(
    call: Call, request: DeleteStateMachineVersionInput
) -> DeleteStateMachineVersionOutput:
    """One that an alias leads to cannot be deleted. Raises InvalidArn, ConflictException."""
    text = request["stateMachineVersionArn"]
    arn = read(text, "stateMachine")
    if arn.version is None:
        raise invalid_arn(text)
    users = [
        alias.alias
        for alias in ALIASES.scan(call.tx, arn.account_id, arn.region, arn.name)
        if any(route["stateMachineVersionArn"] == text for route in alias.routing)
    ]
    if users:
        raise ConflictException(
            "Version to be deleted must not be referenced by an alias. "
            f"Current list of aliases referencing this version: [{', '.join(users)}]"
        )
    VERSIONS.delete(call.tx, arn.account_id, arn.region, arn.name, arn.version)
    return {}


@read_only
def list_state_machine_versions(call: Call, request: ListStateMachineVersionsInput) -> ListStateMachineVersionsOutput:
    """Newest first. Raises InvalidArn, InvalidToken."""
    arn = read(request["stateMachineArn"], "stateMachine")
    found = list(VERSIONS.scan(call.tx, arn.account_id, arn.region, arn.name, reverse=True))
    chosen, following = page(found, request)
    result: ListStateMachineVersionsOutput = {
        "stateMachineVersions": [
            {
                "stateMachineVersionArn": f"{arn.plain}:{version.number}",
                "creationDate": version.created_at,
            }
            for version in chosen
        ]
    }
    if following is not None:
        result["nextToken"] = following
    return result


def routed(call: Call, alias: Alias, fraction: float) -> Version | None:
    """The version that an alias leads to; `fraction` in [0, 1) decides between two."""
    place, chosen = fraction * 100, alias.routing[0]
    for route in alias.routing:
        chosen = route
        place -= route["weight"]
        if place < 0:
            break
    number = int(chosen["stateMachineVersionArn"].rpartition(":")[2])
    return VERSIONS.get(call.tx, alias.account_id, alias.region, alias.name, number)
