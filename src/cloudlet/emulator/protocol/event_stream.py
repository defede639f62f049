"""Event streams (`application/vnd.amazon.eventstream`): frames of headers and a payload, each with two CRC-32 sums.

    total length, headers length, CRC of these eight bytes, headers, payload, CRC of all before

Source: Smithy, "Amazon Event Stream Specification".
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.models import Shape

CONTENT_TYPE = "application/vnd.amazon.eventstream"

Headers = list[tuple[str, Any]]


def encode_frame(headers: Headers, payload: bytes) -> bytes:
    """One frame. Header values are str, bool, int (64 bit), bytes, or float (a moment)."""
    encoded = b"".join(encode_header(name, value) for name, value in headers)
    prelude = struct.pack("!II", 16 + len(encoded) + len(payload), len(encoded))
    frame = prelude + struct.pack("!I", zlib.crc32(prelude)) + encoded + payload
    return frame + struct.pack("!I", zlib.crc32(frame))


def encode_header(name: str, value: Any) -> bytes:
    label = name.encode()
    head = bytes((len(label),)) + label
    if isinstance(value, bool):
        return head + (b"\x00" if value else b"\x01")
    if isinstance(value, int):
        return head + b"\x05" + struct.pack("!q", value)
    if isinstance(value, float):
        return head + b"\x08" + struct.pack("!q", round(value * 1000))
    kind, data = (b"\x06", value) if isinstance(value, bytes) else (b"\x07", str(value).encode())
    return head + kind + struct.pack("!H", len(data)) + data


class EventWriter:
    """Writes the events of one event stream shape.

    An event is a dict with one key, the event's name. `write_body(shape)` gives a function from a structure to the bytes
    that the protocol makes of it, `content_type` names these.
    """

    def __init__(self, shape: Shape, write_body: Callable[[Shape], Callable[[Any], bytes]], content_type: str) -> None:
        self.content_type = content_type
        self.events = {name: self._event(name, target, write_body) for name, target in shape.members.items()}

    def _event(
        self, name: str, shape: Shape, write_body: Callable[[Shape], Callable[[Any], bytes]]
    ) -> Callable[[Any], bytes]:
        headers = [member for member, target in shape.members.items() if target.traits.get("eventheader")]
        payload = next((m for m, target in shape.members.items() if target.traits.get("eventpayload")), None)
        kind = shape.members[payload].type if payload is not None else "structure"
        write = write_body(shape if payload is None else shape.members[payload]) if kind == "structure" else None
        media = {"blob": "application/octet-stream", "string": "text/plain"}.get(kind, self.content_type)
        is_error = bool(shape.traits.get("exception"))
        first = [(":message-type", "exception"), (":exception-type", name)]
        if not is_error:
            first = [(":message-type", "event"), (":event-type", name)]

        def encode(event: Any) -> bytes:
            found: Headers = [*first]
            found += [(member, event[member]) for member in headers if member in event]
            if payload is not None:
                content = event.get(payload, {} if write is not None else b"")
            else:
                content = {member: value for member, value in event.items() if member not in headers}
            if write is not None:
                if content or shape.members:
                    found.append((":content-type", media))
                data = write(content) if shape.members else b""
            else:
                found.append((":content-type", media))
                data = content.encode() if isinstance(content, str) else content
            return encode_frame(found, data)

        return encode

    def frame(self, event: dict[str, Any]) -> bytes:
        """The frame of one event."""
        ((name, value),) = event.items()
        return self.events[name](value)

    def error_frame(self, error: AwsError) -> bytes:
        """The frame that ends a stream in an error."""
        if error.code in self.events:
            return self.events[error.code]({"message": error.message, **error.members})
        return encode_frame(
            [(":message-type", "error"), (":error-code", error.code), (":error-message", error.message)], b""
        )

    async def frames(self, events: AsyncIterator[dict[str, Any]], first: bytes = b"") -> AsyncIterator[bytes]:
        """The encoded stream; an AwsError raised by `events` becomes its last frame."""
        if first:
            yield first
        try:
            async for event in events:
                yield self.frame(event)
        except AwsError as error:
            yield self.error_frame(error)


def initial_response(content_type: str, payload: bytes) -> bytes:
    """The first frame of RPC protocols: the members beside the stream."""
    headers: Headers = [
        (":message-type", "event"),
        (":event-type", "initial-response"),
        (":content-type", content_type),
    ]
    return encode_frame(headers, payload)
