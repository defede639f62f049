"""msgspec types of shapes, so that one call decodes, checks and converts a JSON body into plain dicts.

A structure becomes a TypedDict (the result is a dict in AWS's member names, unknown members dropped), blobs are decoded
from base64, and the model's constraints are `Meta`. Whatever such a type refuses is read again by `json_reader.py`, which
knows AWS's words and lenience. Shapes that a type cannot say (renamed members, moments as text) raise `Unsayable`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

import msgspec

from cloudlet.emulator.protocol.constraints import Rules
from cloudlet.emulator.protocol.models import Shape
from cloudlet.emulator.protocol.validate import full_pattern

LARGEST = 2**63 - 1


class Unsayable(Exception):
    """No type does what this shape needs."""


class JsonTypes:
    """Types of shapes under one set of rules."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.structures: dict[str, Any] = {}

    def of(self, shape: Shape) -> Any:
        if shape.is_document:
            return Any
        if shape.type == "structure":
            return self.structure(shape, shape.members)
        if shape.type == "list":
            return self.bounded(list[self.element(shape, shape.member)], shape)  # type: ignore[misc]
        if shape.type == "map":
            return self.bounded(dict[self.of(shape.key), self.element(shape, shape.value)], shape)  # type: ignore[misc]
        return self.scalar(shape)

    def element(self, shape: Shape, target: Shape) -> Any:
        """The type of a list's or map's values: a sparse one may hold null."""
        return self.of(target) | None if shape.traits.get("sparse") else self.of(target)

    def structure(self, shape: Shape, members: dict[str, Shape]) -> Any:
        if shape.name in self.structures:
            return self.structures[shape.name]
        made: Any = TypedDict(shape.name, {})  # type: ignore[misc]
        self.structures[shape.name] = made  # filled below, so that a recursive shape finds it
        required = frozenset(shape.required) - self.rules.optional if self.rules.missing != "unchecked" else frozenset()
        fields = {}
        for name, target in members.items():
            if (target.wire_name or name) != name:
                raise Unsayable(f"{shape.name}.{name}")
            fields[name] = self.of(target)
        made.__annotations__ = fields
        made.__required_keys__ = frozenset(name for name in fields if name in required)
        made.__optional_keys__ = frozenset(fields) - made.__required_keys__
        return made

    def scalar(self, shape: Shape) -> Any:
        kind = shape.type
        if kind == "string":
            return self.string(shape)
        if kind == "blob":
            return self.bounded(bytes, shape)
        if kind == "boolean":
            return bool
        if kind == "timestamp":
            if shape.traits.get("timestampFormat", "unixTimestamp") != "unixTimestamp":
                raise Unsayable(shape.name)
            return float
        number = int if kind in ("integer", "long") else float
        low, high = shape.traits.get("min"), shape.traits.get("max")
        if not self.rules.range or (low is None and high is None):
            return number
        if any(limit is not None and abs(limit) > LARGEST for limit in (low, high)):
            raise Unsayable(shape.name)
        return Annotated[number, msgspec.Meta(ge=low, le=high)]

    def string(self, shape: Shape) -> Any:
        if self.rules.enum and shape.traits.get("enum"):
            return Literal[tuple(shape.traits["enum"])]
        pattern = full_pattern(shape.traits["pattern"]) if self.rules.pattern and "pattern" in shape.traits else None
        plain = self.bounded(str, shape)
        return plain if pattern is None else Annotated[plain, msgspec.Meta(pattern=pattern)]

    def bounded(self, kind: Any, shape: Shape) -> Any:
        low, high = shape.traits.get("min"), shape.traits.get("max")
        if not self.rules.length or (not low and high is None):
            return kind
        return Annotated[
            kind, msgspec.Meta(min_length=int(low) if low else None, max_length=int(high) if high else None)
        ]
