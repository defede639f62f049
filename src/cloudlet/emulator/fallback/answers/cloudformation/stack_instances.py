"""CreateStackInstances, UpdateStackInstances, DeleteStackInstances and what is asked about instances of stack sets."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import DRIFT, machine_of, page, set_of
from cloudlet.emulator.fallback.answers.cloudformation.stack_set_operations import begin, check_free
from cloudlet.emulator.fallback.answers.cloudformation.targets import instances_of, missing_instances, not_found
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.records import Instance, StackSet
from cloudlet.emulator.kernel.errors import UnmodelledError


def create_stack_instances(asked: Asked) -> dict[str, Any]:
    """Instances that are there already are brought up to date, with the overrides of this request."""
    machine = machine_of(asked)
    stack_set = set_of(asked)
    check_free(asked, stack_set)
    chosen = instances_of(asked, stack_set)
    check_overrides(asked, stack_set)
    units = (asked.request.get("DeploymentTargets") or {}).get("OrganizationalUnitIds") or ()
    with machine.lock():
        stack_set.units = list(dict.fromkeys([*stack_set.units, *units]))
        for instance in chosen:
            instance.overrides = list(asked.request.get("ParameterOverrides") or ())
            stack_set.instances[instance.account, instance.region] = instance
    return begin(asked, stack_set, "CREATE", chosen, machine.set_work.bring_up_to_date)


def check_overrides(asked: Asked, stack_set: StackSet) -> None:
    """Raises `ValidationError` for overrides of parameters that the template does not have."""
    names = [entry.get("ParameterKey", "") for entry in asked.request.get("ParameterOverrides") or ()]
    unknown = [name for name in names if name not in stack_set.pattern.parameters]
    if unknown:
        raise refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")


def update_stack_instances(asked: Asked) -> dict[str, Any]:
    """Overrides that the request does not name are gone, unless it says `UsePreviousValue`."""
    machine = machine_of(asked)
    stack_set = set_of(asked)
    check_free(asked, stack_set)
    chosen = instances_of(asked, stack_set)
    missing_instances(stack_set, chosen)
    check_overrides(asked, stack_set)
    with machine.lock():
        for instance in chosen:
            before = {entry["ParameterKey"]: entry for entry in instance.overrides}
            instance.overrides = [
                before.get(entry["ParameterKey"], entry) if entry.get("UsePreviousValue") else entry
                for entry in asked.request.get("ParameterOverrides") or ()
            ]
    return begin(asked, stack_set, "UPDATE", chosen, machine.set_work.bring_up_to_date)


def delete_stack_instances(asked: Asked) -> dict[str, Any]:
    """Of the accounts and regions, those that have an instance."""
    stack_set = set_of(asked)
    check_free(asked, stack_set)
    chosen = instances_of(asked, stack_set)
    there = [instance for instance in chosen if (instance.account, instance.region) in stack_set.instances]
    return begin(asked, stack_set, "DELETE", there, machine_of(asked).set_work.remove)


def import_stacks(asked: Asked) -> dict[str, Any]:
    """Stacks that are there become instances. Raises `StackNotFoundException`."""
    request, machine = asked.request, machine_of(asked)
    stack_set = set_of(asked)
    check_free(asked, stack_set)
    names = list(request.get("StackIds") or ())
    if request.get("StackIdsUrl"):
        text = machine.read_url(asked.call.account_id, asked.call.region, request["StackIdsUrl"])
        names += text.replace(",", " ").split()
    if not names:
        raise refused("At least one stack must be specified")
    chosen = []
    for name in names:
        parts = name.split(":")
        stack = machine.shelf(parts[4], parts[3]).find(name) if len(parts) == 6 else None
        if stack is None:
            raise UnmodelledError("StackNotFoundException", f"Stack with id {name} does not exist", 404)
        if (stack.account, stack.region) in stack_set.instances:
            raise refused(f"StackSet {stack_set.id} has an instance in {stack.account}, {stack.region} already")
        chosen.append(Instance(stack.account, stack.region, stack.id))
    with machine.lock():
        stack_set.instances.update({(instance.account, instance.region): instance for instance in chosen})
    return begin(asked, stack_set, "CREATE", chosen, machine.set_work.adopt)


def describe_stack_instance(asked: Asked) -> dict[str, Any]:
    stack_set = set_of(asked)
    account, region = asked.request["StackInstanceAccount"], asked.request["StackInstanceRegion"]
    instance = stack_set.instances.get((account, region))
    if instance is None:
        raise not_found(stack_set, account, region)
    return {"StackInstance": {**form(stack_set, instance), "ParameterOverrides": instance.overrides}}


def form(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    made = {
        "StackSetId": stack_set.id,
        "Region": instance.region,
        "Account": instance.account,
        "StackId": instance.stack_id or None,
        "Status": instance.status,
        "StatusReason": instance.reason or None,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed},
        "OrganizationalUnitId": instance.unit,
        "DriftStatus": DRIFT,
        "LastOperationId": instance.operation_id or None,
    }
    return {name: value for name, value in made.items() if value is not None}


def list_stack_instances(asked: Asked) -> dict[str, Any]:
    request = asked.request
    stack_set = set_of(asked)
    wanted = {entry.get("Name"): str(entry.get("Values", "")).split(",") for entry in request.get("Filters") or ()}
    found = [
        instance
        for instance in tuple(stack_set.instances.values())
        if request.get("StackInstanceAccount") in (None, instance.account)
        and request.get("StackInstanceRegion") in (None, instance.region)
        and instance.detailed in wanted.get("DETAILED_STATUS", (instance.detailed,))
        and instance.operation_id in wanted.get("LAST_OPERATION_ID", (instance.operation_id,))
        and DRIFT in wanted.get("DRIFT_STATUS", (DRIFT,))
    ]
    return page(asked, "Summaries", found, lambda one: form(stack_set, one), request.get("MaxResults") or 100)
