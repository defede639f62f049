"""Service models as the emulator uses them: botocore's, compiled by tools/generate_models.py into `data/`.

    models = Models()                          # owned by the app; nothing is kept at module level
    models.index.by_signing_name["sqs"]        # ("sqs",): names of the services that sign with it
    models.index.by_target_prefix["AmazonSQS"] # ("sqs",): X-Amz-Target prefixes and /service/<prefix>/operation/… of CBOR
    models.index.by_endpoint_prefix["sqs"]     # ("sqs",): the first label of a host name
    models.index.services["sqs"]               # ServiceEntry: protocols, api_version, signing_name, …
    models.actions["GetCallerIdentity"]        # ("sts",): query and ec2 services that have the action (read at first use)
    service = models.service("sqs")            # ServiceModel, read at first use; KeyError for an unknown name
    service.routes()                           # REST services: every operation's Route, for the router
    service.operation("SendMessage")           # OperationModel; shapes are decoded when needed; KeyError

botocore is not imported here: the serving process never needs it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

DATA = Path(__file__).parent / "data"
SUFFIX = ".json.z"  # zlib over JSON


class ServiceEntry(msgspec.Struct, frozen=True, array_like=True):
    """One service in the index. `protocols` is in AWS's order of preference; a name that a model lacks is empty."""

    name: str
    protocols: tuple[str, ...]
    api_version: str
    signing_name: str
    endpoint_prefix: str
    target_prefix: str
    service_id: str


class Index:
    """All services by what a request tells about them."""

    def __init__(self, entries: list[ServiceEntry]) -> None:
        self.services = {entry.name: entry for entry in entries}
        self.by_signing_name = grouped((entry.signing_name, entry.name) for entry in entries)
        self.by_endpoint_prefix = grouped((entry.endpoint_prefix, entry.name) for entry in entries)
        self.by_target_prefix = grouped((entry.target_prefix, entry.name) for entry in entries if entry.target_prefix)


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, name in pairs:
        found[key] = (*found.get(key, ()), name)
    return found


class Models:
    """Every service model that ships with the package."""

    def __init__(self, folder: Path = DATA) -> None:
        self.folder = folder
        self._services: dict[str, ServiceModel] = {}

    @cached_property
    def index(self) -> Index:
        return Index(msgspec.json.decode(self._read("_index"), type=list[ServiceEntry]))

    @cached_property
    def actions(self) -> dict[str, tuple[str, ...]]:
        return msgspec.json.decode(self._read("_actions"), type=dict[str, tuple[str, ...]])

    def knows(self, name: str) -> bool:
        return name in self.index.services

    def service(self, name: str) -> ServiceModel:
        found = self._services.get(name)
        if found is None:
            if name not in self.index.services:
                raise KeyError(name)
            found = self._services[name] = ServiceModel(self.index.services[name], self._read(name))
        return found

    def _read(self, name: str) -> bytes:
        return zlib.decompress((self.folder / (name + SUFFIX)).read_bytes())


class Route(msgspec.Struct, frozen=True):
    """Where a REST operation is. `path` is the template without its query, e.g. `/{Bucket}/{Key+}`;
    `query` holds the literals that must be present (`{"acl": None, "list-type": "2"}`: None is any value)."""

    operation: str
    method: str
    path: str
    query: dict[str, str | None]


class ServiceFile(msgspec.Struct):
    """The compiled file: operations and shapes stay raw JSON until somebody asks for one."""

    metadata: dict[str, Any]
    operations: dict[str, msgspec.Raw]
    shapes: dict[str, msgspec.Raw]


class ServiceModel:
    """One service. `metadata` has botocore's keys (`jsonVersion`, `xmlNamespace`, `awsQueryCompatible`, …)."""

    def __init__(self, entry: ServiceEntry, data: bytes) -> None:
        file = msgspec.json.decode(data, type=ServiceFile)
        self.name = entry.name
        self.entry = entry
        self.protocols = entry.protocols
        self.metadata = file.metadata
        self._operations = file.operations
        self._shapes = file.shapes
        self._decoded: dict[str, dict[str, Any]] = {}
        self._models: dict[str, OperationModel] = {}

    @property
    def operation_names(self) -> tuple[str, ...]:
        return tuple(self._operations)

    def has_operation(self, name: str) -> bool:
        return name in self._operations

    def operation(self, name: str) -> OperationModel:
        found = self._models.get(name)
        if found is None:
            found = self._models[name] = OperationModel(self, name, msgspec.json.decode(self._operations[name]))
        return found

    def shape(self, name: str) -> Shape:
        return Shape(self, name, self.traits(name))

    def traits(self, name: str) -> dict[str, Any]:
        """What the model says about a shape; not to be changed."""
        found = self._decoded.get(name)
        if found is None:
            found = self._decoded[name] = msgspec.json.decode(self._shapes[name])
        return found

    def shape_names(self) -> Iterator[str]:
        return iter(self._shapes)

    def routes(self) -> list[Route]:
        found = []
        for name in self._operations:
            http = self.operation(name).http
            path, _, query = http["requestUri"].partition("?")
            literals: dict[str, str | None] = {}
            for part in query.split("&"):
                if part:
                    key, equals, value = part.partition("=")
                    literals[key] = value if equals and value else None
            found.append(Route(name, http["method"], path, literals))
        return found


class OperationModel:
    """One operation. `traits` has botocore's keys; `http` is method, requestUri and responseCode."""

    def __init__(self, service: ServiceModel, name: str, traits: dict[str, Any]) -> None:
        self.service = service
        self.name = name
        self.traits = traits
        self.http: dict[str, Any] = traits["http"]

    @cached_property
    def input(self) -> Shape | None:
        return self._referred("input")

    @cached_property
    def output(self) -> Shape | None:
        return self._referred("output")

    @cached_property
    def errors(self) -> tuple[Shape, ...]:
        return tuple(self.service.shape(name) for name in self.traits.get("errors", ()))

    @property
    def status(self) -> int:
        return int(self.http.get("responseCode", 200))

    def _referred(self, direction: str) -> Shape | None:
        reference = self.traits.get(direction)
        return None if reference is None else refer(self.service, reference)


class Shape:
    """A shape as a member sees it: `traits` are the shape's own with the member's on top (botocore's keys)."""

    __slots__ = ("_members", "name", "service", "traits", "type")

    def __init__(self, service: ServiceModel, name: str, traits: dict[str, Any]) -> None:
        self.service = service
        self.name = name
        self.traits = traits
        self.type: str = traits["type"]
        self._members: dict[str, Shape] | None = None

    @property
    def members(self) -> dict[str, Shape]:
        """A structure's members in the model's order."""
        if self._members is None:
            described = self.traits.get("members", {})
            self._members = {name: refer(self.service, reference) for name, reference in described.items()}
        return self._members

    @property
    def member(self) -> Shape:
        """A list's member."""
        return refer(self.service, self.traits["member"])

    @property
    def key(self) -> Shape:
        return refer(self.service, self.traits["key"])

    @property
    def value(self) -> Shape:
        return refer(self.service, self.traits["value"])

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self.traits.get("required", ()))

    @property
    def wire_name(self) -> str | None:
        """`locationName`, where the model gives one."""
        return self.traits.get("locationName")

    @property
    def is_document(self) -> bool:
        return bool(self.traits.get("document"))

    @property
    def is_event_stream(self) -> bool:
        return bool(self.traits.get("eventstream"))


def refer(service: ServiceModel, reference: dict[str, Any]) -> Shape:
    """The shape that a member refers to, under the member's own traits."""
    name = reference["shape"]
    traits = service.traits(name)
    if len(reference) > 1:
        traits = {**traits, **reference}
    return Shape(service, name, traits)
