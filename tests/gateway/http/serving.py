"""A door with a small handler behind it, in a thread; and a raw client that says exactly what a test wants to say."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import io
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import uvloop

from cloudlet.emulator.gateway.http.server import HttpServer
from cloudlet.emulator.protocol.message import FileSlice, HttpRequest, HttpResponse
from cloudlet.emulator.store.kv import StoreError
from cloudlet.settings import Address

T = TypeVar("T")
WAIT_SECONDS = 20.0


class FileBody:
    """A spooled body of the tests: a file that goes when it is discarded."""

    def __init__(self, path: Path, size: int, digest: str) -> None:
        self.path, self.size = path, size
        self.trailers: dict[str, str] = {}
        self.checksums = {"sha256": digest}
        self.discarded = False

    def read(self) -> bytes:
        return self.path.read_bytes()

    def open(self) -> BinaryIO:
        return self.path.open("rb")

    def discard(self) -> None:
        self.discarded = True
        self.path.unlink(missing_ok=True)


class FileWriter:
    def __init__(self, path: Path) -> None:
        self.path, self.size, self.hash = path, 0, hashlib.sha256()
        self.file = path.open("wb")
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.hash.update(data)
        self.size += len(data)

    def finish(self) -> FileBody:
        self.file.close()
        return FileBody(self.path, self.size, self.hash.hexdigest())

    def abort(self) -> None:
        self.aborted = True
        self.file.close()
        self.path.unlink()


class FullWriter(FileWriter):
    def write(self, data: bytes) -> None:
        raise StoreError("A body could not be written: No space left on device")


class Application:
    """The handler. The path says what to answer; `seen` has every request, in order."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.seen: list[HttpRequest] = []
        self.writers: list[FileWriter] = []
        self.cancelled: list[str] = []
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.pieces_closed = 0

    def wants_spool(self, request: HttpRequest) -> bool:
        return request.path.startswith("/spool")

    def open_spool(self, request: HttpRequest) -> FileWriter:
        if request.path == "/spool/closed":
            raise OSError(28, "No space left on device")
        path = self.directory / f"spool-{len(self.writers)}"
        writer = FullWriter(path) if request.path == "/spool/full" else FileWriter(path)
        self.writers.append(writer)
        return writer

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        self.seen.append(request)
        error = getattr(request.body, "error", None)
        if error is not None:
            return HttpResponse(error.status, {}, f"{error.code}: {error.message}".encode())
        name = request.path.strip("/").partition("/")[0]
        answer: Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]] = getattr(
            self, f"answer_{name}", self.answer_ok
        )
        return answer(request)

    def answer_ok(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {"Content-Type": "text/plain"}, request.path.encode())

    def answer_echo(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {}, request.body.read())

    def answer_spool(self, request: HttpRequest) -> HttpResponse:
        digest = request.body.checksums.get("sha256", "")
        return HttpResponse(200, {}, f"{type(request.body).__name__} {request.body.size} {digest}".encode())

    def answer_status(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(int(request.path.rpartition("/")[2]), {}, b"text")

    def answer_length(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {"Content-Length": "12345"})

    def answer_broken(self, request: HttpRequest) -> HttpResponse:
        raise RuntimeError("broken on purpose")

    def answer_inject(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {"X-Value": request.params["value"]}, b"never")

    def answer_file(self, request: HttpRequest) -> HttpResponse:
        start, length = int(request.params["start"]), int(request.params["length"])
        return HttpResponse(200, {}, FileSlice(self.directory / request.params["name"], start, length))

    def answer_pieces(self, request: HttpRequest) -> HttpResponse:
        count, size = int(request.params["count"]), int(request.params.get("size", "7"))
        return HttpResponse(200, {}, self.pieces(count, size, "fail" in request.params))

    async def pieces(self, count: int, size: int, fail: bool) -> AsyncIterator[bytes]:
        try:
            for number in range(count):
                yield bytes([number % 256]) * size
                await asyncio.sleep(0)
            if fail:
                raise RuntimeError("broken on purpose")
        finally:
            self.pieces_closed += 1

    async def answer_wait(self, request: HttpRequest) -> HttpResponse:
        """Answers when the test releases the request's path."""
        path = request.path
        waiting = self.waiting[path] = asyncio.get_running_loop().create_future()
        try:
            await waiting
        except asyncio.CancelledError:
            self.cancelled.append(path)
            raise
        return HttpResponse(200, {}, path.encode())


class RunningServer:
    """A server in a thread of its own, with its own loop."""

    def __init__(
        self,
        directory: Path,
        *,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
        hosts: tuple[str, ...] = ("127.0.0.1",),
        **options: Any,
    ) -> None:
        self.app = Application(directory)
        self.hosts, self.options = hosts, options
        self.loop = loop_factory()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.run(self.open())
        self.port = self.server.addresses[0].port

    async def open(self) -> HttpServer:
        server = HttpServer(
            self.app,
            [Address(host, 0) for host in self.hosts],
            wants_spool=self.app.wants_spool,
            open_spool=self.app.open_spool,
            **self.options,
        )
        await server.start()
        return server

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT_SECONDS)

    def do(self, action: Callable[[], Any]) -> Any:
        """Call something in the loop's thread."""

        async def act() -> Any:
            return action()

        return self.run(act())

    def pass_seconds(self, count: int) -> None:
        """Let the server's time pass, as its tick would."""

        def ticks() -> None:
            for _ in range(count):
                if self.server.ticking is not None:
                    self.server.ticking.cancel()
                self.server.on_tick()

        self.do(ticks)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the loop's thread has made something true."""

        async def wait() -> None:
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.002)

        self.run(asyncio.wait_for(wait(), WAIT_SECONDS))

    def connection(self) -> Any:
        """The server's end of the one open connection."""
        self.until(lambda: len(self.server.connections) == 1)
        return next(iter(self.server.connections))

    def release(self, path: str) -> None:
        self.until(lambda: path in self.app.waiting)
        self.do(lambda: self.app.waiting.pop(path).set_result(None))

    def connect(self) -> Peer:
        return Peer(socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS))

    def ask(self, data: bytes) -> list[Answer]:
        """Send bytes on a new connection, and read answers until the server closes."""
        with self.connect() as peer:
            peer.send(data)
            return peer.all_answers()

    def close(self) -> None:
        self.run(self.server.stop(0.2))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WAIT_SECONDS)
        self.loop.close()


class Answer:
    """A response as it came: `status`, `headers` (lower-case names), `body`."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.headers}, {self.body[:80]!r})"


class Peer:
    """A raw client."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.file = connection.makefile("rb")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, method: str = "GET") -> Answer:
        """The next answer, read by the standard library's parser."""
        response = http.client.HTTPResponse(_Borrowed(self.file), method=method)  # type: ignore[arg-type]
        response.begin()
        body = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def all_answers(self) -> list[Answer]:
        """Everything until the server closes."""
        found = []
        while self.file.peek(1):
            found.append(self.answer())
        return found

    def line(self) -> bytes:
        return self.file.readline()

    def rest(self) -> bytes:
        return self.file.read()


class _Borrowed:
    """Lets http.client read from a buffer that stays open for the next answer."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file

    def makefile(self, _mode: str) -> Any:
        return _Unclosable(self.file)


class _Unclosable:
    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def close(self) -> None:
        pass

    def flush(self) -> None:
        pass
