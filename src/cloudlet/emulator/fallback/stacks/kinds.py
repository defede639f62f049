"""Kinds of resources: how one type is made, changed and deleted, and what references to it give.

Kind                     the interface, and a stand-in that makes nothing
├── NativeKind           of our own services: `fallback.resources`
├── MotoKind             moto's models
├── ApiKind              by the service's API, from a table: `api_kinds`
└── …                    what CloudFormation does itself: `nested`, `custom`, `own_kinds`
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudlet.emulator.fallback import resources
from cloudlet.emulator.fallback.stacks.errors import Failed, NeedsReplacement
from cloudlet.emulator.fallback.stacks.names import physical_name
from cloudlet.emulator.fallback.stacks.records import Stack, StackResource

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine

LOG = logging.getLogger("cloudlet.fallback")


class Made(NamedTuple):
    """What came of it: what `Ref` gives, and what the kind has to remember."""

    physical_id: str
    handle: Any = None


class Wanted:
    """One resource that is to be as its properties say."""

    def __init__(
        self, machine: Machine, stack: Stack, logical_id: str, definition: Mapping[str, Any], properties: dict[str, Any]
    ) -> None:
        self.machine = machine
        self.stack = stack
        self.logical_id = logical_id
        self.definition = definition
        self.properties = properties
        self.type = str(definition["Type"])

    def name(self, property_name: str) -> str:
        """The name that the properties give, else one that nothing else has."""
        given = self.properties.get(property_name) if property_name else None
        if given:
            return str(given)
        return physical_name(self.type, self.stack.name, self.logical_id, self.machine.ids)

    def reach(self, service: str, operation: str, request: dict[str, Any]) -> Any:
        """An operation in the stack's account and region. Raises AwsError."""
        return self.machine.reach(self.stack.account, self.stack.region, service, operation, request)


class Kind:
    """A type that nobody makes: the rest of its stack is made, references to it have values, and the log names it."""

    service = "CloudFormation"
    replaced_by: frozenset[str] = frozenset()  # properties whose change needs a new resource
    name_property = ""
    is_stand_in = True
    always_updated = False  # also where no property changed
    is_fixed = False  # an update leaves it as it was made

    def create(self, wanted: Wanted) -> Made:
        LOG.warning("CloudFormation: %s is not supported, nothing was made for it", wanted.type)
        return Made(wanted.name(""))

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        """Change it in place. Raises NeedsReplacement where only a new one will do."""
        return Made(resource.physical_id, resource.handle)

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        """There is nothing to delete."""

    def attribute(self, wanted: Wanted, resource: StackResource, name: str) -> Any:
        """Raises KeyError where there is no such attribute."""
        stack = wanted.stack
        if name == "Arn":
            return f"arn:aws:cloudformation:{stack.region}:{stack.account}:unsupported/{resource.physical_id}"
        return resource.properties.get(name, f"unsupported-{name}")

    def needs_replacement(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        return any(before.get(name) != after.get(name) for name in self.replaced_by)


class NativeKind(Kind):
    """A type of a service of our own."""

    is_stand_in = False

    def __init__(self, kind: resources.Kind) -> None:
        self._kind = kind
        self.service = kind.service
        self.replaced_by = kind.replaced_by
        self.name_property = kind.name_property

    def create(self, wanted: Wanted) -> Made:
        account, region = wanted.stack.account, wanted.stack.region
        call = self._kind.caller(account, region)
        made = self._kind.create(call, wanted.name(self.name_property), wanted.properties, account, region)
        made.properties = wanted.properties
        return Made(made.physical_resource_id, made)

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        call = self._kind.caller(wanted.stack.account, wanted.stack.region)
        handle: resources.Resource = resource.handle
        handle.properties = resource.properties
        self._kind.change(call, handle, wanted.properties)
        handle.properties = wanted.properties
        return Made(handle.physical_resource_id, handle)

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        handle: resources.Resource = resource.handle
        self._kind.remove(self._kind.caller(wanted.stack.account, wanted.stack.region), handle)

    def attribute(self, wanted: Wanted, resource: StackResource, name: str) -> Any:
        return resource.handle.attributes[name]


class MotoKind(Kind):
    """A type that one of moto's models stands for."""

    is_stand_in = False

    def __init__(self, model: Any, service: str, name_property: str, replaced_by: frozenset[str]) -> None:
        self._model = model
        self.is_fixed = is_missing(model.update_from_cloudformation_json)
        self.service = service
        self.name_property = name_property
        self.replaced_by = replaced_by

    def _json(self, wanted: Wanted) -> dict[str, Any]:
        return {**wanted.definition, "Properties": wanted.properties}

    def create(self, wanted: Wanted) -> Made:
        stack = wanted.stack
        with wanted.machine.busy(self):
            try:
                made = self._model.create_from_cloudformation_json(
                    wanted.name(self.name_property),
                    self._json(wanted),
                    stack.account,
                    stack.region,
                    LogicalId=wanted.logical_id,
                    StackId=stack.id,
                    ResourceType=wanted.type,
                )
            except NotImplementedError as error:  # moto's word for what a model cannot do
                raise Failed(f"Resource type {wanted.type} cannot be made here: {error}") from error
        return self._made(made, wanted)

    def _made(self, made: Any, wanted: Wanted) -> Made:
        made.cf_resource_type, made.logical_resource_id = wanted.type, wanted.logical_id
        physical = getattr(made, "physical_resource_id", None)
        if physical is None:
            physical = getattr(made, "id", None) or getattr(made, "name", None) or wanted.name("")
        return Made(str(physical), made)

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        if self.is_fixed:
            LOG.warning("CloudFormation: %s cannot be changed, %s stays as it was", wanted.type, resource.physical_id)
            return Made(resource.physical_id, resource.handle)
        with wanted.machine.busy(self):
            try:
                made = self._model.update_from_cloudformation_json(
                    original_resource=resource.handle,
                    new_resource_name=wanted.properties.get(self.name_property) or resource.physical_id,
                    cloudformation_json=self._json(wanted),
                    account_id=wanted.stack.account,
                    region_name=wanted.stack.region,
                )
            except NotImplementedError as error:
                raise NeedsReplacement from error
        return self._made(made if made is not None else resource.handle, wanted)

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        with wanted.machine.busy(self):
            self._delete(wanted, resource)

    def _delete(self, wanted: Wanted, resource: StackResource) -> None:
        place = (wanted.stack.account, wanted.stack.region)
        remove = getattr(resource.handle, "delete", None)
        if remove is not None and len(inspect.signature(remove).parameters) == 2:
            remove(*place)
            return
        if is_missing(self._model.delete_from_cloudformation_json):
            LOG.warning("CloudFormation: %s cannot be deleted, %s stays", resource.type, resource.physical_id)
            return
        document = {**resource.definition, "Properties": resource.properties}
        self._model.delete_from_cloudformation_json(resource.physical_id, document, *place)

    def attribute(self, wanted: Wanted, resource: StackResource, name: str) -> Any:
        try:
            return resource.handle.get_cfn_attribute(name)
        except Exception as error:  # renders: each of moto's models has an error of its own for what it does not have
            raise KeyError(name) from error


def is_missing(method: Any) -> bool:
    """Whether a model has only what all models of moto inherit, which does nothing."""
    return bool(getattr(method, "__isabstractmethod__", False))
