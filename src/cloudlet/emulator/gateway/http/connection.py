"""One HTTP/1.x connection: bytes in, requests to the handler, answers out in order.

    data_received ─ httptools ─ on_url, on_header, on_headers_complete ─ on_body ─ on_message_complete
                                                        │ large, chunked, Expect, …     │
                                                        └ begin_body → BodyReceiver     └ respond (answering.py)

A synchronous answer is written inside `on_message_complete`: no task, no timer. Time is counted in the server's ticks
(seconds); `check` decides about slow clients once a tick.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

import httptools

from cloudlet.emulator.gateway.http.answering import CLOSE, KEEP, KEEP_1_0, Answering, discard
from cloudlet.emulator.gateway.http.aws_chunked import STREAMING_PREFIX
from cloudlet.emulator.gateway.http.body import BodyReceiver
from cloudlet.emulator.gateway.http.reception import content_length, prepare_body, reduced_target, rewritten_head
from cloudlet.emulator.gateway.http.response import CONTINUE, plain_answer
from cloudlet.emulator.protocol.message import EMPTY_BODY, NO_STRINGS, HttpRequest, InlineBody

if TYPE_CHECKING:
    from cloudlet.emulator.gateway.http.server import HttpServer

log = logging.getLogger("cloudlet.gateway")

MAX_QUEUE = 16  # pipelined requests that wait before reading stops
LINGER_TICKS = 2


class HttpConnection(Answering):
    """See the module. `scheme` is https behind TLS."""

    __slots__ = (
        "body",
        "client",
        "headers",
        "names",
        "parser",
        "quiet",
        "receiver",
        "replay",
        "request",
        "scheme",
        "started",
        "target",
    )

    def __init__(self, server: HttpServer, scheme: str = "http") -> None:
        super().__init__(server)
        self.scheme = scheme
        self.client: tuple[str, int] = ("", 0)
        self.parser = httptools.HttpRequestParser(self)
        self.names = server.header_names
        self.headers: dict[str, str] = {}
        self.target = b""  # of the message that is arriving; empty between messages
        self.body: bytes | list[bytes] | None = None
        self.request: HttpRequest | None = None  # made before its body has come, only with a receiver
        self.receiver: BodyReceiver | None = None
        self.replay = False  # the message asks for an upgrade that is not made
        self.quiet = 0  # bytes that came without completing a head or a piece of body
        self.started = 0  # the tick when the head that is arriving began

    # --- transport → us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.client = (peer[0], peer[1])
        self.server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        self.active = self.server.tick
        self.quiet += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.after_upgrade(data, upgrade.args[0])
        except httptools.HttpParserError as error:
            self.malformed(error)
        if self.target:
            self.unfinished()
        else:
            self.quiet = 0

    def unfinished(self) -> None:
        """The message goes on in the next piece: bound what a client may send without completing anything."""
        limits = self.server.limits
        if self.quiet > limits.header_bytes:
            if self.request is None and len(self.target) > limits.target_bytes:
                self.refuse(414, "The request line is too long.")
            else:
                self.refuse(431, f"The request's headers are larger than {limits.header_bytes} bytes.")
        elif not self.started and self.request is None and self.quiet:
            self.started = self.active

    def eof_received(self) -> bool | None:
        return None  # the client has gone: the transport closes, and what runs for the client ends

    def connection_lost(self, error: Exception | None) -> None:
        self.closing = True
        for request, _fate, _answer in self.queue:
            if request is not None:
                discard(request.body)
        self.queue.clear()
        if self.receiver is not None:
            self.receiver.abort()
            self.receiver = None
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        if self.task is not None:
            self.task.cancel()
        self.server.left(self)

    # --- parser → us

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        try:
            key = self.names[name]
        except KeyError:
            key = self.server.learn_name(name)
        headers = self.headers
        if key in headers:
            headers[key] += "," + value.decode("latin-1").rstrip()
        else:
            headers[key] = value.decode("latin-1").rstrip()

    def on_headers_complete(self) -> None:
        headers = self.headers
        server = self.server
        if self.quiet > server.limits.header_bytes or len(headers) > server.limits.header_count:
            self.check_head_size()
        self.quiet = self.started = 0
        length = headers.get("content-length")
        if (
            (length is not None and len(length) > 4 and int(length) > server.body_limits.inline_bytes)
            or "transfer-encoding" in headers
            or "expect" in headers
            or "upgrade" in headers
            or "x-amz-decoded-content-length" in headers
            or headers.get("x-amz-content-sha256", "").startswith(STREAMING_PREFIX)
        ):
            self.begin_body()

    def on_body(self, data: bytes) -> None:
        self.quiet = 0
        if self.receiver is not None:
            self.receiver.write(data)
        elif self.body is None:
            self.body = data
        elif type(self.body) is bytes:
            self.body = [self.body, data]
        else:
            cast("list[bytes]", self.body).append(data)

    def on_message_complete(self) -> None:
        if self.replay or self.closing:
            return
        request = self.request
        if request is not None:
            self.end_body(request)
        else:
            body = self.body
            if body is None:
                payload = EMPTY_BODY
            else:
                self.body = None
                payload = InlineBody(body if isinstance(body, bytes) else b"".join(body))
            request = HttpRequest(
                self.parser.get_method().decode("latin-1"),
                self.target.decode("latin-1"),
                self.headers,
                payload,
                scheme=self.scheme,
                client=self.client,
            )
        headers = request.headers
        fate = KEEP if self.parser.should_keep_alive() else CLOSE
        if fate or "connection" in headers or "host" not in headers:
            if self.parser.get_http_version() == "1.0":
                fate += KEEP_1_0
            elif "host" not in headers:
                self.refuse(400, "The request has no Host header.")
                return
        self.headers = {}
        self.target = b""
        if fate & 1:
            self.closing = True
        if request.path[:1] != "/" and not reduced_target(request):
            self.refuse(400, "The request's target is not a path.")
        elif self.busy:
            self.wait_in_queue(request, fate)
        else:
            self.respond(request, fate)

    # --- receiving

    def wait_in_queue(self, request: HttpRequest, fate: int) -> None:
        self.queue.append((request, fate, None))
        if len(self.queue) >= MAX_QUEUE and not self.reading_paused:
            self.reading_paused = True
            self.transport.pause_reading()

    def check_head_size(self) -> None:
        """Exact sizes, for a head that came in more bytes than a head may have."""
        limits = self.server.limits
        size = sum(len(name) + len(value) + 4 for name, value in self.headers.items())
        if len(self.target) > limits.target_bytes:
            self.refuse(414, "The request line is too long.")
        elif size + len(self.target) > limits.header_bytes:
            self.refuse(431, f"The request's headers are larger than {limits.header_bytes} bytes.")
        elif len(self.headers) > limits.header_count:
            self.refuse(431, f"The request has more than {limits.header_count} headers.")

    def begin_body(self) -> None:
        """Decide where the body of a message goes before it comes."""
        if self.closing:
            return
        if "upgrade" in self.headers and self.parser.should_upgrade():
            self.replay = True
            return
        server = self.server
        length = content_length(self.headers)
        method, target = self.parser.get_method().decode("latin-1"), self.target.decode("latin-1")
        head = HttpRequest(method, target, self.headers, scheme=self.scheme, client=self.client)
        request, receiver = prepare_body(head, length, server.body_limits, server.chunk_verifier)
        self.request, self.receiver = request, receiver
        self.headers = {}  # from here on: trailers
        if length == 0 or request.headers.get("expect", "").lower() != "100-continue":
            return
        if receiver.error is not None:
            # The client waits for leave to send. The answer is final, and nobody knows whether a body follows it.
            self.end_body(request)
            self.unread = self.closing = True
            self.target = b""
            if self.busy:
                self.queue.append((request, CLOSE, None))
            else:
                self.respond(request, CLOSE)
        elif self.busy:
            self.owes_continue = True
        else:
            self.transport.write(CONTINUE)

    def end_body(self, request: HttpRequest) -> None:
        receiver, self.receiver, self.request = self.receiver, None, None
        self.owes_continue = False
        if receiver is not None:
            request.body = receiver.finish(self.headers or NO_STRINGS)

    def after_upgrade(self, data: bytes, offset: int) -> None:
        """Serve a request for an upgrade (`h2c`, mostly) as if it had not asked for one (RFC 9110 §7.8)."""
        if not self.replay:
            self.closing = True  # CONNECT; its refusal is out
            return
        self.replay = False
        head = rewritten_head(self.parser.get_method(), self.target, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.target, self.headers, self.body = b"", {}, None
        self.data_received(head)
        if offset < len(data):
            self.data_received(data[offset:])

    def malformed(self, error: httptools.HttpParserError) -> None:
        if self.closing:
            return  # bytes behind the last request
        cause = error.__context__
        if isinstance(error, httptools.HttpParserCallbackError) and cause is not None:
            log.error("the gateway failed on a request", exc_info=cause)
            self.refuse(500, "The gateway failed.")
        else:
            self.refuse(400, f"The request is malformed: {error}.")

    def refuse(self, status: int, text: str) -> None:
        """Answer what never becomes a request, behind those that wait, and take no more."""
        self.closing = self.unread = True
        self.target = b""
        self.started = 0
        if self.receiver is not None:
            self.receiver.abort()
        self.receiver = self.request = None
        answer = plain_answer(status, text)
        if self.busy:
            self.queue.append((None, CLOSE, answer))
        else:
            self.write_answer(None, CLOSE, answer)

    # --- time and the end

    def check(self, tick: int) -> None:
        """Once a tick: give up clients that are too slow. A request that runs here may take its time."""
        limits = self.server.limits
        quiet_for = tick - self.active
        if self.paused or self.transport.is_closing():
            unsent = self.transport.get_write_buffer_size()
            if unsent != self.unsent:
                self.unsent, self.active = unsent, tick
            elif quiet_for > limits.write_seconds:
                self.transport.abort()
        elif self.lingering:
            if quiet_for >= LINGER_TICKS:
                self.transport.abort()
        elif self.busy:
            self.active = tick
        elif self.started:
            if tick - self.started > limits.head_seconds:
                self.refuse(408, "The request's headers did not come in time.")
        elif self.target:
            if quiet_for > limits.body_seconds:
                self.refuse(408, "The request's body did not come in time.")
        elif quiet_for > limits.keep_alive_seconds:
            self.transport.close()

    def stop_when_idle(self) -> None:
        """The server stops: close now, or after what is under way."""
        if not self.busy and not self.target and not self.queue and not self.lingering:
            self.closing = True
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()
