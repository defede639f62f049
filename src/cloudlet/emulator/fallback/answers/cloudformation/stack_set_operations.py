"""Operations of stack sets: how they begin, what came of them, and stopping them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import machine_of, page, set_of
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.records import Instance, Operation, Result, StackSet
from cloudlet.emulator.fallback.stacks.set_work import Act
from cloudlet.emulator.kernel.errors import UnmodelledError


def check_free(asked: Asked, stack_set: StackSet) -> None:
    """Raises what keeps the request from beginning an operation."""
    operation = stack_set.going_on
    if operation is not None:
        raise UnmodelledError(
            "OperationInProgressException",
            f"Another Operation on StackSet {stack_set.arn} is in progress: {operation.id}",
            409,
        )
    wanted = asked.request.get("OperationId")
    if wanted in stack_set.operations:
        raise UnmodelledError("OperationIdAlreadyExistsException", f"Operation with id {wanted} already exists", 409)
    preferences = asked.request.get("OperationPreferences") or {}
    for one, other in (
        ("FailureToleranceCount", "FailureTolerancePercentage"),
        ("MaxConcurrentCount", "MaxConcurrentPercentage"),
    ):
        if one in preferences and other in preferences:
            raise refused(f"You can specify only one of the following parameters: {one} or {other}")


def begin(asked: Asked, stack_set: StackSet, action: str, instances: Sequence[Instance], act: Act) -> dict[str, Any]:
    """Carry an operation out on these instances; its id is the request's, or a new one."""
    request, machine = asked.request, machine_of(asked)
    operation = Operation(request.get("OperationId") or machine.ids.uuid(), action, machine.now())
    operation.preferences = dict(request.get("OperationPreferences") or {})
    operation.targets = request.get("DeploymentTargets")
    operation.retain = request.get("RetainStacks")
    order = {region: at for at, region in enumerate(operation.preferences.get("RegionOrder") or ())}
    regions = list(dict.fromkeys(instance.region for instance in instances))
    regions.sort(key=lambda region: order.get(region, len(order)))  # others keep their order, after these
    arranged = sorted(instances, key=lambda instance: regions.index(instance.region))
    machine.set_work.start(stack_set, operation, arranged, act)
    return {"OperationId": operation.id}


def operation_of(asked: Asked, stack_set: StackSet) -> Operation:
    """Raises `OperationNotFoundException`."""
    name = asked.request["OperationId"]
    if name not in stack_set.operations:
        raise UnmodelledError("OperationNotFoundException", f"Operation {name} not found", 404)
    return stack_set.operations[name]


def describe_operation(asked: Asked) -> dict[str, Any]:
    stack_set = set_of(asked)
    operation = operation_of(asked, stack_set)
    made = {
        **summary(operation),
        "StackSetId": stack_set.id,
        "RetainStacks": operation.retain,
        "AdministrationRoleARN": stack_set.administration_role,
        "ExecutionRoleName": stack_set.execution_role,
        "DeploymentTargets": operation.targets,
    }
    return {"StackSetOperation": {name: value for name, value in made.items() if value is not None}}


def summary(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "StatusReason": operation.reason or None,
        "CreationTimestamp": operation.created,
        "EndTimestamp": operation.ended,
        "OperationPreferences": operation.preferences,
    }
    if operation.ended is not None:
        failed = sum(result.status == "FAILED" for result in operation.results)
        made["StatusDetails"] = {"FailedStackInstancesCount": failed}
    return {name: value for name, value in made.items() if value is not None}


def list_operations(asked: Asked) -> dict[str, Any]:
    """Newest first."""
    operations = list(set_of(asked).operations.values())[::-1]
    return page(asked, "Summaries", operations, summary, asked.request.get("MaxResults") or 100)


def list_results(asked: Asked) -> dict[str, Any]:
    found = list(operation_of(asked, set_of(asked)).results)
    for wanted in asked.request.get("Filters") or ():
        if wanted.get("Name") == "OPERATION_RESULT_STATUS":
            found = [result for result in found if result.status in str(wanted.get("Values", "")).split(",")]
    return page(asked, "Summaries", found, result_form, asked.request.get("MaxResults") or 100)


def result_form(result: Result) -> dict[str, Any]:
    made = {
        "Account": result.account,
        "Region": result.region,
        "Status": result.status,
        "StatusReason": result.reason or None,
        "OrganizationalUnitId": result.unit,
        "AccountGateResult": {
            "Status": "SKIPPED",
            "StatusReason": f"Function not found: arn:aws:lambda:{result.region}:{result.account}:"
            "function:AWSCloudFormationStackSetAccountGate",
        },
    }
    return {name: value for name, value in made.items() if value is not None}


def stop_operation(asked: Asked) -> dict[str, Any]:
    """The instance that is worked on is finished; what comes after it is cancelled."""
    operation = operation_of(asked, set_of(asked))
    with machine_of(asked).lock():
        if not operation.is_going_on:
            raise UnmodelledError(
                "InvalidOperationException", f"Operation {operation.id} is in {operation.status} state", 400
            )
        operation.status = "STOPPING"
    return {}
