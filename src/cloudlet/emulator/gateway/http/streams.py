"""Long answers: a slice of a file, and pieces that an operation makes one by one. Memory stays flat for both."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Protocol

from cloudlet.emulator.protocol.message import FileSlice

PIECE_BYTES = 256 * 1024
PROBE_BYTES = 64 * 1024
TURN_BYTES = 4 * 1024 * 1024  # sent of one file before others get their turn
CAN_SEND_FILES = sys.platform == "linux"


class ShortFile(OSError):
    """A file ended before the slice that was promised."""


class FileStream:
    """Reads a slice piece by piece. Raises OSError."""

    __slots__ = ("descriptor", "position", "remaining")

    def __init__(self, part: FileSlice) -> None:
        self.descriptor = os.open(part.path, os.O_RDONLY)
        self.position = part.start
        self.remaining = part.length

    def read(self, size: int) -> bytes:
        """The next piece, at most `size` bytes; empty at the end of the slice."""
        wanted = min(self.remaining, size)
        if wanted == 0:
            return b""
        data = os.pread(self.descriptor, wanted, self.position)
        if not data:
            raise ShortFile(f"a stored file ends {self.remaining} bytes early")
        self.position += len(data)
        self.remaining -= len(data)
        return data

    def send(self, to: int) -> int:
        """Let the system copy to the socket `to`, without a way through our memory. 0 when the socket is full."""
        try:
            sent = os.sendfile(to, self.descriptor, self.position, min(self.remaining, TURN_BYTES))
        except BlockingIOError:
            return 0
        if sent == 0:
            raise ShortFile(f"a stored file ends {self.remaining} bytes early")
        self.position += sent
        self.remaining -= sent
        return sent

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def plain_socket(transport: asyncio.Transport) -> int:
    """The descriptor of a socket that takes bytes as they are; -1 where there is none (TLS, other systems)."""
    connection = transport.get_extra_info("socket") if CAN_SEND_FILES else None
    return -1 if connection is None else int(connection.fileno())


class Sink(Protocol):
    """What `send_pieces` needs of a connection."""

    transport: asyncio.Transport
    paused: bool

    async def drain(self) -> None: ...


async def send_pieces(sink: Sink, pieces: AsyncIterator[bytes], *, chunked: bool) -> None:
    """Write `pieces` as they come, no faster than the client reads. `chunked` is HTTP's own coding."""
    async for piece in pieces:
        if sink.transport.is_closing():
            return  # the client has gone; the task is about to be cancelled
        if not piece:
            continue
        if chunked:
            sink.transport.writelines((b"%x\r\n" % len(piece), piece, b"\r\n"))
        else:
            sink.transport.write(piece)
        if sink.paused:
            await sink.drain()
    if chunked:
        sink.transport.write(b"0\r\n\r\n")


async def close_pieces(pieces: AsyncIterator[bytes]) -> None:
    """End a generator that is not read to its end, so that it can give back what it holds."""
    close = getattr(pieces, "aclose", None)
    if close is not None:
        await close()
