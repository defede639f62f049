"""Event streams: our frames, read by botocore."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.parsers import create_parser

from cloudlet.emulator.kernel.errors import UnmodelledError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.constraints import NOTHING
from cloudlet.emulator.protocol.event_stream import encode_frame
from cloudlet.emulator.protocol.message import HttpResponse
from tests.protocol import wire
from tests.protocol.values import Values, from_botocore


def stream_operations() -> list[tuple[str, str, str]]:
    """Every operation whose result is an event stream."""
    found = []
    for service in wire.SERVICES:
        model = wire.MODELS.service(service)
        if not any(model.traits(name).get("eventstream") for name in model.shape_names()):
            continue
        for name in model.operation_names:
            output = model.operation(name).output
            if output is not None and any(member.is_event_stream for member in output.members.values()):
                found += [(service, name, protocol) for protocol in wire.protocols_of(service)]
    return found


async def sent(events: list[dict[str, Any]], error: Exception | None = None) -> AsyncIterator[dict[str, Any]]:
    for event in events:
        yield event
    if error is not None:
        raise error


def gathered(response: HttpResponse) -> bytes:
    async def gather() -> bytes:
        assert not isinstance(response.body, bytes)
        return b"".join([frame async for frame in response.body])  # type: ignore[union-attr]

    return asyncio.run(gather())


def frames(data: bytes) -> list[Any]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return list(buffer)


@pytest.mark.parametrize(("service", "operation", "protocol"), stream_operations())
def test_every_event_arrives_as_it_was_sent(service: str, operation: str, protocol: str) -> None:
    described = wire.botocore_model(service).operation_model(operation)
    output = described.output_shape
    (stream,) = [name for name, member in output.members.items() if member.serialization.get("eventstream")]
    shape = output.members[stream]
    events = []
    for name, member in shape.members.items():
        values = Values(f"{service}.{operation}.{name}", "json", output=True)
        events.append({name: values.structure(member, full=True)})
    rest = Values(f"{service}.{operation}", protocol, output=True).structure(output)
    wire_codec = codec(wire.MODELS.service(service), operation, protocol, NOTHING)
    response = wire_codec.serialize({**rest, stream: sent(events)}, "request-id")
    if not any(member.serialization.get("name") == "Content-Type" for member in output.members.values()):
        assert response.headers["Content-Type"] == "application/vnd.amazon.eventstream"
    found = frames(gathered(response))
    parser = create_parser(protocol)._event_stream_parser
    if protocol in ("json", "smithy-rpc-v2-cbor"):
        first = found.pop(0).to_response_dict()
        assert first["headers"][":event-type"] == "initial-response"
        beside = from_botocore(parser.parse(first, output))
        beside.pop("ResponseMetadata")
        assert beside == rest
    for frame, event in zip(found, events, strict=True):
        ((name, value),) = event.items()
        raw = frame.to_response_dict()
        if raw["status_code"] == 400:
            assert raw["headers"][":exception-type"] == name
            continue
        assert from_botocore(parser.parse(raw, shape)) == {name: value}


def test_an_error_ends_the_stream() -> None:
    wire_codec = codec(wire.MODELS.service("kinesis"), "SubscribeToShard", "json")
    error = UnmodelledError("ResourceNotFoundException", "gone")
    response = wire_codec.serialize({"EventStream": sent([], error)}, "request-id")
    last = frames(gathered(response))[-1].to_response_dict()
    assert last["headers"][":message-type"] == "exception"
    assert last["headers"][":exception-type"] == "ResourceNotFoundException"
    assert b"gone" in last["body"]


def test_an_error_that_the_stream_does_not_know_ends_it_too() -> None:
    wire_codec = codec(wire.MODELS.service("kinesis"), "SubscribeToShard", "json")
    response = wire_codec.serialize({"EventStream": sent([], UnmodelledError("Odd", "gone"))}, "request-id")
    last = frames(gathered(response))[-1].to_response_dict()
    assert last["headers"][":message-type"] == "error"
    assert last["headers"][":error-code"] == "Odd"


def test_headers_of_every_type() -> None:
    headers = [("t", True), ("f", False), ("n", 2**40), ("b", b"\x00\xff"), ("s", "é"), ("m", 1.5)]
    (frame,) = frames(encode_frame(headers, b"payload"))
    assert frame.headers == {"t": True, "f": False, "n": 2**40, "b": b"\x00\xff", "s": "é", "m": 1500}
    assert frame.payload == b"payload"
