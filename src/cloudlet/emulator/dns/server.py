"""The name server: UDP and TCP on one port. Our names are answered here, others by the upstream server.

Loaded only where `DNS_ADDRESS` is set. A port that cannot be had (53 needs a privilege) is a warning, no reason not to
start. Source of the forms: RFC 1035, RFC 7766 (TCP).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from cloudlet.emulator.dns.names import OwnNames, upstream_server
from cloudlet.settings import Settings

LOG = logging.getLogger("cloudlet.dns")

TTL_SECONDS = 60
UPSTREAM_SECONDS = 4.0
LONGEST_QUERY = 65_535
IDLE_SECONDS = 10.0

Reply = Callable[[bytes], None]


class NameServer:
    """`await start()`, `await stop()`. `port` is the real one where `DNS_PORT` is 0."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = OwnNames(settings)
        self._upstream = upstream_server(settings)
        self._address = settings.dns_resolve_ip or own_address(settings.dns_address)
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.port = settings.dns_port

    async def start(self) -> bool:
        """False, with a warning, where the address or port cannot be had."""
        loop = asyncio.get_running_loop()
        host = self._settings.dns_address
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: Datagrams(self), local_addr=(host, self.port)
            )
            self.port = self._transport.get_extra_info("sockname")[1]
            self._server = await asyncio.start_server(self._serve_stream, host, self.port)
        except OSError as error:
            LOG.warning(
                "DNS_ADDRESS=%s: no name server on port %d: %s. Choose another DNS_PORT, or unset DNS_ADDRESS.",
                host,
                self.port,
                error.strerror or error,
            )
            await self.stop()
            return False
        LOG.info("Name server on %s:%d; our names are %s", host, self.port, self._address)
        return True

    async def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def begin(self, query: bytes, reply: Reply) -> None:
        """Answer a datagram, later where the upstream server must be asked."""
        task = asyncio.get_running_loop().create_task(self._reply(query, reply))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _reply(self, query: bytes, reply: Reply) -> None:
        try:
            answer = await self.answer(query, over_tcp=False)
        except Exception:  # survives: one query goes unanswered, the next is another one
            LOG.exception("A name query failed")
            return
        if answer:
            reply(answer)

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            while True:
                head = await asyncio.wait_for(reader.readexactly(2), IDLE_SECONDS)
                query = await asyncio.wait_for(reader.readexactly(int.from_bytes(head, "big")), IDLE_SECONDS)
                answer = await self.answer(query, over_tcp=True)
                if not answer:
                    break
                writer.write(struct.pack(">H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError, asyncio.CancelledError):
            return  # the client is done, or we are
        finally:
            self._running.discard(task)
            writer.close()

    async def answer(self, query: bytes, *, over_tcp: bool) -> bytes:
        """The answer's bytes; empty for what is no query at all."""
        try:
            message = dns.message.from_wire(query)
        except (dns.exception.DNSException, ValueError):
            return malformed(query)
        if message.flags & dns.flags.QR or not message.question:
            return b""
        name = message.question[0].name.to_text(omit_final_dot=True).lower()
        is_query = message.opcode() == dns.opcode.QUERY
        if is_query and self._names.has(name):
            return self._own_answer(message)
        if not is_query or not self._upstream:
            return refusal(message, dns.rcode.NOTIMP if not is_query else dns.rcode.SERVFAIL)
        try:
            return await ask(self._upstream, query, over_tcp=over_tcp)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            LOG.warning("The name server %s did not answer for %s: %s", self._upstream, name, error or "no answer")
            return refusal(message, dns.rcode.SERVFAIL)

    def _own_answer(self, query: dns.message.Message) -> bytes:
        """Our address for A (or AAAA, where it is one); the other types exist and are empty."""
        answer = dns.message.make_response(query, recursion_available=True)
        answer.flags |= dns.flags.AA
        question = query.question[0]
        wanted = dns.rdatatype.AAAA if ":" in self._address else dns.rdatatype.A
        if question.rdtype in (wanted, dns.rdatatype.ANY) and question.rdclass == dns.rdataclass.IN:
            answer.answer.append(dns.rrset.from_text(question.name, TTL_SECONDS, "IN", wanted, self._address))
        return answer.to_wire()


class Datagrams(asyncio.DatagramProtocol):
    """UDP."""

    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.begin(data, lambda answer: self._send(answer, addr))

    def _send(self, answer: bytes, addr: Any) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, addr)


class OneAnswer(asyncio.DatagramProtocol):
    """The upstream server's answer to one query, recognised by its id."""

    def __init__(self, query: bytes) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._id = query[:2]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[:2] == self._id and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def ask(server: str, query: bytes, *, over_tcp: bool) -> bytes:
    """The upstream server's answer, as it is. `server`: an address, or address#port. Raises OSError, TimeoutError."""
    host, _, port = server.partition("#")
    number = int(port or 53)
    if over_tcp:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, number), UPSTREAM_SECONDS)
        try:
            writer.write(struct.pack(">H", len(query)) + query)
            head = await asyncio.wait_for(reader.readexactly(2), UPSTREAM_SECONDS)
            return await asyncio.wait_for(reader.readexactly(int.from_bytes(head, "big")), UPSTREAM_SECONDS)
        finally:
            writer.close()
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: OneAnswer(query), remote_addr=(host, number)
    )
    try:
        transport.sendto(query)
        return await asyncio.wait_for(protocol.answer, UPSTREAM_SECONDS)
    finally:
        transport.close()


def refusal(query: dns.message.Message, code: dns.rcode.Rcode) -> bytes:
    answer = dns.message.make_response(query, recursion_available=True)
    answer.set_rcode(code)
    return answer.to_wire()


def malformed(query: bytes) -> bytes:
    """FORMERR for what has at least the header of a query, nothing for the rest."""
    if len(query) < 12 or query[2] & 0x80:
        return b""
    return query[:2] + bytes([0x80 | (query[2] & 0x79), int(dns.rcode.FORMERR)]) + bytes(8)


def own_address(listen: str) -> str:
    """The address that other machines reach us at: the one that we listen on, or the one that packets leave from."""
    if listen not in ("0.0.0.0", "::"):
        return listen
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.connect(("192.0.2.1", 9))  # TEST-NET-1: nothing is sent, the kernel only chooses the way
        return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1"
    finally:
        probe.close()
