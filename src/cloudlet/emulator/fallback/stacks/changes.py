"""What an update would do: the `Changes` of a change set.

Source: CloudFormation User Guide, "Update CloudFormation stacks using change sets", "Change set JSON examples"; API
reference, ResourceChange, ResourceChangeDetail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.fallback.stacks.custom import texts
from cloudlet.emulator.fallback.stacks.intrinsics import UNKNOWN, Scope, is_unknown
from cloudlet.emulator.fallback.stacks.parameters import Value
from cloudlet.emulator.fallback.stacks.plan import Plan, PlannedWorld
from cloudlet.emulator.fallback.stacks.records import Stack, StackResource
from cloudlet.emulator.fallback.stacks.references import references
from cloudlet.emulator.fallback.stacks.template import section_of
from cloudlet.emulator.fallback.stacks.world import StackWorld

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.kinds import Kind
    from cloudlet.emulator.fallback.stacks.machine import Machine

Change = dict[str, Any]
NESTED = "AWS::CloudFormation::Stack"
VALUE_MEMBERS = ("BeforeValue", "AfterValue", "BeforeValueFrom", "AfterValueFrom")


def of(machine: Machine, stack: Stack, after: Stack) -> list[Change]:
    """The changes between a stack and what it is to become, with the values of properties; by logical id."""
    comparison = Comparison(machine, stack, after)
    return [{"Type": "Resource", "ResourceChange": change} for change in comparison.changes()]


def without_values(found: list[Change]) -> list[Change]:
    """The same for whoever did not ask for values."""
    made = []
    for change in found:
        resource = {
            name: value
            for name, value in change["ResourceChange"].items()
            if name not in ("BeforeContext", "AfterContext")
        }
        resource["Details"] = [plain_detail(detail) for detail in resource.get("Details", ())]
        made.append({**change, "ResourceChange": resource})
    return made


def plain_detail(detail: Change) -> Change:
    hidden = ("Path", "AttributeChangeType", *VALUE_MEMBERS)
    target = {name: value for name, value in detail["Target"].items() if name not in hidden}
    return {**detail, "Target": target}


def is_changed(machine: Machine, stack: Stack, after: Stack) -> bool:
    """Whether an update would do anything."""
    if after.tags != stack.tags or after.notification_arns != stack.notification_arns:
        return True
    if (after.template.get("Outputs") or {}) != (stack.template.get("Outputs") or {}):
        return True
    comparison = Comparison(machine, stack, after)
    if any(True for _change in comparison.changes()) or comparison.outputs_differ():
        return True
    return any(resource.type == NESTED for resource in stack.resources.values())


class Comparison:
    def __init__(self, machine: Machine, stack: Stack, after: Stack) -> None:
        self._machine = machine
        self._stack = stack
        self._after = after
        self._known: dict[str, StackResource] = dict(stack.resources)  # those that keep their identity
        self._changed: dict[str, set[str]] = {}  # logical id -> properties that change
        world = PlannedWorld(StackWorld(machine, stack), self._known, self._changed)
        self._scope = Scope(after.template, after.parameters, world)
        self._plan = Plan(self._scope)

    def changes(self) -> Iterator[Change]:
        found: dict[str, Change] = {}
        for level in self._plan.levels:
            for name in level:
                change = self._of(name, self._plan.resources[name], self._stack.resources.get(name))
                if change is not None:
                    found[name] = change
        for name, old in self._stack.resources.items():
            if name not in self._plan.resources:
                found[name] = removed(old)
        yield from (found[name] for name in sorted(found, key=after_longer))

    def outputs_differ(self) -> bool:
        """After `changes`: whether an output has another value although its definition is the same."""
        before = {output["OutputKey"]: output["OutputValue"] for output in self._stack.outputs}
        for name, output in section_of(self._after.template, "Outputs"):
            included = self._scope.included(output)
            if included != (name in before):
                return True
            if (
                included
                and not is_unknown(value := self._scope.evaluate(output["Value"]))
                and str(value) != before[name]
            ):
                return True
        return False

    def _of(self, name: str, definition: Mapping[str, Any], old: StackResource | None) -> Change | None:
        kind = self._machine.kind(str(definition["Type"]))
        properties = self._scope.evaluate(definition.get("Properties") or {})
        after = context(properties, definition, self._scope)
        if old is None:
            return {
                "Action": "Add",
                "LogicalResourceId": name,
                "ResourceType": definition["Type"],
                "Scope": [],
                "Details": [],
                "AfterContext": after,
            }
        details = list(self._details(definition, old, properties, kind))
        changed_type = old.type != definition["Type"]
        if not details and not changed_type and old.type != NESTED:
            return None
        needed = [detail["Target"].get("RequiresRecreation") for detail in details]
        replaced = "True" if changed_type or "Always" in needed else "False"
        if replaced == "False" and "Conditionally" in needed:
            replaced = "Conditional"
        if replaced == "True":
            self._known.pop(name, None)
        self._changed[name] = {detail["Target"].get("Name", "") for detail in details}
        change: Change = {
            "Action": "Modify",
            "LogicalResourceId": name,
            "PhysicalResourceId": old.physical_id,
            "ResourceType": definition["Type"],
            "Replacement": replaced,
            "Scope": list(dict.fromkeys(detail["Target"]["Attribute"] for detail in details)),
            "Details": details,
            "BeforeContext": context(old.shown, old.definition, None, old.metadata),
            "AfterContext": after,
        }
        if replaced == "True":
            policy = definition.get("UpdateReplacePolicy")
            change["PolicyAction"] = "ReplaceAndRetain" if policy == "Retain" else "ReplaceAndDelete"
        return change

    def _details(
        self, definition: Mapping[str, Any], old: StackResource, properties: dict[str, Any], kind: Kind
    ) -> Iterator[Change]:
        raw_before = old.definition.get("Properties") or {}
        raw_after = definition.get("Properties") or {}
        for name in sorted({*old.shown, *properties}):
            before, after = old.shown.get(name), properties.get(name)
            if before == after:
                continue
            attribute = "Tags" if name == "Tags" else "Properties"
            target = {
                "Attribute": attribute,
                "RequiresRecreation": "Always" if name in kind.replaced_by else "Never",
                "Path": f"/Properties/{name}",
                "AttributeChangeType": "Add"
                if name not in old.shown
                else "Remove"
                if name not in properties
                else "Modify",
            }
            if attribute == "Properties":
                target["Name"] = name
            if before is not None:
                target["BeforeValue"] = shown(before)
            if after is not None:
                target["AfterValue"] = shown(after)
            yield from causes(
                target, raw_before.get(name), raw_after.get(name), self._stack, self._after, self._changed
            )
        metadata = self._scope.evaluate(definition.get("Metadata"))
        if (metadata or None) != (old.metadata or None):
            yield {
                "Target": {"Attribute": "Metadata", "RequiresRecreation": "Never"},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }


def causes(
    target: dict[str, Any],
    raw_before: Any,
    raw_after: Any,
    stack: Stack,
    after: Stack,
    changed: Mapping[str, set[str]],
) -> Iterator[Change]:
    """Why a property changes: one detail for each cause."""
    found: list[Change] = []
    stored = False
    for reference in references(raw_after):
        name = reference.target
        cause: Change | None = None
        if name in after.parameters and differ(stack.parameters.get(name), after.parameters[name]):
            if after.parameters[name].is_stored:
                stored = True
                continue
            cause = {"Evaluation": "Static", "ChangeSource": "ParameterReference", "CausingEntity": name}
        elif name in changed and (reference.function == "Fn::GetAtt" or reference.attribute):
            entity = f"{name}.{reference.attribute}"
            cause = {"Evaluation": "Dynamic", "ChangeSource": "ResourceAttribute", "CausingEntity": entity}
        elif name in changed:
            cause = {"Evaluation": "Dynamic", "ChangeSource": "ResourceReference", "CausingEntity": name}
        if cause is not None:
            found.append({"Target": dict(target), **cause})
    if raw_before != raw_after or stored:
        yield {"Target": dict(target), "Evaluation": "Static", "ChangeSource": "DirectModification"}
    elif not found or any(reference.target in after.parameters for reference in references(raw_after)):
        yield {"Target": dict(target), "Evaluation": "Dynamic", "ChangeSource": "DirectModification"}
    yield from found


def after_longer(name: str) -> str:
    """The order of AWS: by the name, a name after those that it begins."""
    return f"{name}~"


def differ(before: Value | None, after: Value) -> bool:
    return before is None or before.value != after.value


def removed(old: StackResource) -> Change:
    keeps = old.definition.get("DeletionPolicy") == "Retain"
    return {
        "PolicyAction": "Retain" if keeps else "Delete",
        "Action": "Remove",
        "LogicalResourceId": old.logical_id,
        "PhysicalResourceId": old.physical_id,
        "ResourceType": old.type,
        "Scope": [],
        "Details": [],
        "BeforeContext": context(old.shown, old.definition, None, old.metadata),
    }


def context(
    properties: dict[str, Any],
    definition: Mapping[str, Any],
    scope: Scope | None,
    metadata: dict[str, Any] | None = None,
) -> str:
    made: dict[str, Any] = {}
    if properties or "Properties" in definition:
        made["Properties"] = texts(properties)
    if scope is not None and "Metadata" in definition:
        metadata = scope.evaluate(definition["Metadata"])
    if metadata:
        made["Metadata"] = texts(metadata)
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        if name in definition:
            made[name] = definition[name]
    return json.dumps(made, separators=(",", ":"))


def shown(value: Any) -> str:
    if value == UNKNOWN:
        return UNKNOWN
    value = texts(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
