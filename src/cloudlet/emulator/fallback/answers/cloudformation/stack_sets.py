"""CreateStackSet, UpdateStackSet, DeleteStackSet and what is asked about stack sets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import DRIFT, machine_of, page, set_of, shelf_of
from cloudlet.emulator.fallback.answers.cloudformation.stack_set_operations import begin, check_free
from cloudlet.emulator.fallback.answers.cloudformation.targets import check_model, instances_of, missing_instances
from cloudlet.emulator.fallback.stacks import capabilities, templates
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.names import STACK_NAME
from cloudlet.emulator.fallback.stacks.parameters import shown
from cloudlet.emulator.fallback.stacks.records import Stack, StackSet
from cloudlet.emulator.kernel.errors import UnmodelledError

ADMINISTRATION_ROLE = "arn:aws:iam::{}:role/AWSCloudFormationStackSetAdministrationRole"
EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"
TEMPLATE_MEMBERS = ("TemplateBody", "TemplateURL")


def create_stack_set(asked: Asked) -> dict[str, Any]:
    request, machine = asked.request, machine_of(asked)
    name, token = request["StackSetName"], request.get("ClientRequestToken")
    if not STACK_NAME.fullmatch(name):
        raise refused(
            f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]{0,127}"
        )
    there = shelf_of(asked).find_set(name)
    if there is not None:
        if token and there.token == token:
            return {"StackSetId": there.id}
        raise UnmodelledError("NameAlreadyExistsException", f"StackSet {name} already exists", 409)
    model = request.get("PermissionModel") or "SELF_MANAGED"
    check_model(request, model)
    account, region = asked.call.account_id, asked.call.region
    pattern = pattern_of(asked, templates.blank(machine, account, region, name), with_template(asked), None)
    made = StackSet(f"{name}:{machine.ids.uuid()}", name, pattern, model, token=token)
    if model == "SELF_MANAGED":
        made.administration_role = ADMINISTRATION_ROLE.format(account)
        made.execution_role = EXECUTION_ROLE
    options(made, request)
    with machine.lock():
        shelf_of(asked).sets[made.id] = made
    return {"StackSetId": made.id}


def with_template(asked: Asked) -> dict[str, Any]:
    """The request; the template of the stack that it names instead is in it. Raises `ValidationError`."""
    request = asked.request
    if not request.get("StackId"):
        return request
    if any(request.get(member) for member in TEMPLATE_MEMBERS):
        raise refused("You can specify only one of the following parameters: StackId, TemplateBody or TemplateURL")
    stack = shelf_of(asked).find(request["StackId"])
    if stack is None:
        raise refused(f"Stack with id {request['StackId']} does not exist")
    return {**request, "TemplateBody": stack.text}


def pattern_of(asked: Asked, pattern: Stack, request: dict[str, Any], before: Stack | None) -> Stack:
    """What the request makes of the pattern of a stack set's stacks. Raises AwsError."""
    machine = machine_of(asked)
    templates.options(pattern, {name: request[name] for name in ("Capabilities", "Tags") if name in request})
    prepared = templates.prepare(machine, pattern, request, before)
    capabilities.check(prepared.original, prepared.template, pattern.capabilities)
    pattern.text, pattern.template, pattern.parameters = prepared.text, prepared.template, prepared.parameters
    return pattern


def options(stack_set: StackSet, request: dict[str, Any]) -> None:
    """What a request says of a stack set beside its stacks."""
    if "Description" in request:
        stack_set.description = request["Description"]
    if stack_set.permission_model == "SELF_MANAGED":
        stack_set.administration_role = request.get("AdministrationRoleARN") or stack_set.administration_role
        stack_set.execution_role = request.get("ExecutionRoleName") or stack_set.execution_role
    if "AutoDeployment" in request:
        stack_set.auto_deployment = request["AutoDeployment"]
    if "ManagedExecution" in request:
        stack_set.managed_execution = dict(request["ManagedExecution"] or {})


def update_stack_set(asked: Asked) -> dict[str, Any]:
    """All instances are brought up to date, or those that the request names; the others are OUTDATED then."""
    request, machine = asked.request, machine_of(asked)
    stack_set = set_of(asked)
    check_free(asked, stack_set)
    model = request.get("PermissionModel") or stack_set.permission_model
    check_model(request, model)
    if model != stack_set.permission_model and stack_set.instances:
        raise refused("Cannot change the permission model of a stack set that has stack instances")
    if any(request.get(member) for member in ("Accounts", "Regions", "DeploymentTargets")):
        chosen = instances_of(asked, stack_set)
        missing_instances(stack_set, chosen)
    else:
        chosen = list(stack_set.instances.values())
    pattern = pattern_of(asked, replace(stack_set.pattern), request, stack_set.pattern)
    with machine.lock():
        stack_set.pattern, stack_set.permission_model = pattern, model
        options(stack_set, request)
        for instance in stack_set.instances.values():
            instance.status = "OUTDATED"
    return begin(asked, stack_set, "UPDATE", chosen, machine.set_work.bring_up_to_date)


def delete_stack_set(asked: Asked) -> dict[str, Any]:
    """One that is not there is no error, as for stacks."""
    stack_set = shelf_of(asked).find_set(asked.request["StackSetName"])
    if stack_set is None:
        return {}
    operation = stack_set.going_on
    if operation is not None:
        check_free(asked, stack_set)
    if stack_set.instances:
        raise UnmodelledError("StackSetNotEmptyException", "StackSet is not empty", 409)
    with machine_of(asked).lock():
        stack_set.status = "DELETED"
    return {}


def describe_stack_set(asked: Asked) -> dict[str, Any]:
    stack_set = set_of(asked)
    pattern = stack_set.pattern
    made = {
        **summary(stack_set),
        "TemplateBody": pattern.text,
        "Parameters": shown(pattern.parameters),
        "Capabilities": pattern.capabilities,
        "Tags": pattern.tags,
        "StackSetARN": stack_set.arn,
        "AdministrationRoleARN": stack_set.administration_role,
        "ExecutionRoleName": stack_set.execution_role,
        "OrganizationalUnitIds": stack_set.units,
        "Regions": list(dict.fromkeys(instance.region for instance in stack_set.instances.values())),
        "StackSetDriftDetectionDetails": {"DriftStatus": DRIFT, "TotalStackInstancesCount": len(stack_set.instances)},
    }
    del made["DriftStatus"]
    return {"StackSet": {name: value for name, value in made.items() if value is not None}}


def summary(stack_set: StackSet) -> dict[str, Any]:
    made = {
        "StackSetName": stack_set.name,
        "StackSetId": stack_set.id,
        "Description": stack_set.description,
        "Status": stack_set.status,
        "AutoDeployment": stack_set.auto_deployment,
        "PermissionModel": stack_set.permission_model,
        "DriftStatus": DRIFT,
        "ManagedExecution": {"Active": False, **stack_set.managed_execution},
    }
    return {name: value for name, value in made.items() if value is not None}


def list_stack_sets(asked: Asked) -> dict[str, Any]:
    wanted = asked.request.get("Status")
    found = [one for one in shelf_of(asked).sets.values() if wanted in (None, one.status)]
    return page(asked, "Summaries", found, summary, asked.request.get("MaxResults") or 100)


def list_auto_deployment_targets(asked: Asked) -> dict[str, Any]:
    stack_set = set_of(asked)
    regions = {
        unit: sorted({instance.region for instance in stack_set.instances.values() if instance.unit == unit})
        for unit in stack_set.units
    }
    return page(
        asked,
        "Summaries",
        [{"OrganizationalUnitId": unit, "Regions": found} for unit, found in regions.items()],
        lambda entry: entry,
        asked.request.get("MaxResults") or 100,
    )
