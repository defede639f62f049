"""What a template asks for, before anything is done: which resources, in which order, with which properties.

Plan(scope).levels        [["Topic", "Queue"], ["Policy"]]: each level needs only those before it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.intrinsics import UNKNOWN, Scope, check_rules
from cloudlet.emulator.fallback.stacks.references import in_circle, left_out, references
from cloudlet.emulator.fallback.stacks.template import depends_on

REFERRING = ("Properties", "Metadata", "UpdatePolicy", "CreationPolicy")


class Plan:
    """Raises `ValidationError` for what only shows once conditions are known: circles, references to what is left out."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.resources: dict[str, dict[str, Any]] = {
            name: resource for name, resource in scope.resources.items() if scope.included(resource)
        }
        self.needs = {name: self._needs(resource) for name, resource in self.resources.items()}
        self.levels = levels(self.needs)

    def _needs(self, resource: Mapping[str, Any]) -> frozenset[str]:
        found = {name for name in depends_on(dict(resource)) if name in self.resources}
        for part in REFERRING:
            found |= self._referred(resource.get(part), "Resources")
        return frozenset(found)

    def _referred(self, value: Any, block: str) -> set[str]:
        found = set()
        for reference in references(value, self.scope.condition):
            if reference.function in ("Ref", "Fn::GetAtt", "Fn::Sub") and reference.target in self.scope.resources:
                if reference.target not in self.resources:
                    raise left_out(reference.target, block)
                found.add(reference.target)
        return found

    def check_values(self) -> None:
        """Evaluates everything once, for the errors alone; what only making gives is unknown."""
        check_rules(self.scope)
        self.scope.all_conditions()
        for resource in self.resources.values():
            self.scope.evaluate(resource.get("Properties") or {})
        for output in (self.scope.template.get("Outputs") or {}).values():
            if self.scope.included(output):
                self._referred({key: value for key, value in output.items() if key != "Condition"}, "Outputs")
                value = self.scope.evaluate(output["Value"])
                if isinstance(value, dict):
                    raise refused("Template format error: Output Value must be a string.")


class PlannedWorld:
    """The world of a stack that is being looked at, not made. `known` has what is there and stays."""

    def __init__(
        self, world: Any, known: Mapping[str, Any] | None = None, changed: Mapping[str, set[str]] | None = None
    ) -> None:
        """`changed`: logical id -> the properties of it that will have other values."""
        self._world = world
        self._known = {} if known is None else known
        self._changed = {} if changed is None else changed
        self.account: str = world.account
        self.region: str = world.region
        self.partition: str = world.partition
        self.stack_name: str = world.stack_name
        self.stack_id: str = world.stack_id
        self.notification_arns: list[str] = world.notification_arns

    def reference(self, logical_id: str) -> Any:
        return self._world.reference(logical_id) if logical_id in self._known else UNKNOWN

    def attribute(self, logical_id: str, name: str) -> Any:
        if logical_id not in self._known or name in self._changed.get(logical_id, ()):
            return UNKNOWN
        return self._world.attribute(logical_id, name)

    def export(self, name: str) -> str:
        return str(self._world.find_export(name) or UNKNOWN)

    def zones(self, region: str) -> list[str]:
        return list(self._world.zones(region))


def levels(needs: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Names in steps, each after those that it needs. Raises `ValidationError` for a circle."""
    made: list[list[str]] = []
    done: set[str] = set()
    while len(done) < len(needs):
        ready = [name for name, needed in needs.items() if name not in done and needed <= done]
        if not ready:
            circle = in_circle({name: set(needed) - done for name, needed in needs.items() if name not in done})
            raise refused(f"Circular dependency between resources: [{', '.join(circle)}]")
        made.append(ready)
        done.update(ready)
    return made
