"""Requests: generated input -> botocore's serializer -> our parser -> the same input."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.constraints import NOTHING
from tests.protocol import wire
from tests.protocol.values import Values, pruned, to_botocore


@pytest.mark.parametrize("service", wire.SERVICES)
def test_what_a_client_sends_is_what_the_operation_gets(service: str) -> None:
    failures = []
    for protocol in wire.protocols_of(service):
        model = wire.model_of(service, protocol)
        for name in wire.chosen(service, protocol):
            for full in (True, False):
                failure = difference(service, protocol, model.operation_model(name), full=full)
                if failure:
                    failures.append(failure)
    assert not failures, "\n".join(failures[:5])


def difference(service: str, protocol: str, operation: Any, *, full: bool) -> str:
    """What came back differently, in words."""
    shape = operation.input_shape
    expected: dict[str, Any] = {}
    if shape is not None:
        values = Values(f"{service}.{operation.name}.{full}", protocol, output=False)
        expected = values.structure(shape, full=full)
        for member in shape.members:  # a path without its labels cannot be sent
            if shape.members[member].serialization.get("location") == "uri" and not expected.get(member):
                expected[member] = values.of(shape.members[member], 1) or "x"
    request = wire.request_of(service, protocol, operation, to_botocore(shape, expected) if shape else {})
    wire_codec = codec(wire.MODELS.service(service), operation.name, protocol, NOTHING)
    found = wire.read_bodies(wire_codec.parse(request))
    if protocol in ("query", "ec2"):
        expected, found = pruned(expected), pruned(found)
    for member in shape.members if shape is not None else ():
        if not member_was_sent(shape.members[member]) and member not in expected:
            found.pop(member, None)
    expected, found = settled(shape, expected), settled(shape, found)
    if expected == found:
        return ""
    return f"{service}.{operation.name} over {protocol}\n  sent {expected}\n  got  {found}"


def member_was_sent(member: Any) -> bool:
    """False for what a request has in any case: length and type of its body, and a stream that was not begun."""
    label = member.serialization.get("name", "").lower()
    return label not in ("content-length", "content-type") and not member.serialization.get("eventstream")


def settled(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    """Without what one wire cannot tell apart: an empty payload and none."""
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is not None and value.get(payload) in (b"", "", {}):
        return {name: item for name, item in value.items() if name != payload}
    return value
