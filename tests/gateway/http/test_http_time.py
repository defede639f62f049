"""Clients that are slow, vanish or stay; servers that stop; ports that are taken."""

from __future__ import annotations

import asyncio
import socket

import pytest

from cloudlet.emulator.gateway.http.server import HttpServer, ListenError
from cloudlet.settings import Address
from tests.gateway.http.serving import RunningServer

GET = b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_headers_that_do_not_come_end_the_connection(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        connection = door.connection()
        door.until(lambda: connection.started > 0)
        door.pass_seconds(20)
        peer.send(b"X-A: a trickle does not help\r\n")
        door.until(lambda: connection.quiet > 30)
        door.pass_seconds(11)
        assert [answer.status for answer in peer.all_answers()] == [408]


def test_body_that_stops_ends_the_connection(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(b"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
        connection = door.connection()
        door.until(lambda: connection.body is not None)
        door.pass_seconds(50)
        peer.send(b"6")
        door.until(lambda: type(connection.body) is list)
        door.pass_seconds(50)
        assert door.server.connections
        door.pass_seconds(20)
        assert [answer.status for answer in peer.all_answers()] == [408]


def test_idle_connection_is_closed_after_a_while_and_not_before_75_seconds(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"a")
        assert peer.answer().status == 200
        door.pass_seconds(76)
        peer.send(GET % b"b")
        assert peer.answer().status == 200
        door.pass_seconds(95)
        assert peer.rest() == b""


def test_request_that_runs_may_take_longer_than_any_limit(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"wait/1")
        door.until(lambda: "/wait/1" in door.app.waiting)
        door.pass_seconds(500)
        door.release("/wait/1")
        assert peer.answer().status == 200
        door.pass_seconds(80)
        peer.send(GET % b"b")
        assert peer.answer().status == 200


def test_reader_that_reads_nothing_is_given_up(door: RunningServer) -> None:
    with (door.app.directory / "file").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with door.connect() as peer:
        peer.send(GET % b"file?name=file&start=0&length=67108864")
        connection = door.connection()
        door.until(lambda: connection.paused)
        door.pass_seconds(70)
        door.until(lambda: not door.server.connections)


def test_client_that_vanishes_cancels_what_runs_for_it(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"wait/1" + GET % b"never")
        door.until(lambda: "/wait/1" in door.app.waiting)
    door.until(lambda: door.app.cancelled == ["/wait/1"])
    door.until(lambda: not door.server.connections)
    assert [request.path for request in door.app.seen] == ["/wait/1"]


def test_client_that_resets_cancels_what_runs_for_it(door: RunningServer) -> None:
    peer = door.connect()
    peer.send(GET % b"wait/1")
    door.until(lambda: "/wait/1" in door.app.waiting)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.close()
    door.until(lambda: door.app.cancelled == ["/wait/1"])


def test_refusal_reaches_a_client_that_is_still_sending(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(b"garbage\r\n\r\n" + b"x" * 200_000)
        assert peer.answer().status == 400
        assert peer.rest() == b""
        door.pass_seconds(5)
        door.until(lambda: not door.server.connections)


def test_stop_lets_requests_finish_and_closes_idle_connections(door: RunningServer) -> None:
    with door.connect() as idle, door.connect() as busy, door.connect() as sending:
        idle.send(GET % b"a")
        assert idle.answer().status == 200
        busy.send(GET % b"wait/1" + GET % b"queued")
        sending.send(b"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        door.until(lambda: "/wait/1" in door.app.waiting)
        door.until(lambda: any(connection.target for connection in door.server.connections))  # type: ignore[attr-defined]
        stopping = asyncio.run_coroutine_threadsafe(door.server.stop(15), door.loop)
        assert idle.rest() == b""
        with pytest.raises(OSError):
            door.connect()
        assert not stopping.done()
        sending.send(b"def")
        (answer,) = sending.all_answers()
        assert (answer.body, answer.headers["connection"]) == (b"abcdef", "close")
        door.release("/wait/1")
        assert [answer.body for answer in busy.all_answers()] == [b"/wait/1", b"/queued"]
        stopping.result(10)


def test_stop_ends_after_its_grace(door: RunningServer) -> None:
    with door.connect() as peer:
        peer.send(GET % b"wait/1")
        door.until(lambda: "/wait/1" in door.app.waiting)
        door.run(door.server.stop(0.01))
        with pytest.raises(ConnectionResetError):
            raise ConnectionResetError if peer.rest() == b"" else AssertionError
    door.until(lambda: door.app.cancelled == ["/wait/1"])


def test_taken_port_is_a_sentence_and_nothing_stays_open(door: RunningServer) -> None:
    async def start() -> None:
        free = Address("127.0.0.1", 0)
        server = HttpServer(door.app, [free, Address("127.0.0.1", door.port)])
        try:
            await server.start()
        finally:
            assert not server.listeners

    with pytest.raises(ListenError, match=f"127.0.0.1:{door.port} is already in use") as caught:
        door.run(start())
    assert caught.value.address.port == door.port


def test_unknown_host_is_a_sentence(door: RunningServer) -> None:
    async def start() -> None:
        await HttpServer(door.app, [Address("192.0.2.1", 0)]).start()

    with pytest.raises(ListenError, match=r"192.0.2.1:0 is not an address of this machine"):
        door.run(start())


def test_many_connections_come_and_go(door: RunningServer) -> None:
    for _ in range(100):
        with door.connect() as peer:
            peer.send(GET % b"a")
            assert peer.answer().status == 200
    door.until(lambda: not door.server.connections)
