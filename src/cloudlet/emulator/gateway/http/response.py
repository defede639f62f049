"""How an answer becomes bytes: the head in one piece, and the phrases of status codes."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

from cloudlet.emulator.protocol.message import HttpResponse

PHRASES = MappingProxyType(
    {
        100: "Continue", 101: "Switching Protocols",
        200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
        205: "Reset Content", 206: "Partial Content", 207: "Multi-Status",
        300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
        307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
        413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable",
        417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Content", 423: "Locked",
        424: "Failed Dependency", 426: "Upgrade Required", 428: "Precondition Required", 429: "Too Many Requests",
        431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Gateway Timeout", 505: "HTTP Version Not Supported", 507: "Insufficient Storage",
    }
)  # fmt: skip
STATUS_LINES = MappingProxyType({status: f"HTTP/1.1 {status} {phrase}" for status, phrase in PHRASES.items()})
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LATIN_1 = "latin-1"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class HeaderError(ValueError):
    """A response header that cannot be written: a line break or a character outside latin-1."""


def http_date(now: float) -> str:
    """`now` (seconds since the epoch) as RFC 9110's IMF-fixdate, which no locale changes."""
    moment = datetime.fromtimestamp(now, UTC)
    day, month = DAYS[moment.weekday()], MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02} {month} {moment.year} {moment:%H:%M:%S} GMT"


def encode_head(status: int, headers: dict[str, str], tail: str) -> bytes:
    """Status line, `headers`, then `tail`, which begins with a line break and ends with the empty line.

    Raises HeaderError; a line break inside a value would otherwise be a way to forge headers or whole answers.
    """
    text = STATUS_LINES.get(status) or f"HTTP/1.1 {status} Unknown"
    for name, value in headers.items():
        text += f"\r\n{name}: {value}"
    count = len(headers)
    if text.count("\n") != count or text.count("\r") != count:
        raise HeaderError(f"a response header holds a line break: {headers!r}")
    try:
        return (text + tail).encode(LATIN_1)
    except UnicodeEncodeError:
        raise HeaderError(f"a response header holds a character outside latin-1: {headers!r}") from None


def has_no_body(status: int) -> bool:
    """Whether HTTP forbids a body with this status (RFC 9110 §6.4.1)."""
    return status == 204 or status == 304 or status < 200


def has_length(headers: dict[str, str]) -> bool:
    return "Content-Length" in headers or "content-length" in headers


def plain_answer(status: int, text: str) -> HttpResponse:
    """An answer of the gateway itself, for requests that never reach a service."""
    return HttpResponse(status, {"Content-Type": "text/plain; charset=utf-8"}, f"{text}\n".encode())
