"""HTTP messages as the gateway, the protocols and the services see them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import parse_qsl, unquote, unquote_plus


class Body(Protocol):
    """A request's payload: bytes in memory (`InlineBody`), or a blob on disk (`store.blobs.SpooledBody`).

    `checksums` holds lower-case hex digests that were computed while the body was received
    (`md5`, `crc32`, `crc32c`, `crc64nvme`, `sha1`, `sha256`); only a spooled body has any.
    `trailers` holds the trailing headers of an aws-chunked or chunked body, lower-case names.
    """

    size: int
    trailers: dict[str, str]
    checksums: dict[str, str]

    def read(self) -> bytes:
        """The whole payload."""
        ...

    def open(self) -> BinaryIO:
        """A file object over the payload."""
        ...


NO_STRINGS: dict[str, str] = {}  # never written: shared by bodies without trailers


class InlineBody:
    """A payload held in memory."""

    __slots__ = ("checksums", "data", "size", "trailers")

    def __init__(self, data: bytes, trailers: dict[str, str] | None = None) -> None:
        self.data = data
        self.size = len(data)
        self.trailers: dict[str, str] = trailers if trailers is not None else NO_STRINGS
        self.checksums: dict[str, str] = NO_STRINGS

    def read(self) -> bytes:
        return self.data

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


EMPTY_BODY = InlineBody(b"")


class HttpRequest:
    """One request. `path` and `query` are raw (still percent-encoded); header names are lower-case.

    A header that came more than once is joined with commas. `client` is (host, port) of the peer.
    `raw_body` is what was received before aws-chunked decoding when that matters for signatures (else None).
    """

    __slots__ = ("_params", "body", "client", "headers", "method", "path", "query", "scheme")

    def __init__(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: Body = EMPTY_BODY,
        *,
        scheme: str = "http",
        client: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self.method = method
        self.path, _, self.query = target.partition("?")
        self.headers = headers
        self.body = body
        self.scheme = scheme
        self.client = client
        self._params: dict[str, str] | None = None

    @property
    def params(self) -> dict[str, str]:
        """Decoded query parameters; the first of a repeated name wins; `?acl` gives `{"acl": ""}`."""
        if self._params is None:
            found: dict[str, str] = {}
            if self.query:
                for name, value in parse_qsl(self.query, keep_blank_values=True):
                    found.setdefault(name, value)
            self._params = found
        return self._params

    def param_items(self) -> Iterator[tuple[str, str]]:
        """Decoded query parameters with repetitions."""
        for part in self.query.split("&"):
            if part:
                name, _, value = part.partition("=")
                yield unquote_plus(name), unquote_plus(value)

    @property
    def decoded_path(self) -> str:
        return unquote(self.path)

    @property
    def host(self) -> str:
        """The Host header without its port, lower-case."""
        host = self.headers.get("host", "")
        if host.startswith("["):
            return host[1:].partition("]")[0].lower()
        return host.partition(":")[0].lower()


class AwsChunkedRequest(HttpRequest):
    """A request whose body was aws-chunked. Its `content-encoding` no longer says so; signatures need the original."""

    __slots__ = ("wire_content_encoding",)

    def __init__(self, request: HttpRequest, wire_content_encoding: str | None) -> None:
        target = f"{request.path}?{request.query}" if request.query else request.path
        super().__init__(
            request.method, target, request.headers, request.body, scheme=request.scheme, client=request.client
        )
        self.wire_content_encoding = wire_content_encoding


class FileSlice:
    """A response body that is part of a file: `length` bytes from `start`."""

    __slots__ = ("length", "path", "start")

    def __init__(self, path: Path, start: int, length: int) -> None:
        self.path = path
        self.start = start
        self.length = length


ResponseBody = bytes | FileSlice | AsyncIterator[bytes]


class HttpResponse:
    """One answer. The gateway adds `Content-Length` (or chunked coding for an iterator), `Date` and the connection's
    headers; everything else is here. Header names are written as given."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str] | None = None, body: ResponseBody = b"") -> None:
        self.status = status
        self.headers: dict[str, str] = {} if headers is None else headers
        self.body = body
