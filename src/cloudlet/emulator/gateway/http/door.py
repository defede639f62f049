"""The first byte decides: a TLS hello begins with 0x16, no HTTP request does.

    Door ──┬─ 0x16 ── TlsConnection ══ TlsTransport ── HttpConnection (https)
           └─ else ── HttpConnection (http)

TLS runs over memory buffers (`ssl.MemoryBIO`), so that it is the same on uvloop and asyncio and the bytes that were
looked at go in as they are. Back-pressure passes through in both directions.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from cloudlet.emulator.gateway.http.connection import HttpConnection
from cloudlet.emulator.gateway.http.tls import TlsError

if TYPE_CHECKING:
    from cloudlet.emulator.gateway.http.server import HttpServer
    from cloudlet.emulator.gateway.http.tls import ServerCertificates

log = logging.getLogger("cloudlet.gateway")
TLS_HANDSHAKE = 0x16
READ_BYTES = 256 * 1024


class Silent(asyncio.Protocol):
    """A connection on which no HTTP has begun: given up after a while, closed when the server stops."""

    transport: asyncio.Transport

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.began = server.tick

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.server.left(self)

    def check(self, tick: int) -> None:
        if tick - self.began > self.server.limits.head_seconds:
            self.transport.abort()

    def stop_when_idle(self) -> None:
        self.transport.close()

    def abort(self) -> None:
        self.transport.abort()


class Door(Silent):
    """Waits for the first byte and hands the connection on."""

    def __init__(self, server: HttpServer, certificates: ServerCertificates) -> None:
        super().__init__(server)
        self.certificates = certificates

    def data_received(self, data: bytes) -> None:
        server = self.server
        protocol: asyncio.Protocol
        if data[0] == TLS_HANDSHAKE:
            try:
                protocol = TlsConnection(server, self.certificates.context)
            except TlsError as error:
                log.error("TLS is asked for, but %s", error)
                self.transport.abort()
                return
        else:
            protocol = HttpConnection(server)
        server.connections.discard(self)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.data_received(data)


class TlsConnection(Silent):
    """The encrypted side: bytes of the socket in, bytes for the socket out."""

    def __init__(self, server: HttpServer, context: ssl.SSLContext) -> None:
        super().__init__(server)
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.inner: HttpConnection | None = None
        self.reading_paused = False

    def data_received(self, data: bytes) -> None:
        self.incoming.write(data)
        if self.inner is None:
            self.shake_hands()
        if self.inner is not None:
            self.read(self.inner)

    def shake_hands(self) -> None:
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()
            return
        except ssl.SSLError as error:
            log.debug("TLS handshake failed: %s", error)
            self.flush()  # the alert that says why
            self.transport.close()
            return
        self.flush()
        self.server.connections.discard(self)
        self.inner = HttpConnection(self.server, "https")
        self.inner.connection_made(TlsTransport(self))

    def read(self, inner: HttpConnection) -> None:
        """Give what has been decrypted to HTTP, unless it has enough for now."""
        while not self.reading_paused and not self.transport.is_closing():
            try:
                data = self.tls.read(READ_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:  # also the client's orderly end
                log.debug("TLS ended: %s", error)
                data = b""
            if not data:
                self.close()
                return
            inner.data_received(data)
        self.flush()

    def flush(self) -> None:
        if self.outgoing.pending:
            self.transport.write(self.outgoing.read())

    def write(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[self.tls.write(view) :]
        self.flush()

    def close(self) -> None:
        """Say goodbye in TLS, then close."""
        if self.transport.is_closing():
            return
        with contextlib.suppress(ssl.SSLError):  # the client has not said goodbye yet, and need not
            self.tls.unwrap()
        self.flush()
        self.transport.close()

    def pause_writing(self) -> None:
        if self.inner is not None:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        if self.inner is not None:
            self.inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self.inner is not None:
            self.inner.connection_lost(error)
        else:
            super().connection_lost(error)


class TlsTransport(asyncio.Transport):
    """The clear side: what HttpConnection takes for its socket."""

    def __init__(self, connection: TlsConnection) -> None:
        super().__init__()
        self.connection = connection
        self.raw = connection.transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.raw.is_closing():
            self.connection.write((bytes(data),))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        if not self.raw.is_closing():
            self.connection.write(list_of_data)

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.connection.reading_paused = True
        self.raw.pause_reading()

    def resume_reading(self) -> None:
        self.connection.reading_paused = False
        self.raw.resume_reading()
        self.connection.server.loop.call_soon(self.read_on)

    def read_on(self) -> None:
        if self.connection.inner is not None:
            self.connection.read(self.connection.inner)

    def get_write_buffer_size(self) -> int:
        return self.raw.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default if name == "socket" else self.raw.get_extra_info(name, default)  # nobody may write past us

    def is_closing(self) -> bool:
        return self.raw.is_closing()

    def close(self) -> None:
        self.connection.close()

    def abort(self) -> None:
        self.raw.abort()
