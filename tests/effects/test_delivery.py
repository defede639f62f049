"""Deliveries to a real HTTP server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cloudlet.emulator.effects.delivery import DeliveryFailed, HttpxDelivery, RecordedDelivery


class Receiver(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    received: list[tuple[str, str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["X-Test"], body))  # type: ignore[attr-defined]
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.received = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_status_comes_back_whatever_it_is(receiver: HTTPServer) -> None:
    async def send_all() -> list[int]:
        delivery = HttpxDelivery()
        url = f"http://127.0.0.1:{receiver.server_port}"
        found = [
            await delivery.send("POST", f"{url}/{status}", {"X-Test": "a"}, b"body") for status in (200, 302, 404, 503)
        ]
        await delivery.close()
        return found

    assert asyncio.run(send_all()) == [200, 302, 404, 503]
    assert receiver.received == [(f"/{status}", "a", b"body") for status in (200, 302, 404, 503)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://no-such-host.invalid/", "nonsense", "http://[bad"])
def test_an_address_that_does_not_answer_fails(url: str) -> None:
    async def send() -> None:
        delivery = HttpxDelivery()
        try:
            await delivery.send("POST", url, {}, b"", timeout_seconds=2)
        finally:
            await delivery.close()

    with pytest.raises(DeliveryFailed, match="POST"):
        asyncio.run(send())


def test_the_recorded_delivery_answers_in_turn() -> None:
    async def send_all() -> list[int]:
        delivery = RecordedDelivery(500, 200)
        found = [await delivery.send("POST", "http://x/", {"a": "b"}, b"c") for _ in range(3)]
        assert delivery.sent == [("POST", "http://x/", {"a": "b"}, b"c")] * 3
        return found

    assert asyncio.run(send_all()) == [500, 200, 200]
