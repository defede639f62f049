"""The bytes of a request, decoded as its Content-Encoding says."""

from __future__ import annotations

import zlib

from cloudlet.emulator.kernel.errors import SerializationError
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody

LARGEST = 64 * 1024 * 1024  # bytes of a structured request once it is decompressed


def payload_of(request: HttpRequest) -> bytes:
    """The whole body. Raises SerializationError for a broken or an enormous gzip body."""
    body = request.body
    data = body.data if type(body) is InlineBody else body.read()
    if data and "content-encoding" in request.headers and "gzip" in request.headers["content-encoding"]:
        return gunzip(data)
    return data


def gunzip(data: bytes) -> bytes:
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = decoder.decompress(data, LARGEST)
    except zlib.error as error:
        raise SerializationError(f"The body is not what Content-Encoding says: {error}") from None
    if not decoder.eof:
        raise SerializationError("The body is not what Content-Encoding says: it is cut short or too large")
    return plain
