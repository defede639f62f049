"""CreateStack, UpdateStack, DeleteStack and what is asked about stacks."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import DRIFT, machine_of, page, shelf_of, stack_of
from cloudlet.emulator.fallback.stacks import policy, templates
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.names import check_stack_name
from cloudlet.emulator.fallback.stacks.outputs import in_use
from cloudlet.emulator.fallback.stacks.parameters import shown
from cloudlet.emulator.fallback.stacks.records import Stack
from cloudlet.emulator.kernel.errors import UnmodelledError

UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_FAILED",
        "CREATE_FAILED",
    }
)
NO_UPDATES = "No updates are to be performed."


def create_stack(asked: Asked) -> dict[str, Any]:
    request, machine = asked.request, machine_of(asked)
    check_stack_name(request["StackName"])
    if request.get("OnFailure") and request.get("DisableRollback") is not None:
        raise refused("You can specify only one of the following parameters: OnFailure or DisableRollback")
    shelf = shelf_of(asked)
    with machine.lock():
        there = shelf.find(request["StackName"])
        if there is not None and there.status != "REVIEW_IN_PROGRESS":
            raise UnmodelledError("AlreadyExistsException", f"Stack [{request['StackName']}] already exists", 400)
    policy_text = policy_of(asked, "StackPolicyBody", "StackPolicyURL")
    stack = templates.new_stack(machine, asked.call.account_id, asked.call.region, request)
    stack.disable_rollback = bool(request.get("DisableRollback"))
    stack.on_failure = request.get("OnFailure") or "ROLLBACK"
    stack.protected = bool(request.get("EnableTerminationProtection"))
    stack.timeout_minutes = request.get("TimeoutInMinutes")
    stack.policy = policy_text
    machine.journal.stack(stack, "CREATE_IN_PROGRESS", "User Initiated")
    machine.start(stack, machine.work.create)
    return {"StackId": stack.id}


def policy_of(asked: Asked, body: str, url: str) -> str | None:
    """A stack policy that the request brings. Raises `ValidationError`."""
    text: str | None = asked.request.get(body)
    if asked.request.get(url):
        if text:
            raise refused("You cannot specify both StackPolicyURL and StackPolicyBody")
        text = machine_of(asked).read_url(asked.call.account_id, asked.call.region, asked.request[url])
    if text:
        policy.check(text)
    return text


def update_stack(asked: Asked) -> dict[str, Any]:
    request, machine = asked.request, machine_of(asked)
    stack = stack_of(asked, "Stack [{}] does not exist")
    check_updatable(stack)
    during = policy_of(asked, "StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL")
    lasting = policy_of(asked, "StackPolicyBody", "StackPolicyURL")
    after = templates.changed_stack(machine, stack, request)
    if after is None:
        raise refused(NO_UPDATES)
    begin_update(asked, stack)
    own = lasting or stack.policy
    stack.policy = during or own
    machine.start(stack, update_and_keep_policy(machine, own), after)
    return {"StackId": stack.id}


def update_and_keep_policy(machine: Any, own: str | None) -> Any:
    """The work of an update; a policy for the time of the update alone is gone afterwards."""

    def work(stack: Stack, after: Stack) -> None:
        try:
            machine.work.update(stack, after)
        finally:
            stack.policy = own

    return work


def begin_update(asked: Asked, stack: Stack) -> None:
    machine = machine_of(asked)
    stack.token = asked.request.get("ClientRequestToken")
    stack.disable_rollback = bool(asked.request.get("DisableRollback"))
    machine.journal.stack(stack, "UPDATE_IN_PROGRESS", "User Initiated")


def check_updatable(stack: Stack) -> None:
    if stack.status not in UPDATABLE:
        raise refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def delete_stack(asked: Asked) -> dict[str, Any]:
    request, machine = asked.request, machine_of(asked)
    stack = shelf_of(asked).find(request["StackName"])
    if stack is None:
        return {}
    if stack.protected:
        raise refused(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if stack.parent_id is not None and not request.get("RetainResources"):
        raise refused(f"Nested stack {stack.id} can only be deleted with its root stack")
    retain = request.get("RetainResources") or []
    if retain and stack.status != "DELETE_FAILED":
        raise refused(
            f"Invalid operation on stack [{stack.id}]. RetainResources can only be specified for stacks in the DELETE_FAILED state"
            if stack.status
            else ""
        )
    unknown = [name for name in retain if name not in stack.resources]
    if unknown:
        raise refused(f"The specified resources to retain must be in a valid state. Not found: [{', '.join(unknown)}]")
    if stack.in_progress and stack.status != "DELETE_IN_PROGRESS" and not stack.status.startswith("CREATE"):
        raise refused(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
    if stack.status == "DELETE_IN_PROGRESS":
        return {}
    used = in_use(machine, stack)
    if used is not None:
        raise refused(used)
    stack.token = request.get("ClientRequestToken")
    machine.journal.stack(stack, "DELETE_IN_PROGRESS", "User Initiated")
    machine.start(stack, machine.work.delete, tuple(retain))
    return {}


def describe_stacks(asked: Asked) -> dict[str, Any]:
    if asked.request.get("StackName"):
        found = [stack_of(asked, deleted=True)]
    else:
        found = [stack for stack in newest_first(asked) if not stack.is_deleted]
    return page(asked, "Stacks", found, description)


def newest_first(asked: Asked) -> list[Stack]:
    stacks = list(shelf_of(asked).stacks.values())
    return stacks[::-1]


def description(stack: Stack) -> dict[str, Any]:
    """A stack as DescribeStacks shows it."""
    made: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": stack.change_set_id,
        "Description": stack.template.get("Description"),
        "Parameters": shown(stack.parameters) or None,
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "RollbackConfiguration": stack.rollback,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.notification_arns,
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": stack.capabilities or None,
        "Outputs": stack.outputs or None,
        "RoleARN": stack.role_arn,
        "Tags": stack.tags,
        "EnableTerminationProtection": stack.protected,
        "ParentId": stack.parent_id,
        "RootId": stack.root_id,
        "DriftInformation": {"StackDriftStatus": DRIFT},
    }
    if stack.is_deleted:
        del made["EnableTerminationProtection"], made["ChangeSetId"]
    return {name: value for name, value in made.items() if value is not None}


def list_stacks(asked: Asked) -> dict[str, Any]:
    wanted = asked.request.get("StackStatusFilter")
    found = [stack for stack in newest_first(asked) if not wanted or stack.status in wanted]
    return page(asked, "StackSummaries", found, summary)


def summary(stack: Stack) -> dict[str, Any]:
    made: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": stack.template.get("Description"),
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "ParentId": stack.parent_id,
        "RootId": stack.root_id,
        "DriftInformation": {"StackDriftStatus": DRIFT},
    }
    return {name: value for name, value in made.items() if value is not None}


def update_termination_protection(asked: Asked) -> dict[str, Any]:
    stack = stack_of(asked, "Stack [{}] does not exist")
    if stack.parent_id is not None:
        raise refused(f"Termination protection of the nested stack {stack.id} is set on its root stack")
    with machine_of(asked).lock():
        stack.protected = bool(asked.request["EnableTerminationProtection"])
    return {"StackId": stack.id}


def get_stack_policy(asked: Asked) -> dict[str, Any]:
    stack = stack_of(asked)
    return {"StackPolicyBody": stack.policy} if stack.policy else {}


def set_stack_policy(asked: Asked) -> dict[str, Any]:
    body, url = asked.request.get("StackPolicyBody"), asked.request.get("StackPolicyURL")
    if body and url:
        raise refused("You cannot specify both StackPolicyURL and StackPolicyBody")
    text = policy_of(asked, "StackPolicyBody", "StackPolicyURL")
    stack = stack_of(asked)
    with machine_of(asked).lock():
        stack.policy = text
    return {}


def continue_update_rollback(asked: Asked) -> dict[str, Any]:
    machine = machine_of(asked)
    stack = stack_of(asked, "Stack [{}] does not exist")
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise refused(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
    machine.journal.stack(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
    machine.start(stack, machine.work.roll_back_update, tuple(asked.request.get("ResourcesToSkip") or ()))
    return {}


def rollback_stack(asked: Asked) -> dict[str, Any]:
    machine = machine_of(asked)
    stack = stack_of(asked, "Stack [{}] does not exist")
    if stack.status == "CREATE_FAILED":
        machine.journal.stack(stack, "ROLLBACK_IN_PROGRESS", "User Initiated")
        machine.start(stack, machine.work.roll_back_create)
    elif stack.status == "UPDATE_FAILED":
        machine.journal.stack(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        machine.start(stack, machine.work.roll_back_update)
    else:
        raise refused(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
    return {"StackId": stack.id}


def cancel_update_stack(asked: Asked) -> dict[str, Any]:
    stack = stack_of(asked, "Stack [{}] does not exist")
    if stack.status != "UPDATE_IN_PROGRESS":
        raise refused("CancelUpdateStack cannot be called from current stack status")
    with machine_of(asked).lock():
        stack.cancelled = True
    return {}
