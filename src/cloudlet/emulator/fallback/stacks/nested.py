"""`AWS::CloudFormation::Stack`: a stack as a resource of another one."""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.fallback.stacks.errors import Failed
from cloudlet.emulator.fallback.stacks.kinds import Kind, Made, Wanted
from cloudlet.emulator.fallback.stacks.names import physical_name
from cloudlet.emulator.fallback.stacks.parameters import text_of
from cloudlet.emulator.fallback.stacks.records import Stack, StackResource


class NestedStack(Kind):
    """`Fn::GetAtt` of `Outputs.NAME` is an output of the nested stack."""

    is_stand_in = False
    always_updated = True  # the template behind its URL may be another one

    def create(self, wanted: Wanted) -> Made:
        name = physical_name(wanted.type, wanted.stack.name, wanted.logical_id, wanted.machine.ids)[:128]
        stack = wanted.machine.new_nested(wanted.stack, name, self._request(wanted))
        if stack.status != "CREATE_COMPLETE":
            raise Failed(f"Embedded stack {stack.id} was not successfully created: {stack.reason}", stack.id)
        return Made(stack.id)

    def _request(self, wanted: Wanted) -> dict[str, Any]:
        properties = wanted.properties
        parameters = (properties.get("Parameters") or {}).items()
        return {
            "TemplateURL": properties.get("TemplateURL"),
            "TemplateBody": properties.get("TemplateBody"),
            "Parameters": [
                {
                    "ParameterKey": name,
                    "ParameterValue": ",".join(map(text_of, value)) if isinstance(value, list) else text_of(value),
                }
                for name, value in parameters
            ],
            "Tags": properties.get("Tags") or [],
            "NotificationARNs": properties.get("NotificationARNs") or [],
        }

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        stack = self._stack(wanted, resource)
        wanted.machine.change_nested(stack, self._request(wanted))
        if stack.status not in ("UPDATE_COMPLETE", "CREATE_COMPLETE"):
            raise Failed(f"Embedded stack {stack.id} was not successfully updated: {stack.reason}")
        return Made(stack.id)

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        stack = wanted.machine.shelf(wanted.stack.account, wanted.stack.region).find(resource.physical_id)
        if stack is None:
            return
        wanted.machine.work.delete(stack)
        if not stack.is_deleted:
            raise Failed(f"Embedded stack {stack.id} was not successfully deleted: {stack.reason}")

    def _stack(self, wanted: Wanted, resource: StackResource) -> Stack:
        stack = wanted.machine.shelf(wanted.stack.account, wanted.stack.region).find(resource.physical_id)
        if stack is None:
            raise Failed(f"Stack [{resource.physical_id}] does not exist")
        return stack

    def attribute(self, wanted: Wanted, resource: StackResource, name: str) -> Any:
        wanted_name = name.removeprefix("Outputs.")
        for output in self._stack(wanted, resource).outputs:
            if output["OutputKey"] == wanted_name:
                return output["OutputValue"]
        raise KeyError(name)
