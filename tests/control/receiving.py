"""A real receiver of webhooks, and Cloudlet's own rule for checking signatures, as docs/webhooks.md gives it."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from cloudlet.control.webhooks.signature import RECEIVER_EXAMPLE
from tests.conftest import ROOT


class Received(msgspec.Struct, frozen=True):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receiver:
    """Listens on `url`, with `tls` on https://localhost. `status` is what it answers; `before_answer` runs before it does, such as to be slow."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.status = 200
        self.received: list[Received] = []
        self.before_answer: Callable[[], object] = lambda: None
        self.headers: dict[str, str] = {}
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(Received(self.path, dict(self.headers), body))
                receiver.before_answer()
                try:
                    self.send_response(receiver.status)
                    for name, value in receiver.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # who asked has gone

            def do_GET(self) -> None:
                receiver.take(Received(self.path, dict(self.headers), b""))

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://{host}:{self._server.server_address[1]}/hooks?key=k3y"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, what: Received) -> None:
        with self._arrived:
            self.received.append(what)
            self._arrived.notify_all()

    def wait_for(self, count: int) -> list[Received]:
        """Until so many have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, timeout=60), self.received
        return list(self.received)

    @property
    def types(self) -> list[str]:
        return [found.event["type"] for found in self.received]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def documented_check() -> Callable[[str, bytes, str, float], bool]:
    """The function of the page, as a reader would copy it."""
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found
    assert found[1] == RECEIVER_EXAMPLE
    names: dict[str, Any] = {}
    exec(found[1], names)  # the page's own example
    check: Callable[[str, bytes, str, float], bool] = names["is_from_cloudlet"]
    return check


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
