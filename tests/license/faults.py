"""A server that does what it is told, byte by byte: the license server's answers, and everything that goes wrong."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Behaviour = Callable[[socket.socket, bytes], None]


class FaultServer:
    """`url` ends in /v1. Each connection's whole request goes to `behave` (and is remembered in `requests`)."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None, *, listens: bool = True) -> None:
        self.behave = behave
        self.listens = listens
        self.tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/v1"
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(60)
            with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as wrapped:
                request = read_request(wrapped) if self.listens else b""
                if request or not self.listens:  # who only looked at the certificate asked nothing
                    self.requests.append(request)
                    self.behave(wrapped, request)
        except OSError:
            return
        finally:
            connection.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@contextmanager
def faults(behave: Behaviour, tls: ssl.SSLContext | None = None, *, listens: bool = True) -> Iterator[FaultServer]:
    """`listens=False`: behave at once, whatever the client says."""
    server = FaultServer(behave, tls, listens=listens)
    try:
        yield server
    finally:
        server.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: str, body: bytes | Any = b"", kind: str = "application/json", **headers: str) -> Behaviour:
    """A whole HTTP answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n{more}\r\n"
    return lambda connection, _request: connection.sendall(head.encode() + raw)


def silence(connection: socket.socket, _request: bytes) -> None:
    """Takes the request and says nothing until the client hangs up."""
    connection.recv(1)


def hang_up(_connection: socket.socket, _request: bytes) -> None:
    return


def half(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")


def drip(connection: socket.socket, _request: bytes) -> None:
    """An answer that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


def noise(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


def endless(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def verdict(status: str, message: str, **members: str) -> Behaviour:
    return answer(status, {"error": True, "message": message, **members})
