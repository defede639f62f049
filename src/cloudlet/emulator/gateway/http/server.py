"""The server: addresses, connections, the tick, the stop.

The wire is in `connection.py` (requests) and `answering.py` (answers), TLS in `door.py`.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable
from types import MappingProxyType
from typing import Protocol

import msgspec

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.gateway.http.body import BodyLimits, OpenSpool, WantsSpool
from cloudlet.emulator.gateway.http.connection import HttpConnection
from cloudlet.emulator.gateway.http.door import Door
from cloudlet.emulator.gateway.http.reception import OpenVerifier
from cloudlet.emulator.gateway.http.response import http_date
from cloudlet.emulator.gateway.http.tls import ServerCertificates
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.settings import Address

log = logging.getLogger("cloudlet.gateway")

Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]
TICK_SECONDS = 1.0
BACKLOG = 1024
MAX_LEARNED_NAMES = 4096
WHY = MappingProxyType(
    {
        errno.EADDRINUSE: "is already in use; stop the program that uses it, or set GATEWAY_LISTEN to another address",
        errno.EACCES: "may not be used without more rights; ports below 1024 belong to the system",
        errno.EADDRNOTAVAIL: "is not an address of this machine",
    }
)


class ListenError(Exception):
    """An address that cannot be listened on. `address` says which; the message is for people."""

    def __init__(self, address: Address, error: OSError) -> None:
        self.address = address
        reason = WHY.get(error.errno or 0, f"cannot be used: {error.strerror or error}")
        super().__init__(f"{address.host}:{address.port} {reason}")


class Limits(msgspec.Struct, frozen=True):
    """What a client may do."""

    header_bytes: int = 64 * 1024  # request line and headers together
    header_count: int = 256
    target_bytes: int = 32 * 1024  # path and query
    head_seconds: int = 30  # from the first byte of a request to the end of its headers
    body_seconds: int = 60  # between two pieces of a body
    keep_alive_seconds: int = 90  # of silence between two requests; longer than clients keep idle connections
    write_seconds: int = 60  # without the client reading anything
    inline_body_bytes: int = 64 * 1024  # of a body that stay in memory unasked
    buffered_body_bytes: int = 256 * 1024 * 1024  # of a body for which there is no spool


class Client(Protocol):
    """A connection as the server sees it."""

    def check(self, tick: int) -> None: ...

    def stop_when_idle(self) -> None: ...

    def abort(self) -> None: ...


class HttpServer:
    """Serves `handler` on any number of addresses.

    - `handler` gets every request, in the loop's thread. An `HttpResponse` is written at once; an awaitable of one
      becomes a task, and is cancelled when the client goes.
    - `wants_spool(request)` is asked about a body that outgrows memory, before it has come; `open_spool(request)` gives
      the writer that takes it. A body that could not be received comes to the handler as a `body.RefusedBody`, whose
      `error` is to be rendered. A spooled body is discarded after its answer, unless it was linked.
    - `chunk_verifier(request)` gives the verifier of a signed aws-chunked body, or None to take it unverified.
    - `certificates`: serve TLS as well, on the same ports; without, plain HTTP only.
    - `now` gives seconds since the epoch, for the `Date` header.
    """

    def __init__(
        self,
        handler: Handler,
        addresses: Iterable[Address] = (),
        *,
        wants_spool: WantsSpool | None = None,
        open_spool: OpenSpool | None = None,
        chunk_verifier: OpenVerifier | None = None,
        certificates: ServerCertificates | None = None,
        limits: Limits | None = None,
        now: Callable[[], float] = Clock.wall,
    ) -> None:
        self.handler = handler
        self.addresses = tuple(addresses)
        self.now = now
        self.limits = limits or Limits()
        self.certificates = certificates
        self.body_limits = BodyLimits(
            self.limits.inline_body_bytes, self.limits.buffered_body_bytes, wants_spool, open_spool
        )
        self.chunk_verifier = chunk_verifier
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.connections: set[Client] = set()
        self.header_names: dict[bytes, str] = {}
        self.listeners: list[asyncio.AbstractServer] = []
        self.tick = 1
        self.ticking: asyncio.TimerHandle | None = None
        self.stopping = False
        self.all_left: asyncio.Future[None] | None = None
        self.date_line = ""
        self.new_date()

    # --- start and stop

    async def start(self) -> tuple[Address, ...]:
        """Listen on every address, or on none and raise ListenError. Gives the addresses with their real ports."""
        bound = []
        for address in self.addresses:
            try:
                listener = await self.loop.create_server(
                    self.protocol, address.host, address.port, backlog=BACKLOG, reuse_address=True
                )
            except OSError as error:
                await self.close_listeners()
                raise ListenError(address, error) from error
            self.listeners.append(listener)
            bound.append(Address(address.host, bound_port(listener.sockets)))
        self.addresses = tuple(bound)
        return self.addresses

    async def close_listeners(self) -> None:
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Accept no more, let requests that have begun finish, then close. After the grace, close anyway."""
        self.stopping = True
        await self.close_listeners()
        for connection in tuple(self.connections):
            connection.stop_when_idle()
        if self.connections:
            self.all_left = self.loop.create_future()
            try:
                await asyncio.wait_for(self.all_left, grace_seconds)
            except TimeoutError:
                log.warning("%d connections did not finish within %g s", len(self.connections), grace_seconds)
        for connection in tuple(self.connections):
            connection.abort()
        if self.ticking is not None:
            self.ticking.cancel()
            self.ticking = None

    # --- connections

    def protocol(self) -> asyncio.BaseProtocol:
        if self.ticking is None and not self.stopping:
            self.new_date()
            self.ticking = self.loop.call_later(TICK_SECONDS, self.on_tick)
        return HttpConnection(self) if self.certificates is None else Door(self, self.certificates)

    def left(self, connection: Client) -> None:
        self.connections.discard(connection)
        if not self.connections and self.all_left is not None and not self.all_left.done():
            self.all_left.set_result(None)

    def learn_name(self, name: bytes) -> str:
        """The lower-case form of a header name, remembered for the next time."""
        key = name.decode("latin-1").lower()
        if len(self.header_names) < MAX_LEARNED_NAMES:
            self.header_names[name] = key
        return key

    # --- time

    def on_tick(self) -> None:
        self.tick += 1
        self.ticking = None
        if self.connections:
            self.new_date()
            for connection in tuple(self.connections):
                connection.check(self.tick)
            self.ticking = self.loop.call_later(TICK_SECONDS, self.on_tick)

    def new_date(self) -> None:
        self.date_line = f"Date: {http_date(self.now())}\r\n"


def bound_port(sockets: Iterable[socket.socket]) -> int:
    for bound in sockets:
        return int(bound.getsockname()[1])
    raise OSError("nothing is bound")
