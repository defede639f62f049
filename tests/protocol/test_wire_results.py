"""Results: generated output -> our serializer -> botocore's parser -> the same output."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.constraints import NOTHING
from tests.protocol import wire
from tests.protocol.values import Values, from_botocore, pruned


@pytest.mark.parametrize("service", wire.SERVICES)
def test_what_the_operation_returns_is_what_a_client_gets(service: str) -> None:
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
    shape = operation.output_shape
    wire_codec = codec(wire.MODELS.service(service), operation.name, protocol, NOTHING)
    if shape is None:
        response = wire_codec.serialize(None, "request-id")
        wire.parsed_by_botocore(protocol, response, None)
        return ""
    if operation.has_event_stream_output:
        return ""  # test_event_streams.py
    values = Values(f"{service}.{operation.name}.{full}", protocol, output=True)
    expected = values.structure(shape, full=full)
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode":
            expected[name] = 200
    response = wire_codec.serialize(expected, "request-id")
    found = wire.read_bodies(from_botocore(wire.parsed_by_botocore(protocol, response, shape)))
    for name, member in shape.members.items():
        of_every_answer(name, member, expected, found)
    expected, found = settled(operation, shape, expected), settled(operation, shape, found)
    if protocol in ("query", "ec2"):
        expected, found = pruned(expected), pruned(found)
    if expected == found:
        return ""
    return f"{service}.{operation.name} over {protocol}\n  returned {expected}\n  got      {found}\n  {response.body[:3000]!r}"


def of_every_answer(name: str, member: Any, expected: dict[str, Any], found: dict[str, Any]) -> None:
    """Take out of `found` what every answer has, asked for or not: its Content-Type, and all headers as a map."""
    if member.serialization.get("location") == "headers" and not member.serialization.get("name"):
        found[name] = {key: value for key, value in found.get(name, {}).items() if key in expected.get(name, {})}
    elif member.serialization.get("name", "").lower() == "content-type" and name not in expected:
        found.pop(name, None)


def settled(operation: Any, shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    """Without what a wire cannot carry: an empty payload against none, bodies of HEAD, empty header maps."""
    kept = {}
    payload = shape.serialization.get("payload")
    for name, item in value.items():
        location = shape.members[name].serialization.get("location")
        if name == payload and item in (b"", "", {}):
            continue
        if location in ("headers",) and not item:
            continue
        if operation.http.get("method") == "HEAD" and location is None:
            continue
        kept[name] = item
    return kept
