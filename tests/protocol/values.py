"""Seeded values of shapes: everything that a shape can hold and that its place on the wire can carry.

A value is in Cloudlet's form: moments are floats, blobs bytes. `to_botocore` and `from_botocore` change between this and what
botocore's serializers and parsers use (datetimes).
"""

from __future__ import annotations

import datetime
import random
import string
from typing import Any

PLAIN = string.ascii_letters + string.digits
RICH = PLAIN + " _-.:/+=&%<>\"'\\é漢🙂,;#?"
DEPTH = 4  # of structures below the request


class Values:
    """Makes values. `protocol` says what the wire can carry."""

    def __init__(self, seed: str, protocol: str, *, output: bool) -> None:
        self.random = random.Random(seed)
        self.protocol = protocol
        self.output = output
        # Forms cannot say "an empty list" inside a list, nor an empty structure or map anywhere.
        self.smallest = 1 if protocol in ("query", "ec2") else 0

    def structure(self, shape: Any, depth: int = 0, *, full: bool = False) -> dict[str, Any]:
        members = [(name, member) for name, member in shape.members.items() if self.fits(name, member, shape)]
        if getattr(shape, "is_tagged_union", False) and members:
            members = [self.union_member(members, depth)]
            return {name: self.of(member, depth + 1) for name, member in members}
        found = {}
        required = set(shape.required_members)
        for name, member in members:
            nested = member.type_name in ("structure", "list", "map")
            if nested and depth >= DEPTH:
                continue
            if full or name in required or self.random.random() < (0.7 if depth < 2 else 0.4):
                found[name] = self.of(member, depth + 1)
        if not found and self.smallest:
            scalars = [(n, m) for n, m in members if m.type_name not in ("structure", "list", "map")]
            for name, member in scalars[:1]:
                found[name] = self.of(member, depth + 1)
        return found

    def union_member(self, members: list[tuple[str, Any]], depth: int) -> tuple[str, Any]:
        """One of a union's; a shallow one where the value is deep enough."""
        if depth < DEPTH:
            return self.random.choice(members)
        order = ("structure", "list", "map")
        return min(members, key=lambda item: -order.index(item[1].type_name) if item[1].type_name in order else -9)

    def fits(self, name: str, member: Any, shape: Any) -> bool:
        """Whether the member can be sent in this direction at all."""
        if member.serialization.get("eventstream"):
            return False
        location = member.serialization.get("location")
        return not (self.output and location in ("uri", "querystring"))

    def of(self, shape: Any, depth: int) -> Any:
        location = shape.serialization.get("location")
        if getattr(shape, "is_document_type", False):
            return self.document(depth)
        if shape.type_name == "structure":
            return self.structure(shape, depth)
        if shape.type_name == "list":
            flat = shape.serialization.get("flattened") or location or self.smallest
            return [self.element(shape.member, depth, location) for _ in range(self.count(flat, depth))]
        if shape.type_name == "map":
            flat = shape.serialization.get("flattened") or location or self.smallest
            names = [self.key(shape.key, location) for _ in range(self.count(flat, depth))]
            return {name: self.element(shape.value, depth, location) for name in names}
        return self.scalar(shape, location)

    def count(self, flat: Any, depth: int) -> int:
        if depth > DEPTH + 2:
            return 1 if flat else 0
        return self.random.randint(1 if flat else 0, 3)

    def element(self, shape: Any, depth: int, location: str | None) -> Any:
        if shape.type_name == "list" and location:
            return [self.scalar(shape.member, location) for _ in range(self.random.randint(1, 3))]
        if shape.type_name in ("structure", "list", "map"):
            return self.of(shape, depth + 1) if depth < DEPTH + 2 else self.empty(shape)
        return self.scalar(shape, location)

    def empty(self, shape: Any) -> Any:
        is_union = getattr(shape, "is_tagged_union", False)
        if (self.smallest or is_union) and shape.type_name == "structure":
            return self.structure(shape, DEPTH + 9)
        return [] if shape.type_name == "list" else {}

    def key(self, shape: Any, location: str | None) -> str:
        if shape.metadata.get("enum") and not location:
            return self.random.choice(shape.metadata["enum"])
        if location:
            return "".join(self.random.choices(string.ascii_lowercase, k=6))
        return self.text(1)

    def scalar(self, shape: Any, location: str | None) -> Any:
        kind = shape.type_name
        if kind == "string":
            return self.string(shape, location)
        if kind == "character":
            return self.random.choice(PLAIN)
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "long"):
            return self.number(shape)
        if kind in ("float", "double"):
            return self.random.randint(-4000, 4000) / 4
        if kind == "timestamp":
            return self.moment(shape, location)
        assert kind == "blob", kind
        return self.random.randbytes(self.random.randint(1 if location or self.smallest else 0, 20))

    def number(self, shape: Any) -> int:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        low = int(low) if low is not None else -(2**31)
        high = int(high) if high is not None else max(low, 2**31 - 1)
        return self.random.randint(low, high)

    def string(self, shape: Any, location: str | None) -> Any:
        if shape.serialization.get("jsonvalue") and location == "header":
            return {self.text(1): [1, True, None, self.text(0)]}
        if shape.metadata.get("enum"):
            return self.random.choice(shape.metadata["enum"])
        if shape.metadata.get("hostLabel") or shape.serialization.get("hostLabel"):
            return "".join(self.random.choices(PLAIN, k=12)).lower()
        if location in ("header", "headers"):
            return "".join(self.random.choices(PLAIN, k=8)) + self.random.choice(["", " b", "=", '"q"', ";x"])
        return self.text(1 if location or self.smallest else 0)

    def text(self, shortest: int) -> str:
        letters = "".join(self.random.choices(RICH, k=self.random.randint(shortest, 12)))
        # Nobody sends white space alone or at the ends of an element; botocore's own parsers drop it.
        return letters.strip() or letters.replace(" ", "x")

    def moment(self, shape: Any, location: str | None) -> float:
        whole = self.random.randint(0, 4_000_000_000)
        written = shape.serialization.get("timestampFormat", "rfc822" if location in ("header", "headers") else "")
        if self.output and written != "rfc822":
            return whole + self.random.choice([0, 0, 0.5, 0.123, 0.999])
        return float(whole)

    def document(self, depth: int) -> Any:
        if depth > DEPTH:
            return self.text(0)
        return self.random.choice(
            [
                {"text": self.text(0), "numbers": [1, 2.5, -3], "nothing": None, "deep": {"yes": True}},
                [self.text(0), False, {"a": []}],
                self.text(0),
                12,
            ]
        )


def to_botocore(shape: Any, value: Any) -> Any:
    """A value with datetimes, as a client of boto3 would give it."""
    if getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure":
        return {name: to_botocore(shape.members[name], item) for name, item in value.items()}
    if shape.type_name == "list":
        return [to_botocore(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: to_botocore(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    return value


def from_botocore(value: Any) -> Any:
    """What a parser of botocore gave, with floats for moments."""
    if isinstance(value, dict):
        return {key: from_botocore(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_botocore(item) for item in value]
    if isinstance(value, datetime.datetime):
        return round(value.timestamp(), 3)
    return value


def pruned(value: Any) -> Any:
    """Without empty structures, lists and maps, which forms cannot carry."""
    if isinstance(value, dict):
        items = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [item for item in map(pruned, value) if item not in ({}, [])]
    return value
