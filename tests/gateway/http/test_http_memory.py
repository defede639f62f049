"""Large bodies pass through a real process in both directions, and its memory stays flat."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.http.serving import Peer

ROOT = Path(__file__).resolve().parents[3]
MEBIBYTE = 1024 * 1024
BODY_BYTES = 300 * MEBIBYTE
MAY_GROW_BYTES = 24 * MEBIBYTE


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """(process id, port) of a server of its own."""
    command = [sys.executable, "-m", "tests.gateway.http.memory_server", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.pid, int(server.stdout.readline())
        server.terminate()


def peak_memory(pid: int) -> int:
    """The most that the process has had resident so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def warm_up(port: int) -> None:
    with Peer(socket.create_connection(("127.0.0.1", port), timeout=60)) as peer:
        peer.send(b"PUT /spool HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        assert peer.answer().status == 200


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("coding", ["plain", "aws-chunked"])
def test_memory_is_flat_while_300_mb_come_in(process: tuple[int, int], coding: str) -> None:
    pid, port = process
    warm_up(port)
    before = peak_memory(pid)
    piece, digest = bytes(range(256)) * 4096, hashlib.sha256()
    coded = b"%x\r\n%b\r\n" % (len(piece), piece) if coding == "aws-chunked" else piece
    end = b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n" if coding == "aws-chunked" else b""
    count = BODY_BYTES // len(piece)
    head = f"PUT /spool HTTP/1.1\r\nHost: a\r\nContent-Length: {len(coded) * count + len(end)}\r\n"
    if coding == "aws-chunked":
        head += f"X-Amz-Content-Sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nX-Amz-Decoded-Content-Length: {BODY_BYTES}\r\n"
    with Peer(socket.create_connection(("127.0.0.1", port), timeout=60)) as peer:
        peer.send(head.encode() + b"\r\n")
        for _ in range(count):
            peer.send(coded)
            digest.update(piece)
        peer.send(end)
        assert peer.answer().body.decode() == f"FileBody {BODY_BYTES} {digest.hexdigest()}"
    assert peak_memory(pid) - before < MAY_GROW_BYTES


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_while_300_mb_go_out(process: tuple[int, int], tmp_path: Path) -> None:
    pid, port = process
    warm_up(port)
    with (tmp_path / "file").open("wb") as file:
        file.truncate(BODY_BYTES)
    before = peak_memory(pid)
    with Peer(socket.create_connection(("127.0.0.1", port), timeout=60)) as peer:
        for path in (f"file?name=file&start=0&length={BODY_BYTES}", f"pieces?count=300&size={MEBIBYTE}"):
            peer.send(f"GET /{path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
            assert peer.line() == b"HTTP/1.1 200 OK\r\n"
            while peer.line() != b"\r\n":
                pass
            left = BODY_BYTES
            while left:
                left -= len(peer.file.read(min(left, MEBIBYTE)))
    assert peak_memory(pid) - before < MAY_GROW_BYTES
