"""What values of a stack refer to outside of their template: its resources, exports of others, availability zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudlet.emulator.fallback.stacks.errors import Failed, refused
from cloudlet.emulator.fallback.stacks.kinds import Wanted
from cloudlet.emulator.fallback.stacks.records import Stack

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine


class StackWorld:
    """A stack's own, as it is now."""

    def __init__(self, machine: Machine, stack: Stack) -> None:
        self._machine = machine
        self._stack = stack
        self.account = stack.account
        self.region = stack.region
        self.partition = partition_of(stack.region)
        self.stack_name = stack.name
        self.stack_id = stack.id
        self.notification_arns = stack.notification_arns

    def reference(self, logical_id: str) -> Any:
        resource = self._stack.resources.get(logical_id)
        if resource is None or not resource.physical_id:
            raise Failed(f"Unresolved resource dependencies [{logical_id}]: it was not made")
        return resource.physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        resource = self._stack.resources.get(logical_id)
        if resource is None or not resource.physical_id:
            raise Failed(f"Unresolved resource dependencies [{logical_id}]: it was not made")
        wanted = Wanted(self._machine, self._stack, logical_id, resource.definition, resource.properties)
        try:
            return self._machine.kind(resource.type).attribute(wanted, resource, name)
        except KeyError:
            if name in resource.properties:
                return resource.properties[name]
            raise refused(
                f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt"
            ) from None

    def export(self, name: str) -> str:
        found = self.find_export(name)
        if found is None:
            raise refused(f"No export named {name} found.")
        self._stack.imports.add(name)
        return found

    def find_export(self, name: str) -> str | None:
        found = self._machine.shelf(self.account, self.region).exports().get(name)
        return None if found is None else found[1]

    def zones(self, region: str) -> list[str]:
        found = self._machine.reach(self.account, region, "ec2", "DescribeAvailabilityZones", {})
        return sorted(zone["ZoneName"] for zone in found.get("AvailabilityZones", ()))


def partition_of(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
