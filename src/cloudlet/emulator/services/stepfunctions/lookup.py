"""Finding what an ARN names."""

from __future__ import annotations

from typing import NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.stepfunctions.errors import no_such_activity, no_such_execution, no_such_machine
from cloudlet.emulator.services.stepfunctions.names import Arn, read
from cloudlet.emulator.services.stepfunctions.records import (
    ACTIVITIES,
    ALIASES,
    EXECUTIONS,
    MACHINES,
    VERSIONS,
    Activity,
    Alias,
    Execution,
    Machine,
    Version,
)


class Chosen(NamedTuple):
    """What an ARN of a state machine names: the machine, and the version or alias that it is qualified with."""

    arn: Arn
    machine: Machine
    version: Version | None = None
    alias: Alias | None = None


def machine_by_arn(call: Call, text: str) -> Chosen:
    """Raises InvalidArn, StateMachineDoesNotExist."""
    arn = read(text, "stateMachine")
    machine = MACHINES.get(call.tx, arn.account_id, arn.region, arn.name.partition("/")[0])
    if machine is None:
        raise no_such_machine(text)
    if not arn.qualifier:
        return Chosen(arn, machine)
    if arn.version is not None:
        version = VERSIONS.get(call.tx, arn.account_id, arn.region, arn.name, arn.version)
        if version is None:
            raise no_such_machine(text)
        return Chosen(arn, machine, version=version)
    alias = ALIASES.get(call.tx, arn.account_id, arn.region, arn.name, arn.qualifier)
    if alias is None:
        raise no_such_machine(text)
    return Chosen(arn, machine, alias=alias)


def execution_by_arn(call: Call, text: str, *, express: bool = False) -> Execution:
    """Raises InvalidArn, ExecutionDoesNotExist."""
    read(text, "execution", *(["express"] if express else []))
    found = EXECUTIONS.get(call.tx, text)
    if found is None:
        raise no_such_execution(text)
    return found


def activity_by_arn(call: Call, text: str) -> Activity:
    """Raises InvalidArn, ActivityDoesNotExist."""
    arn = read(text, "activity")
    found = ACTIVITIES.get(call.tx, arn.account_id, arn.region, arn.name)
    if found is None:
        raise no_such_activity(text)
    return found
