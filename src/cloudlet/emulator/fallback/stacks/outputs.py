"""The outputs of a stack, and what it exports to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.fallback.stacks.errors import Failed, refused
from cloudlet.emulator.fallback.stacks.intrinsics import Scope
from cloudlet.emulator.fallback.stacks.parameters import text_of
from cloudlet.emulator.fallback.stacks.records import Stack
from cloudlet.emulator.fallback.stacks.template import section_of

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine


class Outputs:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def of(self, stack: Stack, scope: Scope) -> list[dict[str, str]]:
        """`Outputs` as DescribeStacks has them. Raises AwsError, Failed where an export cannot be."""
        made = []
        for name, output in section_of(scope.template, "Outputs"):
            if not scope.included(output):
                continue
            value = scope.evaluate(output["Value"])
            if isinstance(value, dict | list):
                raise refused(
                    f"Template format error: The Value field of every Outputs member must evaluate to a String: {name}"
                )
            entry = {"OutputKey": name, "OutputValue": text_of(value)}
            if output.get("Description"):
                entry["Description"] = str(output["Description"])
            export = output.get("Export")
            if export:
                entry["ExportName"] = text_of(scope.evaluate(export.get("Name")))
            made.append(entry)
        self._check_exports(
            stack, {entry["ExportName"]: entry["OutputValue"] for entry in made if "ExportName" in entry}
        )
        return sorted(made, key=lambda entry: entry["OutputKey"])

    def _check_exports(self, stack: Stack, exports: dict[str, str]) -> None:
        shelf = self._machine.shelf(stack.account, stack.region)
        known = shelf.exports()
        for name in exports:
            if name in known and known[name][0] != stack.id:
                other = shelf.stacks[known[name][0]].name
                raise Failed(
                    f"Export with name {name} is already exported by stack {other}. Rollback requested by user"
                )
        for name, value in stack.exports().items():
            users = [user.name for user in shelf.importers(name) if user.id != stack.id]
            if users and exports.get(name) != value:
                verb = "updated" if name in exports else "deleted"
                raise Failed(f"Export {name} cannot be {verb} as it is in use by {' and '.join(users)}")


def in_use(machine: Machine, stack: Stack) -> str | None:
    """Why a stack cannot be deleted; None where nobody imports what it exports."""
    shelf = machine.shelf(stack.account, stack.region)
    for name in stack.exports():
        users = [user.name for user in shelf.importers(name) if user.id != stack.id]
        if users:
            return f"Export {name} cannot be deleted as it is in use by {' and '.join(users)}"
    return None
