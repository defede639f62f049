"""Operations of stack sets: stacks made, changed and deleted in the accounts and regions of their instances.

Regions come one after the other, and so do accounts within a region. An operation ends where more instances of a region
failed than its preferences tolerate; what it did not get to is CANCELLED.

Source: CloudFormation User Guide, "StackSets concepts", "Stack set operation options", "Stack set status codes".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cloudlet.emulator.fallback.stacks import templates
from cloudlet.emulator.fallback.stacks.outputs import in_use
from cloudlet.emulator.fallback.stacks.records import Instance, Operation, Result, Stack, StackSet
from cloudlet.emulator.kernel.errors import AwsError

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine

LOG = logging.getLogger("cloudlet.fallback")
TOLERANCE_EXCEEDED = "Cancelled since failure tolerance has exceeded"
STOPPED_BY_USER = "Cancelled since the operation was stopped by user"
CUT_OFF = "The emulator was stopped in the middle of this operation."
UPDATED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})

Act = Callable[[StackSet, Instance, Operation], str]  # -> why it failed, or nothing


class SetWork:
    """The methods but `start` and `recover` run in a thread that may wait."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def start(self, stack_set: StackSet, operation: Operation, instances: list[Instance], act: Act) -> None:
        """Begin with the instances, in their order; returns when all is done, or has taken long."""
        with self._machine.lock():
            stack_set.operations[operation.id] = operation
            for instance in instances:
                operation.results.append(Result(instance.account, instance.region, unit=instance.unit))
                instance.detailed, instance.operation_id = "PENDING", operation.id
        self._machine.run(self._guarded, stack_set, operation, instances, act)

    def recover(self, stack_set: StackSet) -> None:
        """Say of an operation that a stop cut off that it failed; its stacks are recovered by themselves."""
        operation = stack_set.going_on
        if operation is None:
            return
        for result in operation.results:
            if result.status in ("PENDING", "RUNNING"):
                result.status, result.reason = "CANCELLED", CUT_OFF
        for instance in stack_set.instances.values():
            if instance.detailed in ("PENDING", "RUNNING"):
                instance.status, instance.detailed, instance.reason = "OUTDATED", "CANCELLED", CUT_OFF
        operation.status, operation.reason, operation.ended = "FAILED", CUT_OFF, self._machine.now()

    # --- operations

    def _guarded(self, stack_set: StackSet, operation: Operation, instances: list[Instance], act: Act) -> None:
        try:
            self._carry_out(stack_set, operation, instances, act)
        except Exception as error:  # renders: a fault of ours becomes the operation's reason; the log has the traceback
            LOG.exception("the operation %s of the stack set %s failed", operation.id, stack_set.id)
            self._end(operation, "FAILED", f"Internal Failure: {type(error).__name__}: {error}")

    def _carry_out(self, stack_set: StackSet, operation: Operation, instances: list[Instance], act: Act) -> None:
        pairs = list(zip(instances, operation.results, strict=True))
        for region in dict.fromkeys(instance.region for instance in instances):
            here = [pair for pair in pairs if pair[0].region == region]
            tolerated, failures = tolerance(operation, len(here)), 0
            for instance, result in here:
                if operation.status == "STOPPING":
                    self._cancel(pairs, STOPPED_BY_USER)
                    self._end(operation, "STOPPED", "")
                    return
                failures += not self._take(stack_set, instance, operation, result, act)
                if failures > tolerated:
                    self._cancel(pairs, TOLERANCE_EXCEEDED)
                    self._end(operation, "FAILED", "")
                    return
        self._end(operation, "SUCCEEDED", "")

    def _take(self, stack_set: StackSet, instance: Instance, operation: Operation, result: Result, act: Act) -> bool:
        """One instance; True where that succeeded."""
        with self._machine.lock():
            instance.detailed, result.status = "RUNNING", "RUNNING"
        try:
            problem = act(stack_set, instance, operation)
        except AwsError as error:
            problem = error.message
        with self._machine.lock():
            result.status = instance.detailed = "FAILED" if problem else "SUCCEEDED"
            result.reason = instance.reason = problem
            if not problem:
                instance.status = "CURRENT"
            elif operation.action == "DELETE":
                instance.status = "INOPERABLE"
            else:
                instance.status = "OUTDATED"
        return not problem

    def _cancel(self, pairs: Iterable[tuple[Instance, Result]], reason: str) -> None:
        """What the operation does not get to."""
        with self._machine.lock():
            for instance, result in pairs:
                if result.status == "PENDING":
                    result.status = instance.detailed = "CANCELLED"
                    result.reason = instance.reason = reason

    def _end(self, operation: Operation, status: str, reason: str) -> None:
        with self._machine.lock():
            operation.status, operation.reason, operation.ended = status, reason, self._machine.now()

    # --- what is done with an instance

    def bring_up_to_date(self, stack_set: StackSet, instance: Instance, _operation: Operation) -> str:
        """Make the instance's stack, or change it to what the stack set says now. Raises AwsError."""
        machine = self._machine
        stack = self._stack(instance)
        if stack is not None and stack.status not in UPDATED:
            if stack.in_progress:
                return f"Stack:{stack.id} is in {stack.status} state and can not be updated."
            machine.work.delete(stack)  # one that never came to be is made anew
            if not stack.is_deleted:
                return failure_of(stack)
            stack = None
        request = request_of(stack_set, instance)
        if stack is None:
            return self._make(stack_set, instance, request)
        after = templates.changed_stack(machine, stack, request, stack_set.pattern)
        if after is not None:
            machine.journal.stack(stack, "UPDATE_IN_PROGRESS", "User Initiated")
            machine.work.update(stack, after)
        return "" if after is None or stack.status == "UPDATE_COMPLETE" else failure_of(stack)

    def _make(self, stack_set: StackSet, instance: Instance, request: dict[str, object]) -> str:
        machine = self._machine
        name = f"StackSet-{stack_set.name[:82]}-{machine.ids.uuid()}"
        stack = templates.new_stack(
            machine, instance.account, instance.region, {**request, "StackName": name}, pattern=stack_set.pattern
        )
        with machine.lock():
            instance.stack_id = stack.id
        machine.journal.stack(stack, "CREATE_IN_PROGRESS", "User Initiated")
        machine.work.create(stack)
        return "" if stack.status == "CREATE_COMPLETE" else failure_of(stack)

    def remove(self, stack_set: StackSet, instance: Instance, operation: Operation) -> str:
        """Delete the instance, and its stack where it is not to stay."""
        machine = self._machine
        stack = self._stack(instance)
        if stack is not None and not operation.retain:
            if stack.protected:
                return f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            if stack.in_progress:
                return f"Stack [{stack.id}] cannot be deleted while in status {stack.status}"
            used = in_use(machine, stack)
            if used is not None:
                return used
            machine.journal.stack(stack, "DELETE_IN_PROGRESS", "User Initiated")
            machine.work.delete(stack)
            if not stack.is_deleted:
                return failure_of(stack)
        with machine.lock():
            stack_set.instances.pop((instance.account, instance.region), None)
        return ""

    def adopt(self, _stack_set: StackSet, _instance: Instance, _operation: Operation) -> str:
        """A stack that was there before becomes an instance as it is."""
        return ""

    def _stack(self, instance: Instance) -> Stack | None:
        return self._machine.shelf(instance.account, instance.region).find(instance.stack_id)


def request_of(stack_set: StackSet, instance: Instance) -> dict[str, object]:
    """The request for the instance's stack; template and values come from the stack set's pattern."""
    pattern = stack_set.pattern
    overrides = {
        entry["ParameterKey"]: entry["ParameterValue"] for entry in instance.overrides if "ParameterValue" in entry
    }
    parameters: list[dict[str, object]] = [
        {"ParameterKey": name, "ParameterValue": overrides[name]}
        if name in overrides
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in pattern.parameters
    ]
    return {
        "UsePreviousTemplate": True,
        "Parameters": parameters,
        "Capabilities": pattern.capabilities,
        "Tags": pattern.tags,
    }


def tolerance(operation: Operation, accounts: int) -> int:
    """So many accounts of a region may fail. A percentage is rounded down."""
    preferences = operation.preferences
    if preferences.get("FailureTolerancePercentage"):
        return accounts * int(preferences["FailureTolerancePercentage"]) // 100
    return int(preferences.get("FailureToleranceCount") or 0)


def failure_of(stack: Stack) -> str:
    """Why a stack failed: the resource that failed first."""
    begun = max((at for at, event in enumerate(stack.events) if event.reason == "User Initiated"), default=0)
    for event in stack.events[begun:]:
        if event.status.endswith("_FAILED") and event.physical_id != stack.id:
            return (
                f"ResourceLogicalId:{event.logical_id}, ResourceType:{event.type}, ResourceStatusReason:{event.reason}."
            )
    return stack.reason or f"Stack:{stack.id} is in {stack.status} state"
