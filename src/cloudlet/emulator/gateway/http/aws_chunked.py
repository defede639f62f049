"""The `aws-chunked` coding: S3's chunks inside the body, with or without signatures and trailers.

    <hex size>[;chunk-signature=<64 hex>]\\r\\n <bytes>\\r\\n … 0[;chunk-signature=…]\\r\\n
    [<trailer name>:<value>\\r\\n … [x-amz-trailer-signature:<64 hex>\\r\\n]] \\r\\n

Source: Amazon S3 API reference, "Signature calculations: transferring payload in multiple chunks" and "… including
trailing headers". No I/O here: bytes in, bytes out. HTTP's own chunked coding is removed before.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError
from cloudlet.emulator.protocol.message import AwsChunkedRequest, HttpRequest

STREAMING_PREFIX = "STREAMING-"
MAX_LINE = 16 * 1024  # bytes of a size line or a trailer line
MAX_TRAILERS = 64
TRAILER_SIGNATURE = "x-amz-trailer-signature"
HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
SIZE, DATA, DATA_END, TRAILER, DONE = range(5)


class ChunkVerifier(Protocol):
    """Checks signatures as they come; `gateway.sigv4.ChunkSignatures` in production."""

    def chunk(self, signature: str, payload_sha256: str) -> bool: ...

    def trailer(self, signature: str, trailers: dict[str, str]) -> bool: ...


class AwsChunkedDecoder:
    """Feed it the coded bytes, get the payload back. `trailers` is complete after `finish`.

    `decoded_length` is what `x-amz-decoded-content-length` promised. Raises AwsError as S3 does.
    """

    __slots__ = (
        "chunk_signature",
        "decoded_length",
        "digest",
        "pending",
        "received",
        "remaining",
        "signed_trailer",
        "state",
        "trailers",
        "verifier",
    )

    def __init__(
        self, decoded_length: int, *, signed_trailer: bool = False, verifier: ChunkVerifier | None = None
    ) -> None:
        self.decoded_length = decoded_length
        self.signed_trailer = signed_trailer
        self.verifier = verifier
        self.trailers: dict[str, str] = {}
        self.received = 0
        self.remaining = 0
        self.pending = b""
        self.state = SIZE
        self.chunk_signature = ""
        self.digest = hashlib.sha256()

    def feed(self, data: bytes) -> bytes:
        """The payload bytes that `data` completes."""
        if self.pending:
            data, self.pending = self.pending + data, b""
        pieces: list[bytes] = []
        position, end = 0, len(data)
        while position < end:
            if self.state == DATA:
                piece = data[position : position + self.remaining]
                position += len(piece)
                self.take(piece)
                pieces.append(piece)
            elif self.state == DONE:
                break  # an epilogue; HTTP's framing decides where the message ends
            else:
                line_end = data.find(b"\n", position)
                if line_end < 0:
                    self.keep(data[position:])
                    break
                line = data[position:line_end].removesuffix(b"\r")
                position = line_end + 1
                self.line(line)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def take(self, piece: bytes) -> None:
        self.remaining -= len(piece)
        self.received += len(piece)
        if self.received > self.decoded_length:
            raise incomplete_body()
        if self.verifier is not None:
            self.digest.update(piece)
        if self.remaining == 0:
            self.end_chunk()
            self.state = DATA_END

    def keep(self, rest: bytes) -> None:
        if len(rest) > MAX_LINE:
            raise malformed("a line of the aws-chunked body is too long")
        self.pending = rest

    def line(self, line: bytes) -> None:
        if self.state == DATA_END:
            if line:
                raise malformed("a chunk is longer than its declared size")
            self.state = SIZE
        elif self.state == SIZE:
            self.begin_chunk(line)
        else:
            self.trailer_line(line)

    def begin_chunk(self, line: bytes) -> None:
        size_text, _, extension = line.partition(b";")
        size_text = size_text.strip()
        if not size_text or len(size_text) > 16 or not HEX_DIGITS.issuperset(size_text):
            raise malformed("a chunk has no valid size")
        name, _, value = extension.partition(b"=")
        self.chunk_signature = value.strip().decode("latin-1") if name.strip() == b"chunk-signature" else ""
        self.remaining = int(size_text, 16)
        if self.remaining:
            self.state = DATA
        else:
            self.end_chunk()
            self.state = TRAILER

    def end_chunk(self) -> None:
        if self.verifier is None:
            return
        if not self.verifier.chunk(self.chunk_signature, self.digest.hexdigest()):
            raise signature_mismatch()
        self.digest = hashlib.sha256()

    def trailer_line(self, line: bytes) -> None:
        if not line:
            # some clients put an empty line between the trailers and their signature
            if not self.signed_trailer or not self.trailers or TRAILER_SIGNATURE in self.trailers:
                self.state = DONE
            return
        name, separator, value = line.decode("latin-1").partition(":")
        name = name.strip().lower()
        if not separator or not name or len(self.trailers) >= MAX_TRAILERS or len(line) > MAX_LINE:
            raise malformed("a trailing header is malformed")
        self.trailers[name] = value.strip()

    def finish(self) -> None:
        """The message has ended. Raises when the coding or the promised length has not."""
        if self.state == TRAILER:  # without the last empty line; S3 accepts it
            if self.pending:
                rest, self.pending = self.pending, b""
                self.trailer_line(rest.removesuffix(b"\r"))
        elif self.state != DONE:
            raise incomplete_body()
        if self.received != self.decoded_length:
            raise incomplete_body()
        signature = self.trailers.pop(TRAILER_SIGNATURE, "")
        if self.verifier is None or not self.signed_trailer or not self.trailers:
            return
        if not self.verifier.trailer(signature, self.trailers):
            raise signature_mismatch()


def is_aws_chunked(headers: dict[str, str]) -> bool:
    """Whether the request's body is in this coding."""
    if headers.get("x-amz-content-sha256", "").startswith(STREAMING_PREFIX):
        return True
    encoding = headers.get("content-encoding")
    return encoding is not None and "aws-chunked" in encoding and "x-amz-decoded-content-length" in headers


def open_decoder(headers: dict[str, str], verifier: ChunkVerifier | None = None) -> AwsChunkedDecoder:
    """A decoder for a request with these headers. Raises MissingContentLength as S3 does."""
    length = headers.get("x-amz-decoded-content-length", "")
    if not length.isascii() or not length.isdigit():
        raise UnmodelledError("MissingContentLength", "You must provide the Content-Length HTTP header.", status=411)
    kind = headers.get("x-amz-content-sha256", "")
    signed_trailer = kind.startswith("STREAMING-AWS4-") and kind.endswith("-TRAILER")
    return AwsChunkedDecoder(int(length), signed_trailer=signed_trailer, verifier=verifier)


def remaining_encoding(value: str) -> str:
    """A `Content-Encoding` without `aws-chunked`: `aws-chunked,gzip` → `gzip`, `aws-chunked` → empty."""
    parts = [part.strip() for part in value.split(",")]
    return ",".join(part for part in parts if part and part.lower() != "aws-chunked")


def incomplete_body() -> AwsError:
    return UnmodelledError(
        "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header", 400
    )


def malformed(what: str) -> AwsError:
    return UnmodelledError("InvalidRequest", f"The request body is not valid aws-chunked content: {what}", 400)


def signature_mismatch() -> AwsError:
    return UnmodelledError(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
        403,
    )


def decoded_request(request: HttpRequest) -> AwsChunkedRequest:
    """The same request without aws-chunked in its `content-encoding`."""
    wire_encoding = request.headers.pop("content-encoding", None)
    if wire_encoding is not None:
        rest = remaining_encoding(wire_encoding)
        if rest:
            request.headers["content-encoding"] = rest
    return AwsChunkedRequest(request, wire_encoding)
