"""Results into JSON. Most results are JSON already; a writer changes only what is not.

    write = JsonWriter().of(shape)      # None: the value goes to orjson as it is (blobs become base64 there)
    write(value)                        # -> what goes to orjson; the value itself is not changed

A writer exists where the tree below a shape has moments, floating numbers (NaN is text) or renamed members.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.protocol.models import Shape
from cloudlet.emulator.protocol.timestamps import epoch_number, http_date, iso8601

Write = Callable[[Any], Any]

MOMENTS: Mapping[str, Write] = MappingProxyType(
    {"iso8601": iso8601, "rfc822": http_date, "unixTimestamp": epoch_number}
)


class JsonWriter:
    """Writers of shapes, made once each. With `moment` (CBOR) only moments are written, all of them in that way."""

    def __init__(self, moment: Write | None = None) -> None:
        self.moment = moment
        self.structures: dict[str, Write | None] = {}
        self.open: set[str] = set()

    def of(self, shape: Shape) -> Write | None:
        if shape.is_document:
            return None
        if shape.type == "structure":
            return self.structure(shape)
        if shape.type == "list":
            return write_list(self.of(shape.member))
        if shape.type == "map":
            return write_map(self.of(shape.value))
        if shape.type == "timestamp":
            return self.moment or MOMENTS[shape.traits.get("timestampFormat", "unixTimestamp")]
        if self.moment is not None:
            return None
        if shape.type in ("float", "double"):
            return write_float
        return None

    def structure(self, shape: Shape, members: dict[str, Shape] | None = None) -> Write | None:
        """A structure, or the given part of its members."""
        name = shape.name
        if members is None:
            if name in self.structures:
                return self.structures[name]
            if name in self.open:

                def later(value: Any) -> Any:
                    write = self.structures[name]
                    return value if write is None else write(value)

                return later if self.changes(shape, set()) else None
            self.open.add(name)
        table = []
        for member, target in (shape.members if members is None else members).items():
            write = self.of(target)
            wire_name = target.wire_name or member
            if write is not None or wire_name != member:
                table.append((member, wire_name, write))
        made = write_structure(tuple(table)) if table else None
        if members is None:
            self.open.discard(name)
            self.structures[name] = made
        return made

    def changes(self, shape: Shape, seen: set[str]) -> bool:
        """Whether anything below a shape needs a writer."""
        if shape.is_document or shape.name in seen:
            return False
        if shape.type == "structure":
            seen.add(shape.name)
            return any(
                (target.wire_name or member) != member or self.changes(target, seen)
                for member, target in shape.members.items()
            )
        if shape.type in ("list", "map"):
            return self.changes(shape.member if shape.type == "list" else shape.value, seen)
        return self.of(shape) is not None


def write_structure(table: tuple[tuple[str, str, Write | None], ...]) -> Write:
    def write(value: Any) -> Any:
        changed = None
        for member, wire_name, inner in table:
            if member in value:
                if changed is None:
                    changed = dict(value)
                item = changed.pop(member) if wire_name != member else value[member]
                changed[wire_name] = item if inner is None or item is None else inner(item)
        return value if changed is None else changed

    return write


def write_list(element: Write | None) -> Write | None:
    if element is None:
        return None
    return lambda value: [None if item is None else element(item) for item in value]


def write_map(element: Write | None) -> Write | None:
    if element is None:
        return None
    return lambda value: {key: None if item is None else element(item) for key, item in value.items()}


def write_float(value: Any) -> Any:
    """JSON has no NaN and no infinity: AWS writes them as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
