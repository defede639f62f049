"""Making, changing and deleting stacks, resource by resource, and going back when one fails.

create     levels of the plan in order; a failure rolls back: what was made is deleted in reverse order
update     new and changed ones in order, then what is no longer wanted; a failure goes back to the stack before
delete     in reverse order; what cannot be deleted leaves the stack DELETE_FAILED
recover    what a stop cut off

Statuses and reasons: CloudFormation User Guide, "Understand CloudFormation stack creation events", "Choose how to handle
failures when provisioning resources".
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudlet.emulator.fallback.stacks.errors import Failed
from cloudlet.emulator.fallback.stacks.outputs import Outputs
from cloudlet.emulator.fallback.stacks.plan import Plan, levels
from cloudlet.emulator.fallback.stacks.records import Stack, StackResource
from cloudlet.emulator.fallback.stacks.steps import Steps
from cloudlet.emulator.kernel.errors import AwsError

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine

# What a stack is given back when its update is rolled back.
RESTORED = (
    "text",
    "template",
    "parameters",
    "tags",
    "capabilities",
    "outputs",
    "imports",
    "notification_arns",
    "role_arn",
)


class Trouble(Exception):
    """A stack's work cannot go on; the message is a sentence of the stack's reason."""

    def __init__(self, message: str, failed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.failed = failed


class Work:
    """All methods run in a thread that may wait; the stack's first status is written by who calls them."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._steps = Steps(machine)
        self._outputs = Outputs(machine)

    # --- create

    def create(self, stack: Stack) -> None:
        try:
            self._apply(stack, {})
        except Trouble as trouble:
            self._after_failed_create(stack, str(trouble))
        else:
            self._machine.journal.stack(stack, "CREATE_COMPLETE")

    def _after_failed_create(self, stack: Stack, reason: str) -> None:
        journal = self._machine.journal
        if stack.on_failure == "DO_NOTHING" or stack.disable_rollback:
            journal.stack(stack, "CREATE_FAILED", reason)
            return
        if stack.on_failure == "DELETE":
            journal.stack(stack, "DELETE_IN_PROGRESS", f"{reason}Delete requested by user.")
            self.delete(stack)
            return
        journal.stack(stack, "ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
        self.roll_back_create(stack)

    def roll_back_create(self, stack: Stack) -> None:
        failed = self._delete_all(stack, (), created=False)
        stack.outputs, stack.imports = [], set()
        if failed:
            self._machine.journal.stack(stack, "ROLLBACK_FAILED", not_deleted(failed))
        else:
            self._machine.journal.stack(stack, "ROLLBACK_COMPLETE")

    # --- what create and update share

    def _apply(self, stack: Stack, before: dict[str, StackResource]) -> None:
        """Make and change what the stack's template wants. Raises Trouble."""
        stack.imports = set()
        try:
            scope = self._machine.scope(stack, stack.template, stack.parameters)
            plan = Plan(scope)
        except AwsError as error:
            raise Trouble(f"{error.message} ") from error
        for level in plan.levels:
            if stack.cancelled:
                raise Trouble("Update cancelled by user ")
            for position, name in enumerate(level):
                try:
                    self._steps.take(stack, plan, name, before.get(name))
                except Failed:
                    waiting = [other for other in level[position + 1 :] if other not in before]
                    self._steps.cancel(stack, plan, waiting)
                    verb = "update" if name in before else "create"
                    failed = (name, *waiting) if verb == "create" else (name,)
                    raise Trouble(
                        f"The following resource(s) failed to {verb}: [{', '.join(failed)}]. ", failed
                    ) from None
        try:
            made = self._outputs.of(stack, scope)
        except (AwsError, Failed) as error:
            raise Trouble(f"{getattr(error, 'message', None) or error}. ".replace("..", ".")) from error
        with self._machine.lock():
            stack.outputs = made

    # --- update

    def update(self, stack: Stack, after: Stack) -> None:
        """`after` has what the stack is to be: template, parameters and so on."""
        journal = self._machine.journal
        before = replace(stack, resources={name: copy.copy(made) for name, made in stack.resources.items()}, events=[])
        with self._machine.lock():
            stack.before = before
            for name in RESTORED:
                if name not in ("outputs", "imports"):
                    setattr(stack, name, getattr(after, name))
            stack.updated = self._machine.now()
        if not stack.status.startswith("UPDATE_IN"):
            journal.stack(stack, "UPDATE_IN_PROGRESS")
        try:
            gone = self._no_longer_wanted(stack, before)
            self._apply(stack, before.resources)
        except Trouble as trouble:
            if stack.disable_rollback:
                journal.stack(stack, "UPDATE_FAILED", str(trouble))
                return
            journal.stack(stack, "UPDATE_ROLLBACK_IN_PROGRESS", str(trouble))
            self.roll_back_update(stack)
            return
        self._finish_update(stack, before, gone)

    def _no_longer_wanted(self, stack: Stack, before: Stack) -> list[str]:
        """Logical ids that the new template does not have. Raises Trouble where the stack's policy keeps them."""
        try:
            plan = Plan(self._machine.scope(stack, stack.template, stack.parameters))
        except AwsError as error:
            raise Trouble(f"{error.message} ") from error
        gone = [name for name in before.resources if name not in plan.resources]
        for name in gone:
            try:
                self._steps.check_policy(stack, stack.resources[name], "Update:Delete")
            except Failed:
                raise Trouble(f"The following resource(s) failed to update: [{name}]. ", (name,)) from None
        return gone

    def _finish_update(self, stack: Stack, before: Stack, gone: list[str]) -> None:
        machine = self._machine
        machine.journal.stack(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        unwanted = []
        for name, old in reversed(before.resources.items()):
            current = stack.resources.get(name)
            if name in gone:
                unwanted.append((old, "DeletionPolicy"))
            elif current is not None and current.physical_id != old.physical_id and old.physical_id:
                # what the new template says of the old resource
                old = replace(old, definition={**old.definition, **policy_of(current)})
                unwanted.append((old, "UpdateReplacePolicy"))
        kept = self._in_reverse([old for old, _policy in unwanted])
        policies = {old.logical_id: policy for old, policy in unwanted}
        with machine.lock():
            for name in gone:
                stack.resources.pop(name, None)
        failed = [old for old in kept if not self._steps.delete(stack, old, policies[old.logical_id])]
        with machine.lock():
            stack.before = None
        machine.journal.stack(
            stack,
            "UPDATE_COMPLETE",
            "Update successful. One or more resources could not be deleted." if failed else "",
        )

    def roll_back_update(self, stack: Stack, skip: Collection[str] = ()) -> None:
        """Back to `stack.before`; the stack is in UPDATE_ROLLBACK_IN_PROGRESS."""
        machine, before = self._machine, stack.before
        if before is None:
            machine.journal.stack(stack, "UPDATE_ROLLBACK_COMPLETE")
            return
        current = dict(stack.resources)
        with machine.lock():
            for name in RESTORED:
                setattr(stack, name, getattr(before, name))
            stack.resources = dict(before.resources)
        unwanted, failed = [], []
        for name, made in reversed(current.items()):
            old = before.resources.get(name)
            if old is None or made.physical_id != old.physical_id:
                unwanted.append(made)
                continue
            is_touched = made.status != old.status or made.time != old.time
            if is_touched and name not in skip and not self._steps.restore(stack, made, old):
                failed.append(name)
        if failed:
            reason = f"The following resource(s) failed to update: [{', '.join(failed)}]. "
            machine.journal.stack(stack, "UPDATE_ROLLBACK_FAILED", reason)
            return
        machine.journal.stack(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for made in self._in_reverse(unwanted):
            self._steps.delete(stack, made, "", created=False)
        with machine.lock():
            stack.before = None
        machine.journal.stack(stack, "UPDATE_ROLLBACK_COMPLETE")

    # --- delete

    def delete(self, stack: Stack, retain: Collection[str] = ()) -> None:
        machine = self._machine
        if stack.status != "DELETE_IN_PROGRESS":
            machine.journal.stack(stack, "DELETE_IN_PROGRESS")
        failed = self._delete_all(stack, retain)
        if failed:
            machine.journal.stack(stack, "DELETE_FAILED", not_deleted(failed))
            return
        with machine.lock():
            stack.deleted = machine.now()
            stack.outputs, stack.imports, stack.before = [], set(), None
            shelf = machine.shelf(stack.account, stack.region)
            for made in [made for made in shelf.change_sets.values() if made.stack_id == stack.id]:
                del shelf.change_sets[made.id]
        machine.journal.stack(stack, "DELETE_COMPLETE")

    def _delete_all(self, stack: Stack, retain: Collection[str], *, created: bool = True) -> list[str]:
        """Delete the stack's resources. Returns those that could not be."""
        failed: list[str] = []
        for resource in self._in_reverse(stack.resources.values()):
            if any(resource.logical_id in stack.resources[name].needs for name in failed):
                continue  # something that needs it is still there
            policy = "retained" if resource.logical_id in retain else "DeletionPolicy"
            if not self._steps.delete(stack, resource, policy, created=created):
                failed.append(resource.logical_id)
        return failed

    def _in_reverse(self, resources: Iterable[StackResource]) -> list[StackResource]:
        """Each before those that it needs."""
        known = {resource.logical_id: resource for resource in resources}
        needs = {name: resource.needs & known.keys() for name, resource in known.items()}
        return [known[name] for level in reversed(levels(needs)) for name in reversed(level)]

    # --- recover

    def recover(self, stack: Stack) -> None:
        """Bring a stack whose work was cut off to an end."""
        reason = "The emulator was stopped in the middle of the work on this stack. "
        status = stack.status
        if status == "DELETE_IN_PROGRESS":
            self.delete(stack)
        elif status in ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
            self._machine.journal.stack(stack, "ROLLBACK_IN_PROGRESS", reason)
            self.roll_back_create(stack)
        elif status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            self._machine.journal.stack(stack, "UPDATE_COMPLETE", reason)
        else:
            self._machine.journal.stack(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
            self.roll_back_update(stack)


def policy_of(resource: StackResource) -> dict[str, str]:
    return {"UpdateReplacePolicy": resource.definition.get("UpdateReplacePolicy", "Delete")}


def not_deleted(names: list[str]) -> str:
    return f"The following resource(s) failed to delete: [{', '.join(names)}]. "
