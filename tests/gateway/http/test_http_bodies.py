"""Request bodies: sizes, codings, leave to send, spools."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest

from cloudlet.emulator.gateway.http.server import Limits
from cloudlet.emulator.protocol.message import AwsChunkedRequest
from tests.gateway.http.conftest import Serve
from tests.gateway.http.serving import RunningServer

GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"


def put(path: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"PUT {path} HTTP/1.1", "Host: a", *headers, "", ""]).encode() + body


def chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"


def aws_chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    sign = b";chunk-signature=" + b"0" * 64
    coded = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), sign, piece) for piece in pieces)
    return coded + b"0" + sign + b"\r\n" + trailers + b"\r\n"


@pytest.mark.parametrize("size", [0, 1, 9_999, 10_000, 65_535, 65_536, 65_537, 300_000])
def test_body_of_any_size_arrives_whole(door: RunningServer, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    with door.connect() as peer:
        peer.send(put("/echo", f"Content-Length: {size}", body=body) + GET % b"next")
        assert peer.answer().body == body
        assert peer.answer().body == b"/next"


def test_chunked_body_and_its_trailers(door: RunningServer) -> None:
    body = chunked(b"hello ", b"world", b"x" * 70000, trailers=b"X-Amz-Checksum-Crc32: AAAAAA==\r\nOther: 1\r\n")
    with door.connect() as peer:
        peer.send(put("/echo", "Transfer-Encoding: chunked", body=body) + GET % b"next")
        assert peer.answer().body == b"hello world" + b"x" * 70000
        assert peer.answer().body == b"/next"
    assert door.app.seen[0].body.trailers == {"x-amz-checksum-crc32": "AAAAAA==", "other": "1"}


def test_leave_to_send_is_given(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(put("/echo", "Content-Length: 5", "Expect: 100-continue"))
        assert peer.line() == b"HTTP/1.1 100 Continue\r\n"
        assert peer.line() == b"\r\n"
        assert not door.app.seen
        peer.send(b"hello" + GET % b"next")
        assert peer.answer().body == b"hello"
        assert peer.answer().body == b"/next"


def test_leave_to_send_waits_for_the_answer_before(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"wait/1" + put("/echo", "Content-Length: 5", "Expect: 100-continue"))
        door.release("/wait/1")
        assert peer.answer().body == b"/wait/1"
        assert peer.line() == b"HTTP/1.1 100 Continue\r\n"
        assert peer.line() == b"\r\n"
        peer.send(b"hello")
        assert peer.answer().body == b"hello"


def test_client_that_does_not_wait_for_leave_is_served(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(put("/echo", "Content-Length: 5", "Expect: 100-continue", body=b"hello") + GET % b"next")
        assert peer.answer().body == b"hello"  # http.client passes over the 100
        assert peer.answer().body == b"/next"


def test_request_without_body_gets_no_leave(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(put("/echo", "Content-Length: 0", "Expect: 100-continue"))
        assert peer.line() == b"HTTP/1.1 200 OK\r\n"


def test_large_body_is_spooled_where_the_server_wants_it(door: RunningServer) -> None:
    body = b"spool" * 100_000
    with door.connect() as peer:
        peer.send(put("/spool", f"Content-Length: {len(body)}", body=body) + GET % b"next")
        answer = peer.answer().body.decode()
        assert answer == f"FileBody {len(body)} {hashlib.sha256(body).hexdigest()}"
        assert peer.answer().body == b"/next"
        peer.send(put("/spool", "Transfer-Encoding: chunked", body=chunked(body, body, trailers=b"A: b\r\n")))
        assert peer.answer().body.decode() == f"FileBody {2 * len(body)} {hashlib.sha256(body + body).hexdigest()}"
        assert door.app.seen[-1].body.trailers == {"a": "b"}
        peer.send(put("/spool", "Content-Length: 5", body=b"small"))
        assert peer.answer().body == b"InlineBody 5 "
    assert not list(door.app.directory.glob("spool-*"))  # discarded after the answer


def test_spool_is_aborted_when_the_client_goes(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(put("/spool", "Content-Length: 500000", body=b"x" * 200_000))
        door.until(lambda: bool(door.app.writers) and door.app.writers[0].size == 200_000)
    door.until(lambda: door.app.writers[0].aborted)
    assert not door.app.seen


@pytest.mark.parametrize("path", ["/spool/full", "/spool/closed"])
def test_full_disk_is_an_error_and_the_connection_lives(door: RunningServer, path: str) -> None:
    with door.connect() as peer:
        peer.send(put(path, "Content-Length: 100000", body=b"x" * 100_000) + GET % b"next")
        answer = peer.answer()
        assert (answer.status, answer.body.partition(b":")[0]) == (500, b"InternalFailure")
        assert peer.answer().body == b"/next"
    assert all(writer.aborted for writer in door.app.writers)


def test_body_without_spool_has_a_limit(serve: Serve) -> None:
    server = serve(limits=Limits(buffered_body_bytes=100_000))
    with server.connect() as peer:
        peer.send(put("/echo", "Content-Length: 100001", body=b"x" * 100_001) + GET % b"next")
        assert peer.answer().status == 413
        assert peer.answer().body == b"/next"
        peer.send(put("/echo", "Transfer-Encoding: chunked", body=chunked(b"x" * 60_000, b"x" * 60_000)))
        assert peer.answer().status == 413
        peer.send(put("/echo", "Content-Length: 100001", "Expect: 100-continue"))
        answer = peer.answer()
        assert (answer.status, answer.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("outer", ["length", "chunked"])
@pytest.mark.parametrize("path", ["/echo", "/spool"])
def test_aws_chunked_body_is_decoded(door: RunningServer, outer: str, path: str) -> None:
    payload = b"payload" * 20_000
    checksum = base64.b64encode(zlib.crc32(payload).to_bytes(4, "big")).decode()
    coded = aws_chunked(payload[:65536], payload[65536:], trailers=f"x-amz-checksum-crc32:{checksum}\r\n".encode())
    framing = f"Content-Length: {len(coded)}" if outer == "length" else "Transfer-Encoding: chunked"
    headers = (
        framing,
        "Content-Encoding: aws-chunked,gzip",
        "X-Amz-Content-SHA256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        f"X-Amz-Decoded-Content-Length: {len(payload)}",
        "X-Amz-Trailer: x-amz-checksum-crc32",
    )
    wire = coded if outer == "length" else chunked(coded[:1000], coded[1000:])
    with door.connect() as peer:
        peer.send(put(path, *headers, body=wire) + GET % b"next")
        answer = peer.answer()
        assert peer.answer().body == b"/next"
    expected = f"FileBody {len(payload)} {hashlib.sha256(payload).hexdigest()}".encode()
    assert answer.body == (payload if path == "/echo" else expected)
    request = door.app.seen[0]
    assert request.body.trailers == {"x-amz-checksum-crc32": checksum}
    assert request.headers["content-encoding"] == "gzip"
    assert isinstance(request, AwsChunkedRequest)
    assert request.wire_content_encoding == "aws-chunked,gzip"


def test_aws_chunked_only_leaves_no_content_encoding(door: RunningServer) -> None:
    body = b"5\r\nhello\r\n0\r\n\r\n"
    headers = ("Content-Encoding: aws-chunked", "X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    with door.connect() as peer:
        peer.send(put("/echo", *headers, f"Content-Length: {len(body)}", "X-Amz-Decoded-Content-Length: 5", body=body))
        assert peer.answer().body == b"hello"
    assert "content-encoding" not in door.app.seen[0].headers


@pytest.mark.parametrize(
    ("decoded", "body", "error"),
    [
        ("6", b"5\r\nhello\r\n0\r\n\r\n", b"IncompleteBody"),
        ("4", b"5\r\nhello\r\n0\r\n\r\n", b"IncompleteBody"),
        ("5", b"5\r\nhel", b"IncompleteBody"),
        ("5", b"zz\r\nhello\r\n0\r\n\r\n", b"InvalidRequest"),
        ("", b"5\r\nhello\r\n0\r\n\r\n", b"MissingContentLength"),
    ],
)
def test_wrong_aws_chunked_body_is_an_aws_error(door: RunningServer, decoded: str, body: bytes, error: bytes) -> None:
    headers = ["X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", f"Content-Length: {len(body)}"]
    if decoded:
        headers.append(f"X-Amz-Decoded-Content-Length: {decoded}")
    with door.connect() as peer:
        peer.send(put("/echo", *headers, body=body) + GET % b"next")
        answer = peer.answer()
        assert answer.body.partition(b":")[0] == error
        assert answer.status == (411 if error == b"MissingContentLength" else 400)
        assert peer.answer().body == b"/next"
