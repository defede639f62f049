"""State machines."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.stepfunctions import versions
from cloudlet.emulator.services.stepfunctions.api import (
    CreateStateMachineInput,
    CreateStateMachineOutput,
    DeleteStateMachineInput,
    DeleteStateMachineOutput,
    DescribeStateMachineForExecutionInput,
    DescribeStateMachineForExecutionOutput,
    DescribeStateMachineInput,
    DescribeStateMachineOutput,
    InvalidLoggingConfiguration,
    ListStateMachinesInput,
    ListStateMachinesOutput,
    MissingRequiredParameter,
    UpdateStateMachineInput,
    UpdateStateMachineOutput,
    ValidateStateMachineDefinitionInput,
    ValidateStateMachineDefinitionOutput,
)
from cloudlet.emulator.services.stepfunctions.asl.definitions import diagnose
from cloudlet.emulator.services.stepfunctions.asl.diagnostics import described
from cloudlet.emulator.services.stepfunctions.asl.json_text import loads
from cloudlet.emulator.services.stepfunctions.asl.references import variable_references
from cloudlet.emulator.services.stepfunctions.errors import (
    invalid_arn,
    invalid_definition,
    machine_exists,
    missing,
    no_such_machine,
)
from cloudlet.emulator.services.stepfunctions.lookup import execution_by_arn, machine_by_arn
from cloudlet.emulator.services.stepfunctions.names import ROLE, check_name, machine_arn, read
from cloudlet.emulator.services.stepfunctions.paging import page
from cloudlet.emulator.services.stepfunctions.records import ALIASES, MACHINES, VERSIONS, Machine
from cloudlet.emulator.services.stepfunctions.tags import check_tags

NO_LOGGING = {"level": "OFF", "includeExecutionData": False}.items()
NO_TRACING = {"enabled": False}.items()
FIRST_REVISION = "INITIAL"
MOST_DIAGNOSTICS = 100


@read_write
def create_state_machine(call: Call, request: CreateStateMachineInput) -> CreateStateMachineOutput:
    """Idempotent: the same again is the machine that is there.

    Raises InvalidName, InvalidArn, InvalidDefinition, StateMachineAlreadyExists, ValidationException.
    """
    name = request["name"]
    check_name(name)
    check_role(request["roleArn"])
    kind = request.get("type", "STANDARD")
    check_definition(request["definition"], kind)
    publish = request.get("publish", False)
    description = request.get("versionDescription")
    if description is not None and not publish:
        raise missing("Version description can only be set when publish is true")
    logging = checked_logging(request.get("loggingConfiguration"))
    tags = check_tags({tag["key"]: tag.get("value", "") for tag in request.get("tags", ())})
    made = Machine(
        account_id=call.account_id,
        region=call.region,
        name=name,
        definition=request["definition"],
        role_arn=request["roleArn"],
        type=kind,
        created_at=call.now,
        updated_at=call.now,
        revision_id="",
        logging=logging,
        tracing=dict(request.get("tracingConfiguration") or NO_TRACING),
        encryption=dict(request.get("encryptionConfiguration") or {}),
        tags=tags,
    )
    arn = machine_arn(call, name)
    existing = MACHINES.get(call.tx, call.account_id, call.region, name)
    if existing is not None and not is_same(existing, made):
        raise machine_exists(arn)
    machine = existing or made
    if existing is None:
        MACHINES.put(call.tx, machine)
    result: CreateStateMachineOutput = {"stateMachineArn": arn, "creationDate": machine.created_at}
    if publish:
        result["stateMachineVersionArn"] = versions.published(call, machine, description)
    return result


def is_same(one: Machine, other: Machine) -> bool:
    """Whether CreateStateMachine would make the same ("a state machine's name, definition, type, …")."""
    return all(
        getattr(one, field) == getattr(other, field)
        for field in ("definition", "role_arn", "type", "logging", "tracing", "encryption")
    )


def check_role(arn: str) -> None:
    """Raises InvalidArn."""
    if ROLE.fullmatch(arn) is None:
        raise invalid_arn(arn)


def check_definition(definition: str, kind: str) -> None:
    """Raises InvalidDefinition."""
    found = diagnose(definition, kind)
    if found:
        raise invalid_definition(described(found))


def checked_logging(given: Any) -> dict[str, Any]:
    """Raises InvalidLoggingConfiguration."""
    if not given:
        return dict(NO_LOGGING)
    logging = {"level": "OFF", "includeExecutionData": False, **given}
    destinations = logging.get("destinations") or []
    if logging["level"] != "OFF" and len(destinations) != 1:
        raise InvalidLoggingConfiguration("Invalid Logging Configuration: Must specify exactly one Log Destination.")
    if len(destinations) > 1:
        raise InvalidLoggingConfiguration("Invalid Logging Configuration: Must specify exactly one Log Destination.")
    for destination in destinations:
        arn = destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
        if ":log-group:" not in arn or not arn.endswith(":*"):
            raise InvalidLoggingConfiguration("Invalid Logging Configuration: Log Destination not found.")
    return logging


@read_write
def update_state_machine(call: Call, request: UpdateStateMachineInput) -> UpdateStateMachineOutput:
    """What runs already goes on with the old definition.

    Raises StateMachineDoesNotExist, InvalidDefinition, InvalidArn, MissingRequiredParameter, ValidationException.
    """
    chosen = machine_by_arn(call, request["stateMachineArn"])
    machine = chosen.machine
    if chosen.arn.qualifier:
        raise no_such_machine(request["stateMachineArn"])
    publish = request.get("publish", False)
    description = request.get("versionDescription")
    if description is not None and not publish:
        raise missing("Version description can only be set when publish is true")
    changes = changed_members(request, machine)
    if not changes and not publish:
        raise missing_parameter()
    result: UpdateStateMachineOutput = {"updateDate": call.now}
    different = {name: value for name, value in changes.items() if getattr(machine, name) != value}
    if different:
        machine = replace(machine, **different, revision_id=call.ids.uuid(), updated_at=call.now)
    else:
        machine = replace(machine, updated_at=call.now)
    MACHINES.put(call.tx, machine)
    if machine.revision_id:
        result["revisionId"] = machine.revision_id
    if publish:
        result["stateMachineVersionArn"] = versions.published(call, machine, description)
    return result


def missing_parameter() -> Exception:
    return MissingRequiredParameter(
        "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"
    )


def changed_members(request: UpdateStateMachineInput, machine: Machine) -> dict[str, Any]:
    """Raises InvalidArn, InvalidDefinition, InvalidLoggingConfiguration."""
    found: dict[str, Any] = {}
    if "definition" in request:
        check_definition(request["definition"], machine.type)
        found["definition"] = request["definition"]
    if "roleArn" in request:
        check_role(request["roleArn"])
        found["role_arn"] = request["roleArn"]
    if "loggingConfiguration" in request:
        found["logging"] = checked_logging(request["loggingConfiguration"])
    if "tracingConfiguration" in request:
        found["tracing"] = dict(request["tracingConfiguration"])
    if "encryptionConfiguration" in request:
        found["encryption"] = dict(request["encryptionConfiguration"])
    return found


@read_write
def delete_state_machine(call: Call, request: DeleteStateMachineInput) -> DeleteStateMachineOutput:
    """With its versions and aliases; deleting what is not there is fine. What runs goes on to its end. Raises InvalidArn."""
    arn = read(request["stateMachineArn"], "stateMachine")
    account, region, name = arn.account_id, arn.region, arn.name
    if arn.version is not None:
        VERSIONS.delete(call.tx, account, region, name, arn.version)
        return {}
    MACHINES.delete(call.tx, account, region, name)
    for version in list(VERSIONS.scan(call.tx, account, region, name)):
        VERSIONS.delete(call.tx, account, region, name, version.number)
    for alias in list(ALIASES.scan(call.tx, account, region, name)):
        ALIASES.delete(call.tx, account, region, name, alias.alias)
    return {}


@read_only
def describe_state_machine(call: Call, request: DescribeStateMachineInput) -> DescribeStateMachineOutput:
    """Raises InvalidArn, StateMachineDoesNotExist."""
    chosen = machine_by_arn(call, request["stateMachineArn"])
    version = chosen.version
    if chosen.alias is not None:
        version = versions.routed(call, chosen.alias, 0.0)
    source = version or chosen.machine
    result: Any = {
        "stateMachineArn": request["stateMachineArn"],
        "name": chosen.machine.name,
        "status": "ACTIVE",
        "definition": source.definition,
        "roleArn": source.role_arn,
        "type": chosen.machine.type,
        "creationDate": source.created_at,
        "loggingConfiguration": source.logging,
        "tracingConfiguration": source.tracing,
    }
    if source.revision_id:
        result["revisionId"] = source.revision_id
    elif version is not None:
        result["revisionId"] = FIRST_REVISION
    if version is not None and version.description is not None:
        result["description"] = version.description
    if source.encryption:
        result["encryptionConfiguration"] = source.encryption
    references = variable_references(loads(source.definition))
    if references:
        result["variableReferences"] = references
    return result  # type: ignore[no-any-return]


@read_only
def describe_state_machine_for_execution(
    call: Call, request: DescribeStateMachineForExecutionInput
) -> DescribeStateMachineForExecutionOutput:
    """The machine as it was when the execution started. Raises InvalidArn, ExecutionDoesNotExist."""
    execution = execution_by_arn(call, request["executionArn"])
    machine = MACHINES.get(call.tx, execution.account_id, execution.region, execution.machine)
    result: Any = {
        "stateMachineArn": execution.machine_arn,
        "name": execution.machine,
        "definition": execution.definition,
        "roleArn": execution.role_arn,
        "updateDate": execution.started_at if machine is None else machine.updated_at,
        "loggingConfiguration": dict(NO_LOGGING) if machine is None else machine.logging,
        "tracingConfiguration": dict(NO_TRACING) if machine is None else machine.tracing,
    }
    if execution.revision_id:
        result["revisionId"] = execution.revision_id
    if execution.map_run_arn is not None:
        result["mapRunArn"] = execution.map_run_arn
        result["label"] = execution.machine_arn.rpartition("/")[2]
    references = variable_references(loads(execution.definition))
    if references:
        result["variableReferences"] = references
    return result  # type: ignore[no-any-return]


@read_only
def list_state_machines(call: Call, request: ListStateMachinesInput) -> ListStateMachinesOutput:
    """Raises InvalidToken."""
    found = list(MACHINES.scan(call.tx, call.account_id, call.region))
    chosen, following = page(found, request)
    result: ListStateMachinesOutput = {
        "stateMachines": [
            {
                "stateMachineArn": machine_arn(call, machine.name),
                "name": machine.name,
                "type": machine.type,
                "creationDate": machine.created_at,
            }
            for machine in chosen
        ]
    }
    if following is not None:
        result["nextToken"] = following
    return result


@read_only
def validate_state_machine_definition(
    call: Call, request: ValidateStateMachineDefinitionInput
) -> ValidateStateMachineDefinitionOutput:
    """Every rule here is an ERROR; asking for warnings too finds no more."""
    found = diagnose(request["definition"], request.get("type", "STANDARD"))
    most = request.get("maxResults") or MOST_DIAGNOSTICS
    diagnostics = []
    for one in found[:most]:
        entry = {"severity": "ERROR", "code": one.code, "message": one.message}
        if one.location is not None:
            entry["location"] = one.location
        diagnostics.append(entry)
    return {"result": "FAIL" if found else "OK", "diagnostics": diagnostics, "truncated": len(found) > most}  # type: ignore[typeddict-item]
