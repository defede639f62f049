"""Requests as bytes: what is understood, what is refused, and in which order answers come."""

from __future__ import annotations

import pytest

from cloudlet.emulator.gateway.http.server import Limits
from tests.gateway.http.conftest import Serve
from tests.gateway.http.serving import RunningServer

GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_request_has_method_path_query_headers_and_body(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(
            b"POST /a%20b/c?x=1&y=%2F HTTP/1.1\r\nHost: Example.com:4566\r\nX-Amz-Meta-A: one \r\nEmpty:\r\n"
            b"Content-Length: 5\r\nUmlaut: \xe4\r\n\r\nhello"
        )
        assert peer.answer().status == 200
    (request,) = door.app.seen
    assert (request.method, request.path, request.query) == ("POST", "/a%20b/c", "x=1&y=%2F")
    assert request.headers == {
        "host": "Example.com:4566",
        "x-amz-meta-a": "one",
        "empty": "",
        "content-length": "5",
        "umlaut": "ä",
    }
    assert request.body.read() == b"hello"
    assert request.scheme == "http"
    assert request.client[0] == "127.0.0.1"


def test_repeated_header_is_joined_with_commas(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nX-A:3\r\n\r\n")
        peer.answer()
    assert door.app.seen[0].headers["x-a"] == "1,2,3"


def test_connection_is_kept_alive(door: RunningServer) -> None:
    with door.connect() as peer:
        for number in range(50):
            peer.send(GET % b"%d" % number)
            answer = peer.answer()
            assert (answer.status, answer.body) == (200, b"/%d" % number)
            assert "connection" not in answer.headers


def test_request_may_come_byte_by_byte(door: RunningServer) -> None:
    data = b"PUT /echo?q HTTP/1.1\r\nHost: a\r\nX-Long-Name: long value\r\nContent-Length: 3\r\n\r\nabc"
    with door.connect() as peer:
        for index in range(len(data)):
            peer.send(data[index : index + 1])
        assert peer.answer().body == b"abc"
    request = door.app.seen[0]
    assert (request.path, request.query, request.headers["x-long-name"]) == ("/echo", "q", "long value")


def test_pipelined_requests_are_answered_in_order(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(b"".join(GET % b"%d" % number for number in range(500)))
        assert [peer.answer().body for _ in range(500)] == [b"/%d" % number for number in range(500)]


def test_requests_behind_a_long_one_wait_for_it(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"wait/1" + GET % b"a" + GET % b"wait/2" + GET % b"b")
        door.release("/wait/1")
        assert peer.answer().body == b"/wait/1"
        assert peer.answer().body == b"/a"
        assert "/b" not in [request.path for request in door.app.seen]
        door.release("/wait/2")
        assert peer.answer().body == b"/wait/2"
        assert peer.answer().body == b"/b"


def test_pipelining_is_bounded_and_goes_on(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"wait/1")
        door.until(lambda: "/wait/1" in door.app.waiting)
        for number in range(100):
            peer.send(GET % b"%d" % number)
        connection = door.connection()
        door.until(lambda: connection.reading_paused)
        door.release("/wait/1")
        assert [peer.answer().body for _ in range(101)] == [b"/wait/1", *(b"/%d" % number for number in range(100))]


def test_other_connections_are_served_while_one_waits(door: RunningServer) -> None:
    with door.connect() as waiting, door.connect() as other:
        waiting.send(GET % b"wait/1")
        other.send(GET % b"other")
        assert other.answer().body == b"/other"
        door.release("/wait/1")
        assert waiting.answer().body == b"/wait/1"


def test_connection_close_is_obeyed(door: RunningServer) -> None:
    answers = door.ask(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET % b"never")
    assert [(answer.status, answer.headers["connection"]) for answer in answers] == [(200, "close")]
    assert len(door.app.seen) == 1


def test_http_1_0_closes_unless_it_asks_to_keep_alive(door: RunningServer) -> None:
    (answer,) = door.ask(b"GET /x HTTP/1.0\r\n\r\n")
    assert (answer.body, answer.headers["connection"]) == (b"/x", "close")
    with door.connect() as peer:
        for _ in range(2):
            peer.send(b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert peer.answer().headers["connection"] == "keep-alive"


def test_absolute_target_is_a_path_with_its_own_host(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(b"GET http://bucket.example.com/key?x HTTP/1.1\r\nHost: proxy\r\n\r\n")
        assert peer.answer().body == b"/key"
        peer.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert peer.answer().status == 200
    assert door.app.seen[0].host == "bucket.example.com"


def test_wish_for_http_2_is_overlooked(door: RunningServer) -> None:
    head = (
        b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 5\r\n\r\n"
    )
    with door.connect() as peer:
        peer.send(head + b"hel")
        peer.send(b"lo" + GET % b"next")
        assert peer.answer().body == b"hello"
        assert peer.answer().body == b"/next"
    assert "upgrade" not in door.app.seen[0].headers


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x00\x01\x02\x03",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nName : x\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n folded\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET relative HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_malformed_request_gets_400_and_the_connection_closes(door: RunningServer, data: bytes) -> None:
    (answer,) = door.ask(data)
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert not door.app.seen


def test_malformed_request_behind_good_ones_does_not_cost_their_answers(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"a" + GET % b"wait/1" + GET % b"b" + b"garbage\r\n\r\n")
        door.release("/wait/1")
        assert [answer.status for answer in peer.all_answers()] == [200, 200, 200, 400]


@pytest.mark.parametrize("whole", [True, False])
def test_too_large_headers_get_431(serve: Serve, whole: bool) -> None:
    server = serve(limits=Limits(header_bytes=4096, target_bytes=2048))
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000
    (answer,) = server.ask(head + b"\r\n\r\n" if whole else head)
    assert answer.status == 431
    many = b"".join(b"X-%d: y\r\n" % number for number in range(300))
    assert server.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + many + b"\r\n")[0].status == 431


def test_too_many_headers_get_431(door: RunningServer) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(300))
    assert door.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + many + b"\r\n")[0].status == 431


@pytest.mark.parametrize("end", [b"", b" HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_too_long_request_line_gets_414(serve: Serve, end: bytes) -> None:
    server = serve(limits=Limits(header_bytes=4096, target_bytes=2048))
    assert server.ask(b"GET /" + b"x" * 5000 + end)[0].status == 414


def test_endless_trailers_are_refused(serve: Serve) -> None:
    server = serve(limits=Limits(header_bytes=4096))
    with server.connect() as peer:
        peer.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
        for number in range(1000):
            try:
                peer.send(b"X-%d: yyyyyyyyyyyyyyyyyyyyyyy\r\n" % number)
            except OSError:
                break
        assert peer.answer().status == 431


def test_large_body_behind_a_small_head_is_not_a_large_head(serve: Serve) -> None:
    server = serve(limits=Limits(header_bytes=1024))
    with server.connect() as peer:
        peer.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" + b"b" * 60000 + GET % b"next")
        assert len(peer.answer().body) == 60000
        assert peer.answer().body == b"/next"
