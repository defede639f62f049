"""Executions: starting, stopping, describing."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.stepfunctions import versions
from cloudlet.emulator.services.stepfunctions.api import (
    DescribeExecutionInput,
    DescribeExecutionOutput,
    InvalidExecutionInput,
    ListExecutionsInput,
    ListExecutionsOutput,
    RedriveExecutionInput,
    RedriveExecutionOutput,
    StartExecutionInput,
    StartExecutionOutput,
    StartSyncExecutionInput,
    StartSyncExecutionOutput,
    StopExecutionInput,
    StopExecutionOutput,
    ValidationException,
)
from cloudlet.emulator.services.stepfunctions.asl.json_text import complaint, loads
from cloudlet.emulator.services.stepfunctions.engine import endings, redriving, starting
from cloudlet.emulator.services.stepfunctions.engine.advance import continued
from cloudlet.emulator.services.stepfunctions.errors import execution_exists, only_standard
from cloudlet.emulator.services.stepfunctions.lookup import Chosen, execution_by_arn, machine_by_arn
from cloudlet.emulator.services.stepfunctions.names import check_name, execution_arn, machine_arn, read
from cloudlet.emulator.services.stepfunctions.paging import page
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, Execution

SYNC_SECONDS = 300.0  # "Synchronous Express Workflows": at most five minutes
BILLED_MILLISECONDS = 100
BILLED_MEGABYTES = 64


@read_write
def start_execution(call: Call, request: StartExecutionInput) -> StartExecutionOutput:
    """Idempotent for standard workflows: the same name and input is the execution that runs.

    Raises StateMachineDoesNotExist, InvalidArn, InvalidName, InvalidExecutionInput, ExecutionAlreadyExists.
    """
    chosen = machine_by_arn(call, request["stateMachineArn"])
    made = execution_of(call, chosen, request)
    existing = EXECUTIONS.get(call.tx, made.arn)
    if existing is not None:
        if existing.status != "RUNNING" or existing.input != made.input:
            raise execution_exists(made.arn)
        return {"executionArn": existing.arn, "startDate": existing.started_at}
    starting.begin(call, made)
    return {"executionArn": made.arn, "startDate": made.started_at}


def execution_of(call: Call, chosen: Chosen, request: Any) -> Execution:
    """The record of an execution that has not begun. Raises InvalidName, InvalidExecutionInput."""
    text = request.get("input", "{}")
    check_input(text)
    name = request.get("name") or call.ids.uuid()
    check_name(name)
    machine = chosen.machine
    version = chosen.version
    if chosen.alias is not None:
        version = versions.routed(call, chosen.alias, call.ids.random())
    source = version or machine
    where = call.at(machine.account_id, machine.region)
    arn = machine_arn(where, machine.name)
    logging = source.logging if source.logging.get("level", "OFF") != "OFF" else None
    return Execution(
        arn=execution_arn(where, machine.type, machine.name, name, call.ids.uuid()),
        account_id=machine.account_id,
        region=machine.region,
        machine=machine.name,
        name=name,
        type=machine.type,
        machine_arn=arn,
        version_arn=None if version is None else f"{arn}:{version.number}",
        alias_arn=None if chosen.alias is None else f"{arn}:{chosen.alias.alias}",
        definition=source.definition,
        role_arn=source.role_arn,
        revision_id=source.revision_id,
        input=text,
        started_at=call.now,
        trace_header=request.get("traceHeader"),
        logging=logging,
    )


def check_input(text: str) -> None:
    """Raises InvalidExecutionInput."""
    try:
        loads(text)
    except ValueError:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{complaint(text)}'") from None


async def start_sync_execution(call: Call, request: StartSyncExecutionInput) -> StartSyncExecutionOutput:
    """Of an express workflow: start it, and wait for its end.

    Raises StateMachineDoesNotExist, StateMachineTypeNotSupported, InvalidArn, InvalidName, InvalidExecutionInput.
    """
    with call.transaction():
        chosen = machine_by_arn(call, request["stateMachineArn"])
        if chosen.machine.type != "EXPRESS":
            raise only_standard()
        made = execution_of(call, chosen, request)
        starting.begin(call, made, at_once=True)
    end = monotonic() + SYNC_SECONDS
    while True:
        with call.transaction(read_only=True) as tx:
            found = EXECUTIONS.get(tx, made.arn)
        if found is None or found.status != "RUNNING":
            break
        if monotonic() >= end:
            with call.transaction(), continued(call, made.arn) as run:
                if run is not None:
                    endings.time_out(run)
            continue
        await call.changed(EXECUTIONS.key(made.arn), max(end - monotonic(), 0.01))
    return sync_result(found or made)


def sync_result(execution: Execution) -> StartSyncExecutionOutput:
    stopped = execution.stopped_at or execution.started_at
    milliseconds = max(int((stopped - execution.started_at) * 1000), 1)
    billed = -(-milliseconds // BILLED_MILLISECONDS) * BILLED_MILLISECONDS
    result: StartSyncExecutionOutput = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "startDate": execution.started_at,
        "stopDate": stopped,
        "status": execution.status,
        "input": execution.input,
        "inputDetails": {"included": True},
        "billingDetails": {"billedMemoryUsedInMB": BILLED_MEGABYTES, "billedDurationInMilliseconds": billed},
    }
    if execution.output is not None:
        result["output"] = execution.output
        result["outputDetails"] = {"included": True}
    if execution.error is not None:
        result["error"] = execution.error
    if execution.cause is not None:
        result["cause"] = execution.cause
    if execution.trace_header is not None:
        result["traceHeader"] = execution.trace_header
    return result


@read_write
def stop_execution(call: Call, request: StopExecutionInput) -> StopExecutionOutput:
    """One that is over stays as it is. Raises ExecutionDoesNotExist, InvalidArn."""
    execution = execution_by_arn(call, request["executionArn"])
    with continued(call, execution.arn) as run:
        if run is None:
            return {"stopDate": execution.stopped_at or call.now}
        endings.abort(run, request.get("error"), request.get("cause"))
    return {"stopDate": call.now}


@read_write
def redrive_execution(call: Call, request: RedriveExecutionInput) -> RedriveExecutionOutput:
    """Go on where a standard workflow failed. Raises ExecutionDoesNotExist, ExecutionNotRedrivable, InvalidArn."""
    execution = execution_by_arn(call, request["executionArn"])
    redriving.redrive(call, execution)
    return {"redriveDate": call.now}


@read_only
def describe_execution(call: Call, request: DescribeExecutionInput) -> DescribeExecutionOutput:
    """Raises ExecutionDoesNotExist, InvalidArn."""
    execution = execution_by_arn(call, request["executionArn"])
    result: DescribeExecutionOutput = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started_at,
        "input": execution.input,
        "inputDetails": {"included": True},
        "redriveCount": execution.redrive_count,
    }
    if execution.output is not None:
        result["output"] = execution.output
        result["outputDetails"] = {"included": True}
    optional = {
        "stopDate": execution.stopped_at,
        "error": execution.error,
        "cause": execution.cause,
        "traceHeader": execution.trace_header,
        "mapRunArn": execution.map_run_arn,
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        "redriveDate": execution.redriven_at,
    }
    result |= {name: value for name, value in optional.items() if value is not None}  # type: ignore[typeddict-item]
    reason = redriving.refusal(execution, call.now)
    result["redriveStatus"] = redriving.status_of(execution, call.now)
    if reason is not None:
        result["redriveStatusReason"] = reason
    return result


@read_only
def list_executions(call: Call, request: ListExecutionsInput) -> ListExecutionsOutput:
    """Newest first. Raises StateMachineDoesNotExist, StateMachineTypeNotSupported, InvalidArn, InvalidToken."""
    machine = request.get("stateMachineArn")
    map_run = request.get("mapRunArn")
    if (machine is None) == (map_run is None):
        raise ValidationException(
            "Must provide a State Machine ARN or Map Run ARN", reason="MISSING_REQUIRED_PARAMETER"
        )
    if machine is not None:
        found = list_of_machine(call, machine)
    else:
        read(map_run or "", "mapRun")
        found = list(EXECUTIONS.lookup(call.tx, "by_map_run", map_run))
    status = request.get("statusFilter")
    if status is not None:
        found = [execution for execution in found if execution.status == status]
    redriven = request.get("redriveFilter")
    if redriven is not None:
        found = [one for one in found if (one.redrive_count > 0) == (redriven == "REDRIVEN")]
    chosen, following = page(found, request)
    result: ListExecutionsOutput = {"executions": [listed(execution) for execution in chosen]}
    if following is not None:
        result["nextToken"] = following
    return result


def list_of_machine(call: Call, text: str) -> list[Execution]:
    chosen = machine_by_arn(call, text)
    if chosen.machine.type != "STANDARD":
        raise only_standard()
    arn = chosen.arn
    found = [
        execution
        for execution in EXECUTIONS.lookup(call.tx, "by_machine", arn.account_id, arn.region, chosen.machine.name)
        if execution.map_run_arn is None
    ]
    if chosen.version is not None:
        return [execution for execution in found if execution.version_arn == text]
    if chosen.alias is not None:
        return [execution for execution in found if execution.alias_arn == text]
    return found


def listed(execution: Execution) -> Any:
    entry = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started_at,
    }
    optional = {
        "stopDate": execution.stopped_at,
        "mapRunArn": execution.map_run_arn,
        "itemCount": execution.item_count,
        "stateMachineVersionArn": execution.version_arn,
        "stateMachineAliasArn": execution.alias_arn,
        "redriveCount": execution.redrive_count,
        "redriveDate": execution.redriven_at,
    }
    return entry | {name: value for name, value in optional.items() if value is not None}
