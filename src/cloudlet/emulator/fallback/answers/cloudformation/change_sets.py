"""Change sets: made, shown, carried out, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudformation.asking import machine_of, page, shelf_of
from cloudlet.emulator.fallback.answers.cloudformation.stacks import begin_update, check_updatable
from cloudlet.emulator.fallback.stacks import capabilities, changes, templates
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.names import CHANGE_SET_NAME, check_stack_name
from cloudlet.emulator.fallback.stacks.parameters import shown
from cloudlet.emulator.fallback.stacks.records import ChangeSet, Stack
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def create_change_set(asked: Asked) -> dict[str, Any]:
    request, machine, shelf = asked.request, machine_of(asked), shelf_of(asked)
    check_change_set_name(request["ChangeSetName"])
    kind = request.get("ChangeSetType") or "UPDATE"
    if kind == "IMPORT" or request.get("ResourcesToImport"):
        raise refused("Importing existing resources into a stack is not supported: ChangeSetType IMPORT")
    given = request["StackName"]
    there = shelf.find(given)
    if kind == "CREATE":
        stack = stack_for_creation(asked, there)
    else:
        if there is None:
            raise refused(f"Stack [{given}] does not exist")
        if there.status == "REVIEW_IN_PROGRESS":
            raise refused(f"Stack [{there.name}] is in REVIEW_IN_PROGRESS state and can not be updated.")
        check_updatable(there)
        stack = there
    same = [
        made
        for made in shelf.change_sets.values()
        if made.stack_id == stack.id and made.name == request["ChangeSetName"]
    ]
    if any(made.execution in ("AVAILABLE", "UNAVAILABLE") for made in same):
        raise UnmodelledError(
            "AlreadyExistsException",
            f"ChangeSet {request['ChangeSetName']} cannot be created due to a mismatch with existing attribute Template",
            400,
        )
    change_set = prepared_change_set(asked, stack, kind)
    with machine.lock():
        if stack.id not in shelf.stacks:
            shelf.stacks[stack.id] = stack
            machine.journal.stack(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        for made in same:
            del shelf.change_sets[made.id]
        shelf.change_sets[change_set.id] = change_set
    return {"Id": change_set.id, "StackId": stack.id}


def check_change_set_name(name: str) -> None:
    if not name.startswith("arn:") and not CHANGE_SET_NAME.fullmatch(name):
        raise refused(
            f"1 validation error detected: Value '{name}' at 'changeSetName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def stack_for_creation(asked: Asked, there: Stack | None) -> Stack:
    """The stack in review that the change set is for; made now if there is none."""
    name = asked.request["StackName"]
    if there is not None:
        if there.status != "REVIEW_IN_PROGRESS":
            raise refused(
                f"Stack [{there.name}] already exists and cannot be created again with the changeSet "
                f"[{asked.request['ChangeSetName']}]."
            )
        return there
    check_stack_name(name)
    return templates.blank(machine_of(asked), asked.call.account_id, asked.call.region, name)


def prepared_change_set(asked: Asked, stack: Stack, kind: str) -> ChangeSet:
    """The change set with its changes; FAILED where a macro fails or nothing changes. Raises AwsError."""
    request, machine = asked.request, machine_of(asked)
    after = replace(stack)
    templates.options(after, request)
    identifier = f"arn:aws:cloudformation:{stack.region}:{stack.account}:changeSet/{request['ChangeSetName']}/{machine.ids.uuid()}"
    made = ChangeSet(
        identifier, request["ChangeSetName"], stack.id, stack.name, kind, machine.now(), "", {}, {},
        description=request.get("Description"),
        capabilities=list(request.get("Capabilities") or []),
        tags=after.tags,
        notification_arns=after.notification_arns,
        rollback=after.rollback,
        role_arn=after.role_arn,
        on_failure=request.get("OnStackFailure"),
        nested=bool(request.get("IncludeNestedStacks")),
    )  # fmt: skip
    try:
        prepared = templates.prepare(machine, after, request, stack if kind != "CREATE" else None)
    except AwsError as error:
        if not error.message.startswith(("Transform ", "No transform")):
            raise
        made.status, made.execution, made.reason = "FAILED", "UNAVAILABLE", error.message
        return made
    capabilities.check(prepared.original, prepared.template, made.capabilities, is_reviewed=True)
    templates.plan_of(machine, after, prepared)
    after.text, after.template, after.parameters = prepared.text, prepared.template, prepared.parameters
    made.text, made.template, made.parameters = prepared.text, prepared.template, prepared.parameters
    made.detailed_changes = changes.of(machine, stack, after)
    made.changes = changes.without_values(made.detailed_changes)
    if kind != "CREATE" and not changes.is_changed(machine, stack, after):
        made.status, made.execution, made.reason = "FAILED", "UNAVAILABLE", NO_CHANGES
    return made


def find(asked: Asked) -> ChangeSet | None:
    """The change set that the request names: by its id, or by its name and its stack's. Raises `ValidationError`."""
    name, stack_name = asked.request["ChangeSetName"], asked.request.get("StackName")
    shelf = shelf_of(asked)
    if name.startswith("arn:"):
        return shelf.change_sets.get(name)
    if not stack_name:
        raise refused("StackName must be specified if ChangeSetName is not specified as an ARN.")
    stack = shelf.find(stack_name)
    if stack is None:
        raise refused(f"Stack [{stack_name}] does not exist")
    return next((made for made in shelf.change_sets.values() if made.name == name and made.stack_id == stack.id), None)


def found(asked: Asked) -> ChangeSet:
    change_set = find(asked)
    if change_set is None:
        raise UnmodelledError("ChangeSetNotFound", f"ChangeSet [{asked.request['ChangeSetName']}] does not exist", 404)
    return change_set


def describe_change_set(asked: Asked) -> dict[str, Any]:
    made = found(asked)
    listed = made.detailed_changes if asked.request.get("IncludePropertyValues") else made.changes
    result = {
        "ChangeSetName": made.name,
        "ChangeSetId": made.id,
        "StackId": made.stack_id,
        "StackName": made.stack_name,
        "Description": made.description,
        "Parameters": shown(made.parameters) or None,
        "CreationTime": made.created,
        "ExecutionStatus": made.execution,
        "Status": made.status,
        "StatusReason": made.reason or None,
        "NotificationARNs": made.notification_arns,
        "RollbackConfiguration": made.rollback,
        "Capabilities": made.capabilities,
        "Tags": made.tags or None,
        "IncludeNestedStacks": made.nested,
        "OnStackFailure": made.on_failure,
        **page(asked, "Changes", listed, lambda change: change),
    }
    return {name: value for name, value in result.items() if value is not None}


def list_change_sets(asked: Asked) -> dict[str, Any]:
    shelf = shelf_of(asked)
    stack = shelf.find(asked.request["StackName"])
    if stack is None:
        raise refused(f"Stack [{asked.request['StackName']}] does not exist")
    listed = [
        made
        for made in shelf.change_sets.values()
        if made.stack_id == stack.id and made.execution != "EXECUTE_COMPLETE"
    ]
    return page(asked, "Summaries", listed, summary)


def summary(made: ChangeSet) -> dict[str, Any]:
    result = {
        "StackId": made.stack_id,
        "StackName": made.stack_name,
        "ChangeSetId": made.id,
        "ChangeSetName": made.name,
        "ExecutionStatus": made.execution,
        "Status": made.status,
        "StatusReason": made.reason or None,
        "CreationTime": made.created,
        "Description": made.description,
        "IncludeNestedStacks": made.nested,
    }
    return {name: value for name, value in result.items() if value is not None}


def delete_change_set(asked: Asked) -> dict[str, Any]:
    """One that is not there is no error."""
    change_set = find(asked)
    if change_set is not None:
        if change_set.execution == "EXECUTE_IN_PROGRESS":
            raise invalid_status(change_set, "deleted")
        with machine_of(asked).lock():
            shelf_of(asked).change_sets.pop(change_set.id, None)
    return {}


def invalid_status(change_set: ChangeSet, verb: str) -> UnmodelledError:
    status = change_set.status if change_set.status != "CREATE_COMPLETE" else change_set.execution
    return UnmodelledError(
        "InvalidChangeSetStatus",
        f"ChangeSet [{change_set.id}] cannot be {verb} in its current status of [{status}]",
        400,
    )


def execute_change_set(asked: Asked) -> dict[str, Any]:
    machine, shelf, made = machine_of(asked), shelf_of(asked), found(asked)
    if made.execution != "AVAILABLE":
        raise invalid_status(made, "executed")
    stack = shelf.stacks[made.stack_id]
    is_new = stack.status == "REVIEW_IN_PROGRESS"
    if not is_new:
        check_updatable(stack)
    with machine.lock():
        made.execution = "EXECUTE_IN_PROGRESS"
        others = [one.id for one in shelf.change_sets.values() if one.stack_id == stack.id and one is not made]
        for identifier in others:
            del shelf.change_sets[identifier]
    after = replace(stack)
    after.text, after.template, after.parameters = made.text, made.template, made.parameters
    after.tags, after.notification_arns, after.role_arn = made.tags, made.notification_arns, made.role_arn
    after.capabilities, after.rollback = made.capabilities, made.rollback
    stack.change_set_id, stack.rollback = made.id, made.rollback
    if is_new:
        begin_creation(asked, stack, after, made)
    else:
        begin_update(asked, stack)
        machine.start(stack, finishing(machine.work.update, made), after)
    return {}


def begin_creation(asked: Asked, stack: Stack, after: Stack, made: ChangeSet) -> None:
    machine = machine_of(asked)
    with machine.lock():
        stack.text, stack.template, stack.parameters = after.text, after.template, after.parameters
        stack.tags, stack.notification_arns, stack.role_arn = after.tags, after.notification_arns, after.role_arn
        stack.capabilities = after.capabilities
        stack.token = asked.request.get("ClientRequestToken")
        stack.disable_rollback = bool(asked.request.get("DisableRollback"))
        stack.on_failure = made.on_failure or "ROLLBACK"
        stack.updated = machine.now()
    machine.journal.stack(stack, "CREATE_IN_PROGRESS", "User Initiated")
    machine.start(stack, finishing(machine.work.create, made))


def finishing(work: Any, made: ChangeSet) -> Any:
    """The work, and what became of the change set."""

    def carry_out(stack: Stack, *arguments: Any) -> None:
        work(stack, *arguments)
        made.execution = (
            "EXECUTE_COMPLETE" if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else "EXECUTE_FAILED"
        )

    return carry_out
