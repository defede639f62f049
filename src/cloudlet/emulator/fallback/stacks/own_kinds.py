"""Kinds that CloudFormation has itself: wait conditions, macros, and metadata of tools."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.fallback.stacks.kinds import Kind, Made, Wanted
from cloudlet.emulator.fallback.stacks.records import StackResource


class WaitConditionHandle(Kind):
    """`Ref` is an address to which signals are sent."""

    is_stand_in = False

    def create(self, wanted: Wanted) -> Made:
        return Made(wanted.machine.waits.open())


class WaitCondition(Kind):
    """Done when as many signals came as `Count` says (1), failed when `Timeout` seconds went by before."""

    is_stand_in = False
    replaced_by = frozenset({"Handle"})

    def create(self, wanted: Wanted) -> Made:
        count = int(wanted.properties.get("Count", 1))
        seconds = float(wanted.properties.get("Timeout") or 43_200)
        address = str(wanted.properties.get("Handle", ""))
        data = wanted.machine.waits.signals(address, count, seconds) if count else "{}"
        return Made(wanted.name(""), data)

    def attribute(self, wanted: Wanted, resource: StackResource, name: str) -> Any:
        return {"Data": resource.handle}[name]


class Macro(Kind):
    """Its function transforms the templates that name it."""

    is_stand_in = False
    name_property = "Name"
    replaced_by = frozenset({"Name"})

    def create(self, wanted: Wanted) -> Made:
        name = str(wanted.properties["Name"])
        self._shelf(wanted)[name] = str(wanted.properties["FunctionName"])
        return Made(name)

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        return self.create(wanted)

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        self._shelf(wanted).pop(resource.physical_id, None)

    def _shelf(self, wanted: Wanted) -> dict[str, str]:
        return wanted.machine.shelf(wanted.stack.account, wanted.stack.region).macros


class CdkMetadata(Kind):
    """What the CDK notes of itself in every stack: nothing is to be made."""

    is_stand_in = False

    def create(self, wanted: Wanted) -> Made:
        return Made(wanted.name(""))
