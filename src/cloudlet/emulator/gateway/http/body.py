"""Where a request's body goes while it arrives.

    BodyReceiver            bodies larger than one piece of memory, chunked bodies, aws-chunked bodies
      ├── in memory         up to `inline_limit` (64 KiB), or up to `memory_limit` when nobody wants a spool
      ├── a BlobWriter      what the server's `wants_spool` asked for: written and hashed as it comes
      └── nowhere           after an error: the rest is read and dropped, the error waits in a RefusedBody

Small bodies with a length never come here: the connection keeps their bytes itself.
"""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable
from typing import BinaryIO, NoReturn, Protocol, runtime_checkable

from cloudlet.emulator.gateway.http.aws_chunked import AwsChunkedDecoder
from cloudlet.emulator.kernel.errors import AwsError, InternalFailure, UnmodelledError
from cloudlet.emulator.protocol.message import EMPTY_BODY, NO_STRINGS, Body, HttpRequest, InlineBody
from cloudlet.emulator.store.kv import StoreError

log = logging.getLogger("cloudlet.gateway")


class SpoolWriter(Protocol):
    """`store.blobs.BlobWriter` as the gateway needs it."""

    def write(self, data: bytes, /) -> object: ...

    def finish(self) -> Body: ...

    def abort(self) -> object: ...


@runtime_checkable
class Discardable(Protocol):
    """A body that has to be told that nobody will read it any more; `store.blobs.SpooledBody`."""

    def discard(self) -> object: ...


WantsSpool = Callable[[HttpRequest], bool]
OpenSpool = Callable[[HttpRequest], SpoolWriter]


@functools.cache
def prepare_memory() -> None:
    """At the first large body: see `allocator.py`. Not earlier, because it takes an import."""
    importlib.import_module("cloudlet.emulator.gateway.http.allocator").keep_buffers()  # lazy: see above


class RefusedBody:
    """A body that could not be received. `error` is rendered like an operation's error: whoever uses the body raises it.

    Its size is an error too, so that nobody takes it for an empty body.
    """

    __slots__ = ("checksums", "error", "trailers")

    def __init__(self, error: AwsError) -> None:
        self.error = error
        self.trailers = NO_STRINGS
        self.checksums = NO_STRINGS

    @property
    def size(self) -> int:
        raise self.error

    @size.setter
    def size(self, value: int) -> NoReturn:
        raise self.error

    def read(self) -> NoReturn:
        raise self.error

    def open(self) -> BinaryIO:
        raise self.error


class BodyLimits:
    """What of a body may stay in memory (bytes), and who takes the rest."""

    __slots__ = ("inline_bytes", "memory_bytes", "open_spool", "wants_spool")

    def __init__(
        self,
        inline_bytes: int = 64 * 1024,
        memory_bytes: int = 256 * 1024 * 1024,
        wants_spool: WantsSpool | None = None,
        open_spool: OpenSpool | None = None,
    ) -> None:
        self.inline_bytes = inline_bytes
        self.memory_bytes = memory_bytes
        self.wants_spool = wants_spool
        self.open_spool = open_spool


class BodyReceiver:
    """Takes a body piece by piece. `expected` is its decoded size where the head tells it."""

    __slots__ = ("decided", "decoder", "error", "limits", "parts", "request", "size", "writer")

    def __init__(
        self,
        request: HttpRequest,
        limits: BodyLimits,
        expected: int | None,
        decoder: AwsChunkedDecoder | None = None,
        error: AwsError | None = None,
    ) -> None:
        self.request = request
        self.limits = limits
        self.decoder = decoder
        self.error = error
        self.parts: list[bytes] = []
        self.size = 0
        self.writer: SpoolWriter | None = None
        self.decided = False
        size = 0 if error is not None or expected is None else expected
        if size > limits.inline_bytes and not self.outgrow() and size > limits.memory_bytes:
            self.refuse(too_large(limits))

    def write(self, data: bytes) -> None:
        """Never raises: an error is kept and the rest of the body dropped."""
        if self.error is not None:
            return
        if self.decoder is not None:
            try:
                data = self.decoder.feed(data)
            except AwsError as error:
                self.refuse(error)
                return
            if not data:
                return
        self.size += len(data)
        if self.writer is not None:
            self.spool(data)
            return
        self.parts.append(data)
        if self.size > self.limits.inline_bytes and not self.decided and self.outgrow():
            return
        if self.size > self.limits.memory_bytes:
            self.refuse(too_large(self.limits))

    def outgrow(self) -> bool:
        """The body is too large for memory without asking. True when it has a spool now, or cannot be had at all."""
        self.decided = True
        prepare_memory()
        limits = self.limits
        if limits.wants_spool is None or limits.open_spool is None or not limits.wants_spool(self.request):
            return False
        try:
            self.writer = limits.open_spool(self.request)
        except (OSError, StoreError) as error:
            self.fail(error)
            return True
        parts, self.parts = self.parts, []
        for part in parts:
            self.spool(part)
        return True

    def spool(self, data: bytes) -> None:
        if self.writer is None:
            return
        try:
            self.writer.write(data)
        except (OSError, StoreError) as error:
            self.fail(error)

    def finish(self, trailers: dict[str, str]) -> Body:
        """The received body; `trailers` are those of HTTP's own chunked coding."""
        if self.error is None and self.decoder is not None:
            try:
                self.decoder.finish()
            except AwsError as error:
                self.refuse(error)
            else:
                trailers = {**trailers, **self.decoder.trailers}
        if self.error is not None:
            return RefusedBody(self.error)
        if self.writer is None:
            data = self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)
            return InlineBody(data, trailers) if data or trailers else EMPTY_BODY
        writer, self.writer = self.writer, None
        try:
            body = writer.finish()
        except (OSError, StoreError) as error:
            self.fail(error)
            return RefusedBody(InternalFailure("The request body could not be stored."))
        body.trailers = trailers
        return body

    def fail(self, error: OSError | StoreError) -> None:
        """Storage failed: the client is told that it is our fault, the log why."""
        log.error("cannot store a request body: %s", error)
        self.refuse(InternalFailure("The request body could not be stored."))

    def refuse(self, error: AwsError) -> None:
        self.error = error
        self.abort()

    def abort(self) -> None:
        """Forget everything; the client has gone or the body is wrong."""
        self.parts = []
        writer, self.writer = self.writer, None
        if writer is not None:
            writer.abort()


def too_large(limits: BodyLimits) -> AwsError:
    return UnmodelledError(
        "RequestEntityTooLarge", f"Request body is larger than {limits.memory_bytes} bytes", status=413
    )
