"""Answers as bytes: heads, lengths, codings, long bodies in both directions of speed."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path

import pytest

from cloudlet.emulator.gateway.http.response import HeaderError, encode_head, http_date
from tests.gateway.http.conftest import Serve
from tests.gateway.http.serving import RunningServer

GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def test_answer_has_length_date_and_the_handlers_headers(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"x")
        answer = peer.answer()
    assert answer.headers["content-length"] == "2"
    assert answer.headers["content-type"] == "text/plain"
    assert DATE.fullmatch(answer.headers["date"])
    assert set(answer.headers) == {"content-length", "content-type", "date"}


def test_date_is_rfc_9110s_form() -> None:
    assert http_date(784111777.0) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_head_has_the_get_answers_length_and_no_body(door: RunningServer) -> None:
    (door.app.directory / "file").write_bytes(b"0123456789")
    with door.connect() as peer:
        for target, length in ((b"x", "2"), (b"length", "12345"), (b"file?name=file&start=2&length=3", "3")):
            peer.send(b"HEAD /%b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
            answer = peer.answer("HEAD")
            assert (answer.headers["content-length"], answer.body) == (length, b"")
        peer.send(b"HEAD /pieces?count=3 HTTP/1.1\r\nHost: a\r\n\r\n" + GET % b"next")
        assert peer.answer("HEAD").status == 200
        assert peer.answer().body == b"/next"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body_have_none(door: RunningServer, status: int) -> None:
    with door.connect() as peer:
        peer.send(GET % b"status/%d" % status + GET % b"next")
        answer = peer.answer()
        assert (answer.status, answer.body) == (status, b"")
        assert "content-length" not in answer.headers
        assert peer.answer().body == b"/next"


@pytest.mark.parametrize("status", [200, 206, 301, 404, 416, 503, 599])
def test_status_is_the_handlers(door: RunningServer, status: int) -> None:
    with door.connect() as peer:
        peer.send(GET % b"status/%d" % status)
        assert peer.answer().status == status


def test_failing_handler_is_a_500_and_the_connection_lives(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"broken" + GET % b"next")
        assert peer.answer().status == 500
        assert peer.answer().status == 200


@pytest.mark.parametrize("value", [b"a%0d%0aSet-Cookie:%20x", b"a%0aX:%20y", b"a%0dX:%20y", b"%e2%82%ac"])
def test_header_that_would_split_the_answer_is_never_written(door: RunningServer, value: bytes) -> None:
    with door.connect() as peer:
        peer.send(GET % (b"inject?value=" + value) + GET % b"next")
        answer = peer.answer()
        assert (answer.status, "x-value" in answer.headers, "set-cookie" in answer.headers) == (500, False, False)
        assert peer.answer().body == b"/next"


def test_head_is_encoded_as_latin_1() -> None:
    assert encode_head(200, {"A": "ä"}, "\r\n\r\n") == b"HTTP/1.1 200 OK\r\nA: \xe4\r\n\r\n"
    with pytest.raises(HeaderError):
        encode_head(200, {"A\nB": "x"}, "\r\n\r\n")


def test_iterator_is_chunked(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"pieces?count=300" + GET % b"next")
        answer = peer.answer()
        assert answer.headers["transfer-encoding"] == "chunked"
        assert answer.body == b"".join(bytes([number % 256]) * 7 for number in range(300))
        assert peer.answer().body == b"/next"


def test_iterator_for_http_1_0_ends_with_the_connection(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(b"GET /pieces?count=3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        head, _, body = peer.rest().partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert b"Connection: close" in head
    assert body == b"".join(bytes([number]) * 7 for number in range(3))


def test_iterator_that_fails_breaks_the_connection_off(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"pieces?count=3&fail")
        data = b""
        with contextlib.suppress(ConnectionResetError):
            data = peer.rest()
        assert not data.endswith(b"0\r\n\r\n")


def test_iterator_does_not_run_ahead_of_a_slow_reader(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        peer.send(GET % b"pieces?count=400&size=262144")
        connection = door.connection()
        door.until(lambda: connection.drained is not None)
        assert door.do(connection.transport.get_write_buffer_size) < 2 * 1024 * 1024
        assert door.app.pieces_closed == 0
        assert len(peer.answer().body) == 400 * 262144
    assert door.app.pieces_closed == 1


def test_iterator_is_closed_when_the_client_goes(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"pieces?count=400&size=262144")
        peer.line()
    door.until(lambda: door.app.pieces_closed == 1)


@pytest.mark.parametrize(("start", "length"), [(0, 0), (0, 1), (5, 100_000), (1, 3_000_000), (2_999_999, 1)])
def test_file_slice_is_exactly_that(door: RunningServer, tmp_path: Path, start: int, length: int) -> None:
    data = bytes(range(251)) * 12000
    (tmp_path / "file").write_bytes(data)
    with door.connect() as peer:
        peer.send(GET % b"file?name=file&start=%d&length=%d" % (start, length) + GET % b"next")
        answer = peer.answer()
        assert answer.headers["content-length"] == str(length)
        assert answer.body == data[start : start + length]
        assert peer.answer().body == b"/next"


def test_missing_file_is_a_500(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"file?name=none&start=0&length=10" + GET % b"next")
        assert peer.answer().status == 500
        assert peer.answer().status == 200


def test_file_that_ends_early_breaks_the_connection_off(door: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1_000_000)
    with door.connect() as peer:
        peer.send(GET % b"file?name=file&start=0&length=2000000")
        try:
            received = len(peer.rest())
        except ConnectionResetError:
            received = 0
    assert received < 2_000_000


def test_large_file_waits_for_a_slow_reader_and_arrives_whole(door: RunningServer, tmp_path: Path) -> None:
    size = 64 * 1024 * 1024
    with (tmp_path / "file").open("wb") as file:
        file.truncate(size)
    with door.connect() as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        peer.send(GET % b"file?name=file&start=0&length=%d" % size + GET % b"next")
        connection = door.connection()
        door.until(lambda: connection.paused)
        assert door.do(connection.transport.get_write_buffer_size) < 1024 * 1024
        assert len(peer.answer().body) == size
        assert peer.answer().body == b"/next"


def test_file_is_closed_when_the_client_goes(door: RunningServer, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with door.connect() as peer:
        peer.send(GET % b"file?name=file&start=0&length=67108864")
        peer.line()
        connection = door.connection()
        door.until(lambda: connection.stream is not None)
    door.until(lambda: connection.stream is None)


def test_several_addresses_are_served(serve: Serve) -> None:
    server = serve(hosts=("127.0.0.1", "127.0.0.2"))
    first, second = server.server.addresses
    for address in (first, second):
        with socket.create_connection((address.host, address.port), timeout=10) as connection:
            connection.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
