"""One resource at a time: made, changed, replaced, deleted, brought back; each with its events."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.fallback.stacks import dynamic, policy
from cloudlet.emulator.fallback.stacks.errors import (
    Failed,
    NeedsReplacement,
    already_exists,
    message_of,
    service_failure,
)
from cloudlet.emulator.fallback.stacks.kinds import Kind, Made, Wanted
from cloudlet.emulator.fallback.stacks.plan import Plan
from cloudlet.emulator.fallback.stacks.records import Stack, StackResource
from cloudlet.emulator.kernel.errors import AwsError

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine

LOG = logging.getLogger("cloudlet.fallback")
REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class Steps:
    """All raise Failed after the events of the failure are written, unless they return a bool."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def take(self, stack: Stack, plan: Plan, name: str, old: StackResource | None) -> None:
        """Make or change a resource as the plan says, if there is anything to do."""
        definition = dict(plan.resources[name])
        for policy_name in ("DeletionPolicy", "UpdateReplacePolicy"):
            if policy_name in definition:
                definition[policy_name] = plan.scope.evaluate(definition[policy_name])
        resource = StackResource(name, str(definition["Type"]), definition=definition, needs=plan.needs[name])
        if old is not None:
            resource.physical_id, resource.handle = old.physical_id, old.handle
        try:
            resource.shown = plan.scope.evaluate(definition.get("Properties") or {})
            resource.metadata = plan.scope.evaluate(definition["Metadata"]) if "Metadata" in definition else None
            resource.properties = self._resolve(stack, resource.shown)
        except (AwsError, Failed) as error:
            self._fail(stack, resource, "CREATE" if old is None else "UPDATE", message_of(error))
        wanted = Wanted(
            self._machine, stack, name, definition, with_stack_tags(resource.properties, stack, resource.type, name)
        )
        resource.properties = wanted.properties
        if old is None:
            self._create(stack, wanted, resource)
        else:
            self._change(stack, wanted, resource, old)

    def _resolve(self, stack: Stack, properties: dict[str, Any]) -> dict[str, Any]:
        if not dynamic.has_reference(properties):
            return properties
        made: dict[str, Any] = dynamic.resolve(
            properties, lambda *asked: self._machine.reach(stack.account, stack.region, *asked)
        )
        return made

    def _keep(self, stack: Stack, resource: StackResource) -> None:
        with self._machine.lock():
            stack.resources[resource.logical_id] = resource

    def _create(self, stack: Stack, wanted: Wanted, resource: StackResource) -> None:
        journal, kind = self._machine.journal, self._machine.kind(resource.type)
        self._keep(stack, resource)
        journal.resource(stack, resource, "CREATE_IN_PROGRESS")
        self._made(stack, wanted, resource, "CREATE", lambda: kind.create(wanted))
        journal.resource(stack, resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
        journal.resource(stack, resource, "CREATE_COMPLETE")

    def _change(self, stack: Stack, wanted: Wanted, resource: StackResource, old: StackResource) -> None:
        journal, kind = self._machine.journal, self._machine.kind(resource.type)
        same = resource.type == old.type
        if same and resource.properties == old.properties and not kind.always_updated:
            resource.status, resource.reason, resource.time = old.status, old.reason, old.time
            self._keep(stack, resource)
            return
        replaces = not same or kind.needs_replacement(old.properties, resource.properties)
        self._keep(stack, resource)
        self.check_policy(stack, resource, "Update:Replace" if replaces else "Update:Modify")
        if replaces:
            self._replace(stack, wanted, resource, old, kind)
            return
        journal.resource(stack, resource, "UPDATE_IN_PROGRESS")
        self._made(stack, wanted, resource, "UPDATE", lambda: changed(kind, wanted, old))
        journal.resource(stack, resource, "UPDATE_COMPLETE")

    def _replace(self, stack: Stack, wanted: Wanted, resource: StackResource, old: StackResource, kind: Kind) -> None:
        journal = self._machine.journal
        journal.resource(stack, resource, "UPDATE_IN_PROGRESS", REPLACING)
        name = kind.name_property
        if name and resource.type == old.type and name in wanted.properties:
            is_same_name = wanted.properties[name] == old.properties.get(name)
            if is_same_name:
                self._fail(
                    stack,
                    resource,
                    "UPDATE",
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                    f"{wanted.properties[name]} and update the stack again.",
                )
        self._made(stack, wanted, resource, "UPDATE", lambda: kind.create(wanted))
        journal.resource(stack, resource, "UPDATE_IN_PROGRESS", "Resource creation Initiated")
        journal.resource(stack, resource, "UPDATE_COMPLETE")

    def _made(self, stack: Stack, wanted: Wanted, resource: StackResource, verb: str, work: Callable[[], Made]) -> None:
        """Carry out and keep what came of it."""
        try:
            made = work()
        except Exception as error:  # renders: what the resource's service refuses is the event's reason
            resource.physical_id = getattr(error, "physical_id", "") or resource.physical_id
            self._fail(stack, resource, verb, self._reason(resource, error))
        else:
            resource.physical_id, resource.handle = made.physical_id, made.handle

    def _reason(self, resource: StackResource, error: Exception) -> str:
        if isinstance(error, Failed):
            return str(error)
        ids, kind = self._machine.ids, self._machine.kind(resource.type)
        service = (kind.service or resource.type.split("::")[1]).capitalize()
        if isinstance(error, AwsError):
            if error.code in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                return f"{resource.properties.get('BucketName') or resource.logical_id} already exists"
            if error.code == "ResourceInUseException" and resource.type == "AWS::DynamoDB::Table":
                name = str(resource.properties.get("TableName"))
                return already_exists(resource.type, name, ids.uuid())
            return service_failure(error, service, ids.uuid(), ids.uuid())
        refusal = AwsError(message_of(error))
        status = getattr(error, "code", 400)
        refusal.status = status if isinstance(status, int) else 400  # type: ignore[misc]
        refusal.code = str(getattr(error, "error_type", "InvalidRequest"))  # type: ignore[misc]
        return service_failure(refusal, service, ids.uuid(), ids.uuid())

    def _fail(self, stack: Stack, resource: StackResource, verb: str, reason: str) -> None:
        self._keep(stack, resource)
        self._machine.journal.resource(stack, resource, f"{verb}_FAILED", reason)
        raise Failed(reason)

    def cancel(self, stack: Stack, plan: Plan, names: list[str]) -> None:
        """Resources that AWS would have begun at the same time as one that failed."""
        for name in names:
            definition = plan.resources[name]
            resource = StackResource(name, str(definition["Type"]), definition=definition, needs=plan.needs[name])
            self._keep(stack, resource)
            self._machine.journal.resource(stack, resource, "CREATE_IN_PROGRESS")
            self._machine.journal.resource(stack, resource, "CREATE_FAILED", "Resource creation cancelled")

    def check_policy(self, stack: Stack, resource: StackResource, action: str) -> None:
        denied = policy.denial(stack.policy, action, resource.logical_id, resource.type)
        if denied is not None:
            self._fail(stack, resource, "UPDATE", denied)

    def delete(self, stack: Stack, resource: StackResource, policy_name: str, *, created: bool = True) -> bool:
        """False where it could not be deleted. `policy_name` says which of its policies may keep it."""
        journal = self._machine.journal
        if resource.status in ("DELETE_COMPLETE", "DELETE_SKIPPED"):
            return True
        chosen = resource.definition.get(policy_name, "Delete")
        keeps = chosen == "Retain" or (chosen == "RetainExceptOnCreate" and created)
        if policy_name == "retained" or (keeps and resource.physical_id):
            journal.resource(stack, resource, "DELETE_SKIPPED")
            return True
        if not resource.physical_id:
            journal.resource(stack, resource, "DELETE_COMPLETE")
            return True
        journal.resource(stack, resource, "DELETE_IN_PROGRESS")
        wanted = Wanted(self._machine, stack, resource.logical_id, resource.definition, resource.properties)
        try:
            self._machine.kind(resource.type).delete(wanted, resource)
        except Exception as error:  # renders: what the resource's service refuses is the event's reason
            journal.resource(stack, resource, "DELETE_FAILED", self._reason(resource, error))
            return False
        journal.resource(stack, resource, "DELETE_COMPLETE")
        return True

    def restore(self, stack: Stack, made: StackResource, old: StackResource) -> bool:
        """Give a resource the properties that it had; False where that fails."""
        resource = replace(old)
        kind = self._machine.kind(resource.type)
        wanted = Wanted(self._machine, stack, old.logical_id, old.definition, old.properties)
        failed_before = made.status.endswith("_FAILED")
        self._keep(stack, resource)
        self._machine.journal.resource(stack, resource, "UPDATE_IN_PROGRESS")
        try:
            back = changed(kind, wanted, made)
        except Exception as error:  # renders: as above
            if not failed_before:
                self._machine.journal.resource(stack, resource, "UPDATE_FAILED", self._reason(resource, error))
                return False
            LOG.debug("%s could not be changed and so stays as it was", resource.logical_id)
        else:
            resource.physical_id, resource.handle = back.physical_id, back.handle
        self._machine.journal.resource(stack, resource, "UPDATE_COMPLETE")
        return True


def changed(kind: Kind, wanted: Wanted, old: StackResource) -> Made:
    """Change it; where there is no way to, the old one goes and a new one comes."""
    try:
        return kind.update(wanted, old)
    except NeedsReplacement:
        kind.delete(wanted, old)
        return kind.create(wanted)


# Types whose `Tags` are a list of keys and values; a stack's tags are added to theirs.
TAGGED = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::EC2::Instance",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
        "AWS::StepFunctions::StateMachine",
    }
)


# Types whose services take the tags that AWS itself sets.
MARKED = frozenset({"AWS::Lambda::Function"})


def with_stack_tags(properties: dict[str, Any], stack: Stack, kind: str, logical_id: str) -> dict[str, Any]:
    if kind not in TAGGED or not (stack.tags or kind in MARKED):
        return properties
    own = properties.get("Tags") or []
    if not isinstance(own, list) or not all(isinstance(tag, dict) for tag in own):
        return properties  # the service says what is wrong with them
    keys = {tag.get("Key") for tag in own}
    more = [tag for tag in stack.tags if tag["Key"] not in keys]
    if kind in MARKED:
        known = (("logical-id", logical_id), ("stack-id", stack.id), ("stack-name", stack.name))
        more += [{"Key": f"aws:cloudformation:{name}", "Value": value} for name, value in known]
    return {**properties, "Tags": [*own, *more]}
