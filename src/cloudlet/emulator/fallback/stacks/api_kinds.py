"""Kinds of resources that are made by the API of their service: what to call is in tables, `fallback.stacks.kinds_of`.

A property becomes the request's member of the same name, whatever its letters' case, in the member's own type. A
*source* names a value: `id` (what `Ref` gives), `name`, `account`, `region`, a member of the answer (`Role.Arn`), a
property; or it is a text with such in braces: `arn:aws:logs:{region}:{account}:log-group:{id}:*`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cloudlet.emulator.fallback.stacks.errors import NeedsReplacement
from cloudlet.emulator.fallback.stacks.kinds import Kind, Made, Wanted
from cloudlet.emulator.fallback.stacks.parameters import text_of
from cloudlet.emulator.fallback.stacks.records import StackResource
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.models import Shape

NOTHING: Mapping[str, str] = MappingProxyType({})
NUMBERS = ("integer", "long")
GONE = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent")


class Operation(NamedTuple):
    """One operation to call. `members`: member of the request -> source; with `whole` the properties are sent too."""

    name: str
    members: Mapping[str, str] = NOTHING
    whole: bool = False


class Api(NamedTuple):
    """A type. `rename`: property -> member where they differ, "" for a property that is not sent."""

    service: str
    create: Operation
    ref: str
    delete: Operation | None = None
    update: Operation | None = None
    read: Operation | None = None
    name: str = ""
    attributes: Mapping[str, str] = NOTHING
    rename: Mapping[str, str] = NOTHING
    replaced_by: tuple[str, ...] = ()
    tag: tuple[str, str] | None = None  # operation that tags, its member that says what
    listing: str = ""  # operation that lists them, for the Cloud Control API


class ApiKind(Kind):
    is_stand_in = False

    def __init__(self, api: Api) -> None:
        self.api = api
        self.service = api.service
        self.name_property = api.name
        self.replaced_by = frozenset(api.replaced_by) | ({api.name} if api.name else set())

    # --- the interface

    def create(self, wanted: Wanted) -> Made:
        name = wanted.name(self.name_property) if self.name_property else ""
        environment = self.environment(wanted, {}, "", name)
        answer = self.call(wanted, self.api.create, environment, self.for_create(wanted, name))
        environment = self.environment(wanted, answer, "", name)
        physical = text_of(self.source(self.api.ref, environment))
        answer = {**answer, "$name": name}
        resource = StackResource(wanted.logical_id, wanted.type, physical, handle=answer)
        try:
            self.finish(wanted, resource, None)
        except Exception:
            self.delete(wanted, resource)
            raise
        return Made(physical, answer)

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        if self.api.update is None and not self.can_finish_updates():
            raise NeedsReplacement
        answer = dict(resource.handle or {})
        if self.api.update is not None:
            environment = self.environment(wanted, answer, resource.physical_id, answer.get("$name", ""))
            answer |= self.call(wanted, self.api.update, environment, self.for_update(wanted))
        changed = StackResource(wanted.logical_id, wanted.type, resource.physical_id, handle=answer)
        self.finish(wanted, changed, resource.properties)
        self._retag(wanted, changed, resource.properties)
        return Made(resource.physical_id, answer)

    def _retag(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any]) -> None:
        tags = wanted.properties.get("Tags")
        if self.api.tag is None or not tags or tags == before.get("Tags"):
            return
        operation, member = self.api.tag
        environment = self.environment(wanted, resource.handle, resource.physical_id, "")
        environment = {**environment, "Tags": tags}
        source = self.api.attributes.get("Arn", "id")
        self.call(wanted, Operation(operation, {member: source, "Tags": "Tags"}), environment, {})

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        if self.api.delete is None:
            return
        properties = resource.properties or wanted.properties
        environment = {**properties, **self.environment(wanted, resource.handle or {}, resource.physical_id, "")}
        try:
            self.call(wanted, self.api.delete, environment, {})
        except AwsError as error:
            if not any(word in error.code for word in GONE):
                raise

    def attribute(self, wanted: Wanted, resource: StackResource, name: str) -> Any:
        answer = resource.handle or {}
        environment = {
            **resource.properties,
            **self.environment(wanted, answer, resource.physical_id, answer.get("$name", "")),
        }
        if name in self.api.attributes:
            return self.source(self.api.attributes[name], environment)
        return find(environment, name)

    # --- what kinds with more to say change

    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        """The properties that the creating request is made of."""
        own = dict(wanted.properties)
        if self.name_property and name:
            own[self.name_property] = name
        return own

    def for_update(self, wanted: Wanted) -> dict[str, Any]:
        return {name: value for name, value in wanted.properties.items() if name != self.name_property}

    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        """What is to be called after the creation (`before` is None) or the change."""

    def can_finish_updates(self) -> bool:
        """Whether `finish` alone makes changes."""
        return type(self).finish is not ApiKind.finish

    # --- calling

    def environment(self, wanted: Wanted, answer: Mapping[str, Any], physical: str, name: str) -> dict[str, Any]:
        """What sources may name."""
        stack = wanted.stack
        special = {"id": physical, "name": name, "account": stack.account, "region": stack.region}
        if "id" in answer:
            special["$id"] = str(answer["id"])  # what the answer itself has under that name
        return {**wanted.properties, **answer, **special}

    def source(self, source: str, environment: Mapping[str, Any]) -> Any:
        if "{" in source:
            return source.format_map(environment)
        return find(environment, source)

    def call(
        self, wanted: Wanted, operation: Operation, environment: Mapping[str, Any], properties: dict[str, Any]
    ) -> dict[str, Any]:
        """The answer. Raises AwsError."""
        shape = wanted.machine.model(self.service).operation(operation.name).input
        chosen = {self.api.rename.get(name, name): value for name, value in properties.items()}
        chosen.pop("", None)
        if not operation.whole:
            chosen = {}
        request = dict(members_of(shape, chosen)) if shape is not None else {}
        for member, source in operation.members.items():
            try:
                value = source[1:] if source.startswith("=") else self.source(source, environment)
            except KeyError:
                continue  # a property that was not given
            request[member] = convert(shape.members[member], value) if shape is not None else value
        answer = wanted.reach(self.service, operation.name, request)
        return dict(answer or {})


def find(environment: Mapping[str, Any], path: str) -> Any:
    """The value at a path of members; letters' case does not count. Raises KeyError."""
    value: Any = environment
    for part in path.split("."):
        if not isinstance(value, Mapping):
            raise KeyError(path)
        if part in value:
            value = value[part]
            continue
        lowered = part.lower()
        name = next((key for key in value if str(key).lower() == lowered), None)
        if name is None:
            raise KeyError(path)
        value = value[name]
    return value


# --- properties as members of a request


def members_of(shape: Shape, properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of a structure that the properties have."""
    names = {name.lower(): name for name in shape.members}
    if {"tagkey", "tagvalue"} == set(names):
        properties = {f"Tag{name}": value for name, value in properties.items()}
    for name, value in properties.items():
        member = names.get(name.lower())
        if member is not None and value is not None:
            yield member, convert(shape.members[member], value)


def convert(shape: Shape, value: Any) -> Any:
    """A property's value in the type of a member."""
    kind = shape.type
    if kind == "structure":
        return dict(members_of(shape, value)) if isinstance(value, Mapping) else value
    if kind == "list":
        return to_list(shape, value)
    if kind == "map":
        return to_map(shape, value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind in NUMBERS:
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "blob":
        return value if isinstance(value, bytes) else text_of(value).encode()
    if kind == "string":
        return json.dumps(value) if isinstance(value, dict | list) else text_of(value)
    return value


def to_list(shape: Shape, value: Any) -> list[Any]:
    if isinstance(value, Mapping) and shape.member.type == "structure":
        value = [{"Key": name, "Value": inner} for name, inner in value.items()]  # tags that the template has as a map
    return [convert(shape.member, inner) for inner in (value if isinstance(value, list) else [value])]


def to_map(shape: Shape, value: Any) -> Any:
    if isinstance(value, list):  # tags that the API has as a map
        value = {entry["Key"]: entry.get("Value", "") for entry in value if isinstance(entry, Mapping)}
    return {text_of(name): convert(shape.value, inner) for name, inner in value.items()}
