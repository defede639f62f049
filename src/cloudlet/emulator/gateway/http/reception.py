"""The rarer parts of receiving a request: where its body goes, odd targets, upgrades that are not made."""

from __future__ import annotations

from collections.abc import Callable

from cloudlet.emulator.gateway.http.aws_chunked import (
    AwsChunkedDecoder,
    ChunkVerifier,
    decoded_request,
    is_aws_chunked,
    open_decoder,
)
from cloudlet.emulator.gateway.http.body import BodyLimits, BodyReceiver
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpRequest

OpenVerifier = Callable[[HttpRequest], ChunkVerifier | None]


def content_length(headers: dict[str, str]) -> int | None:
    """The declared length in bytes; the parser has refused what is not a number."""
    value = headers.get("content-length")
    return None if value is None else int(value)


def prepare_body(
    request: HttpRequest, length: int | None, limits: BodyLimits, open_verifier: OpenVerifier | None
) -> tuple[HttpRequest, BodyReceiver]:
    """The request as the handler shall see it, and the receiver of its body."""
    if not is_aws_chunked(request.headers):
        if length is None and "transfer-encoding" not in request.headers:
            length = 0
        return request, BodyReceiver(request, limits, length)
    request = decoded_request(request)
    decoder: AwsChunkedDecoder | None = None
    refusal: AwsError | None = None
    try:
        decoder = open_decoder(request.headers, None if open_verifier is None else open_verifier(request))
        length = decoder.decoded_length
    except AwsError as error:
        refusal = error
    return request, BodyReceiver(request, limits, length, decoder, refusal)


def reduced_target(request: HttpRequest) -> bool:
    """Make an absolute target (`GET http://host/path`, as to a proxy) a path. False when it is nothing known."""
    if request.path == "*":
        return request.method == "OPTIONS"
    scheme, separator, rest = request.path.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return False
    host, _, path = rest.partition("/")
    request.path = "/" + path
    request.headers["host"] = host  # RFC 9112 §3.2.2: the target's host wins
    return True


def rewritten_head(method: bytes, target: bytes, headers: dict[str, str]) -> bytes:
    """The head of a request without its wish for another protocol, for a second parse."""
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    for name, value in headers.items():
        kept = value
        if name == "upgrade" or name == "http2-settings":
            continue
        if name == "connection":
            tokens = (token.strip() for token in value.split(","))
            kept = ", ".join(token for token in tokens if token.lower() not in ("upgrade", "http2-settings"))
        lines.append(f"{name}: {kept}".encode("latin-1"))
    return b"\r\n".join(lines) + b"\r\n\r\n"
