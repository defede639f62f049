"""What the wire can do, as facts about operations: `rest-xml out header timestamp`, `query in flattened list`, …"""

from __future__ import annotations

from collections.abc import Iterator

from cloudlet.emulator.protocol.models import OperationModel, Shape


def features(operation: OperationModel, protocol: str) -> set[str]:
    """Every feature that the operation shows over the protocol."""
    found = set()
    for direction, shape in (("in", operation.input), ("out", operation.output)):
        if shape is None:
            found.add(f"{protocol} {direction} nothing")
        else:
            found.update(f"{protocol} {direction} {feature}" for feature in of_structure(shape, set()))
            if "payload" in shape.traits:
                member = shape.members[shape.traits["payload"]]
                kind = "event stream" if member.is_event_stream else "document" if member.is_document else member.type
                found.add(f"{protocol} {direction} payload {kind}")
    if "{" in operation.traits.get("endpoint", {}).get("hostPrefix", ""):
        found.add(f"{protocol} in host label")
    return found


def of_structure(shape: Shape, seen: set[str]) -> Iterator[str]:
    seen.add(shape.name)
    for name, member in shape.members.items():
        location = member.traits.get("location")
        if location:
            yield f"{location} {member.type}" + (" of JSON" if member.traits.get("jsonvalue") else "")
        elif member.wire_name not in (None, name):
            yield "renamed member"
        if member.traits.get("xmlAttribute"):
            yield "attribute"
        yield from of_shape(member, seen)


def of_shape(shape: Shape, seen: set[str]) -> Iterator[str]:
    traits = shape.traits
    if shape.is_event_stream:
        yield "event stream"
    elif shape.is_document:
        yield "document"
    elif shape.type == "structure":
        yield "union" if traits.get("union") else "structure"
        if shape.name in seen:
            yield "recursion"
        else:
            yield from of_structure(shape, seen)
    elif shape.type in ("list", "map"):
        yield ("flattened " if traits.get("flattened") else "sparse " if traits.get("sparse") else "") + shape.type
        inner = shape.member if shape.type == "list" else shape.value
        if inner.wire_name:
            yield f"named {shape.type}"
        yield from of_shape(inner, seen)
    else:
        yield shape.type + (f" {traits['timestampFormat']}" if "timestampFormat" in traits else "")
    if traits.get("xmlNamespace"):
        yield "namespace"
