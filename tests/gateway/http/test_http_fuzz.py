"""Whatever comes, the server lives: every connection ends in an answer or a close, and the next one works."""

from __future__ import annotations

import contextlib
import logging
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.http.serving import RunningServer

USUAL = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADERS = st.sampled_from(
    [
        b"Host: a", b"Host: b", b"Content-Length: 3", b"Content-Length: 0", b"Content-Length: 70000",
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Expect: 100-continue",
        b"Connection: close", b"Connection: keep-alive", b"Connection: Upgrade", b"Upgrade: h2c",
        b"Upgrade: websocket", b"X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        b"X-Amz-Decoded-Content-Length: 5", b"X-Amz-Decoded-Content-Length: x", b"Content-Encoding: aws-chunked",
        b"X:", b": y", b"X: \x00", b"X: \xff", b"X: a\r", b"X : a", b" folded",
    ]
)  # fmt: skip
LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1", b"PUT /spool HTTP/1.1", b"POST /echo HTTP/1.1", b"HEAD /pieces?count=2 HTTP/1.1",
        b"GET /pieces?count=2 HTTP/1.0", b"GET / HTTP/1.0", b"CONNECT a:1 HTTP/1.1", b"OPTIONS * HTTP/1.1",
        b"GET http://x/y HTTP/1.1", b"GET /broken HTTP/1.1", b"GET /status/204 HTTP/1.1", b"M-SEARCH * HTTP/1.1",
        b"GET / HTTP/2.0", b"PRI * HTTP/2.0", b"GET\t/ HTTP/1.1",
    ]
)  # fmt: skip
BODIES = st.sampled_from(
    [
        b"",
        b"abc",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"a\r\n5\r\nhello\r\n\r\n0\r\n\r\n",
        b"0\r\nA: b\r\n\r\n",
    ]
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Something like a request: each part is plausible, the whole need not be."""
    head = [draw(LINES), *draw(st.lists(HEADERS, max_size=6))]
    return b"\r\n".join(head) + b"\r\n\r\n" + draw(BODIES)


FAILURES: list[logging.LogRecord] = []


class Collector(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        FAILURES.append(record)


@pytest.fixture(scope="module", autouse=True)
def collected() -> Iterator[None]:
    """An exception inside the gateway is a failure, even where the client gets an answer."""
    logger, collector = logging.getLogger("cloudlet.gateway"), Collector(logging.ERROR)
    logger.addHandler(collector)
    yield
    logger.removeHandler(collector)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    directory: Path = tmp_path_factory.mktemp("fuzzed")
    server = RunningServer(directory)
    yield server
    server.close()


def survives(server: RunningServer, pieces: list[bytes]) -> None:
    with server.connect() as peer, contextlib.suppress(ConnectionError):
        for piece in pieces:
            peer.send(piece)
        with contextlib.suppress(OSError):  # the server may have closed already
            peer.socket.shutdown(socket.SHUT_WR)
        peer.rest()
    assert not [record for record in FAILURES if record.exc_info and "broken on purpose" not in str(record.exc_info[1])]
    with server.connect() as peer:
        peer.send(b"GET /alive HTTP/1.1\r\nHost: a\r\n\r\n")
        assert peer.answer().body == b"/alive"
    server.until(lambda: not server.server.connections)


@USUAL
@given(st.lists(st.binary(max_size=300), max_size=4))
def test_arbitrary_bytes_do_no_harm(fuzzed: RunningServer, pieces: list[bytes]) -> None:
    survives(fuzzed, pieces)


@USUAL
@given(st.lists(messages(), min_size=1, max_size=4), st.integers(0, 2**32))
def test_almost_requests_do_no_harm(fuzzed: RunningServer, requests: list[bytes], seed: int) -> None:
    """Also cut into pieces at arbitrary places, as networks do."""
    data = b"".join(requests)
    cuts = sorted(random.Random(seed).sample(range(len(data)), min(3, len(data))))
    survives(fuzzed, [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)])


@USUAL
@given(st.integers(0, 200), st.integers(0, 255))
def test_one_wrong_byte_does_no_harm(fuzzed: RunningServer, position: int, byte: int) -> None:
    data = bytearray(
        b"PUT /spool?x=1 HTTP/1.1\r\nHost: localhost\r\nX-Amz-Decoded-Content-Length: 5\r\nContent-Length: 15\r\n"
        b"X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    data[position % len(data)] = byte
    survives(fuzzed, [bytes(data)])
