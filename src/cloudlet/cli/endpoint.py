"""Talking to a running emulator, with the standard library alone: the command line has to be quick."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import orjson

from cloudlet.settings import Address, Settings

HEALTH = "/_localstack/health"
INFO = "/_localstack/info"
POLL_SECONDS = 0.03


def reachable_url(address: Address, scheme: str = "http") -> str:
    """The URL by which this machine reaches a server that listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address.host, address.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{scheme}://{host}:{address.port}"


def emulator_url(settings: Settings) -> str:
    return reachable_url(settings.gateway_listen[0])


def get_json(url: str, path: str, seconds: float = 2.0) -> dict[str, Any] | None:
    """The JSON object at the path; None when nobody answers, or something else does."""
    answer = exchange(url, "GET", path, seconds=seconds)
    if answer is None or answer[0] != 200:
        return None
    try:
        document = orjson.loads(answer[1])
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def post_json(url: str, path: str, document: dict[str, Any]) -> bool:
    """Whether the server took it (2xx)."""
    answer = exchange(url, "POST", path, orjson.dumps(document))
    return answer is not None and 200 <= answer[0] < 300


def exchange(
    url: str, method: str, path: str, body: bytes | None = None, seconds: float = 2.0
) -> tuple[int, bytes] | None:
    """Status and body of one request; None when there is no HTTP server."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=seconds)
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_emulator(health: dict[str, Any] | None) -> bool:
    """Whether a health answer is an emulator's."""
    return health is not None and isinstance(health.get("services"), dict)


def wait_until(ready: Callable[[], bool], seconds: float | None, broken: Callable[[], bool] = lambda: False) -> bool:
    """Ask again and again; False when the time is up or `broken` says that it never will be."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while not ready():
        if broken() or (deadline is not None and time.monotonic() > deadline):
            return False
        time.sleep(POLL_SECONDS)
    return True
