"""The outgoing half of a connection: one answer after the other, in the order of the requests.

respond ── handler ──┬─ HttpResponse ── write_answer ─┬─ bytes       one transport.write
                     │                                ├─ FileSlice   begin_file … resume_writing … done
                     └─ awaitable ── task ────────────┴─ iterator    task
while `busy`, later requests wait in `queue`; `next_waiting` goes on with them
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, cast

from cloudlet.emulator.gateway.http.body import Discardable
from cloudlet.emulator.gateway.http.response import (
    CONTINUE,
    HeaderError,
    encode_head,
    has_length,
    has_no_body,
    plain_answer,
)
from cloudlet.emulator.gateway.http.streams import (
    PIECE_BYTES,
    PROBE_BYTES,
    FileStream,
    close_pieces,
    plain_socket,
    send_pieces,
)
from cloudlet.emulator.protocol.message import Body, FileSlice, HttpRequest, HttpResponse, InlineBody

if TYPE_CHECKING:
    from cloudlet.emulator.gateway.http.server import HttpServer

log = logging.getLogger("cloudlet.gateway")

# What happens to the connection after an answer; odd values close it.
KEEP, CLOSE, KEEP_1_0, CLOSE_1_0 = range(4)
CONNECTION_LINES = ("", "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: close\r\n")
JOINED_LIMIT = 16 * 1024  # bytes: smaller bodies are copied behind the head, larger ones written beside it
RESUME_QUEUE = 4  # reading goes on when no more pipelined requests than these wait

Waiting = tuple[HttpRequest | None, int, HttpResponse | None]  # a request, or an answer that is ready; its fate


class Answering(asyncio.Protocol):
    """See the module; `connection.HttpConnection` adds the incoming half."""

    __slots__ = (
        "active",
        "busy",
        "closing",
        "drained",
        "fate",
        "lingering",
        "owes_continue",
        "paused",
        "queue",
        "reading_paused",
        "server",
        "socket",
        "stream",
        "task",
        "transport",
        "unread",
        "unsent",
    )

    transport: asyncio.Transport

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.queue: deque[Waiting] = deque()
        self.task: asyncio.Task[None] | None = None
        self.stream: FileStream | None = None
        self.drained: asyncio.Future[None] | None = None
        self.socket = -1  # where the stream goes without a way through the transport
        self.fate = KEEP  # of the answer whose stream is under way
        self.busy = False  # an answer is not complete yet
        self.closing = False  # no further request is taken
        self.lingering = False  # the last answer is out; what comes is dropped until the client closes
        self.unread = False  # the client may still be sending what nobody will read
        self.paused = False  # the transport's buffer is full
        self.reading_paused = False
        self.owes_continue = False  # a client waits for "100 Continue" behind an unfinished answer
        self.active = server.tick  # when the client was last heard of
        self.unsent = 0

    # --- one answer

    def respond(self, request: HttpRequest, fate: int) -> None:
        try:
            answer = self.server.handler(request)
        except Exception:  # renders: a fault of the chain itself is an answer, too
            log.exception("the handler failed on %s %s", request.method, request.path)
            answer = plain_answer(500, "The gateway failed.")
        if type(answer) is HttpResponse:
            if type(request.body) is not InlineBody:
                discard(request.body)
            if fate or self.server.stopping or type(answer.body) is not bytes or request.method == "HEAD":
                self.write_answer(request, fate, answer)
            else:
                self.write_usual(request, answer, answer.body)
        else:
            self.busy = True
            waiting = cast("Awaitable[HttpResponse]", answer)
            self.task = self.server.loop.create_task(self.respond_later(request, fate, waiting))

    async def respond_later(self, request: HttpRequest, fate: int, waiting: Awaitable[HttpResponse]) -> None:
        try:
            answer = await waiting
        except Exception:  # renders: a fault of the chain itself is an answer, too
            log.exception("the handler failed on %s %s", request.method, request.path)
            answer = plain_answer(500, "The gateway failed.")
        finally:
            if type(request.body) is not InlineBody:
                discard(request.body)
        self.task = None
        self.busy = False
        self.active = self.server.tick
        self.write_answer(request, fate, answer)
        self.next_waiting()

    def write_usual(self, request: HttpRequest, answer: HttpResponse, body: bytes) -> None:
        """The hot path of `write_answer`: bytes, on a connection that stays."""
        try:
            self.write_bytes(answer, body, self.server.date_line)
        except HeaderError:
            self.write_answer(request, KEEP, answer)

    def write_answer(self, request: HttpRequest | None, fate: int, answer: HttpResponse) -> None:
        """Write all of an answer, or begin its stream."""
        server = self.server
        if server.stopping and not self.queue:
            self.closing = True
            fate |= 1
        try:
            fate = self.write_special(request, fate, answer)
        except (HeaderError, OSError) as error:
            log.error("cannot answer: %s", error)
            fate = self.write_special(request, fate, plain_answer(500, "The gateway failed."))
        if fate & 1 and not self.busy:
            self.end_connection()

    def write_bytes(self, answer: HttpResponse, body: bytes, tail: str) -> None:
        status, headers = answer.status, answer.headers
        if status == 204 or status == 304 or status < 200:
            self.transport.write(encode_head(status, headers, f"\r\n{tail}\r\n"))
            return
        size = len(body)
        if "Content-Length" in headers or "content-length" in headers:
            head = encode_head(status, headers, f"\r\n{tail}\r\n")
        else:
            head = encode_head(status, headers, f"\r\nContent-Length: {size}\r\n{tail}\r\n")
        if size < JOINED_LIMIT:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))

    def write_special(self, request: HttpRequest | None, fate: int, answer: HttpResponse) -> int:
        """HEAD, streams, and answers that say something about the connection. Gives the connection's fate.

        Raises HeaderError, and OSError for a file that cannot be read, before anything is written.
        """
        body = answer.body
        if isinstance(body, bytes) and (request is None or request.method != "HEAD"):
            self.write_bytes(answer, body, self.server.date_line + CONNECTION_LINES[fate])
            return fate
        silent = has_no_body(answer.status) or (request is not None and request.method == "HEAD")
        if isinstance(body, bytes):
            length: int | None = len(body)
        else:
            length = body.length if isinstance(body, FileSlice) else None
        line, chunked = "", False
        if has_no_body(answer.status) or has_length(answer.headers):
            pass
        elif length is not None:
            line = f"Content-Length: {length}\r\n"
        elif fate < KEEP_1_0:
            line, chunked = "Transfer-Encoding: chunked\r\n", True
        else:
            fate = CLOSE_1_0  # the end of the connection is the end of the body
            self.closing = True
        tail = f"\r\n{line}{self.server.date_line}{CONNECTION_LINES[fate]}\r\n"
        head = encode_head(answer.status, answer.headers, tail)
        if isinstance(body, bytes):
            self.transport.write(head)
        elif isinstance(body, FileSlice):
            if silent:
                self.transport.write(head)
            else:
                self.begin_file(head, body, fate)
        else:
            self.transport.write(head)
            self.busy = True
            work = close_pieces(body) if silent else self.write_pieces(body, chunked)
            self.task = self.server.loop.create_task(self.finish_pieces(work, fate))
        return fate

    # --- long answers

    def begin_file(self, head: bytes, part: FileSlice, fate: int) -> None:
        stream = FileStream(part)
        if part.length <= PIECE_BYTES:
            try:
                data = stream.read(PIECE_BYTES)
            finally:
                stream.close()
            self.transport.writelines((head, data))
            return
        self.stream, self.fate, self.busy = stream, fate, True
        self.socket = plain_socket(self.transport)
        if self.socket >= 0:
            self.transport.set_write_buffer_limits(0)  # be told when the transport's buffer is empty
        self.transport.write(head)
        if not self.paused and self.continue_file():
            self.busy = False

    def continue_file(self) -> bool:
        """Write until the client is behind. True when the file is out, or the connection given up.

        The system sends what the socket takes; then a small piece goes through the transport, which tells us when
        it is out.
        """
        stream = self.stream
        if stream is None:
            return True
        try:
            while stream.remaining and not self.paused and not self.transport.is_closing():
                if self.socket < 0:
                    self.transport.write(stream.read(PIECE_BYTES))
                    continue
                stream.send(self.socket)
                if stream.remaining:
                    self.transport.write(stream.read(PROBE_BYTES))
        except OSError as error:
            if not isinstance(error, ConnectionError):  # the client's going is its own affair
                log.error("an answer breaks off: %s", error)
            self.transport.abort()
            stream.remaining = 0
        if stream.remaining:
            return False
        stream.close()
        self.stream = None
        if self.socket >= 0:
            self.transport.set_write_buffer_limits()
        return True

    async def write_pieces(self, pieces: AsyncIterator[bytes], chunked: bool) -> None:
        try:
            await send_pieces(self, pieces, chunked=chunked)
        except Exception:  # survives: the head is out, so all that can be said is the end of the connection
            log.exception("an answer breaks off")
            self.transport.abort()
        finally:
            await close_pieces(pieces)

    async def finish_pieces(self, work: Awaitable[None], fate: int) -> None:
        await work
        self.task = None
        self.finished(fate)

    def finished(self, fate: int) -> None:
        """A long answer is out."""
        self.busy = False
        self.active = self.server.tick
        if fate & 1:
            self.end_connection()
        else:
            self.next_waiting()

    async def drain(self) -> None:
        """Wait until the client has read enough."""
        self.drained = self.server.loop.create_future()
        try:
            await self.drained
        finally:
            self.drained = None

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self.stream is not None:
            if self.continue_file():
                self.finished(self.fate)
        elif self.drained is not None and not self.drained.done():
            self.drained.set_result(None)

    # --- what comes after

    def next_waiting(self) -> None:
        """Go on with the requests that were pipelined behind a long one."""
        queue = self.queue
        while queue and not self.busy and not self.transport.is_closing():
            request, fate, answer = queue.popleft()
            if request is not None and answer is None:
                self.respond(request, fate)
            elif answer is not None:
                self.write_answer(None, fate, answer)
        if self.reading_paused and len(queue) <= RESUME_QUEUE and not self.transport.is_closing():
            self.reading_paused = False
            self.transport.resume_reading()
        if self.owes_continue and not self.busy:
            self.owes_continue = False
            self.transport.write(CONTINUE)
        elif self.server.stopping:
            self.stop_when_idle()

    def end_connection(self) -> None:
        """Close; where input may be unread, half first, or the system would throw our answer away with a reset."""
        self.closing = True
        if self.unread and self.transport.can_write_eof():
            self.transport.write_eof()
            self.lingering = True
            self.active = self.server.tick
        else:
            self.transport.close()

    def stop_when_idle(self) -> None:
        raise NotImplementedError


def discard(body: Body) -> None:
    """The request is over: what was spooled for it goes, unless a transaction linked it."""
    if isinstance(body, Discardable):
        body.discard()
