"""Behind a real proxy: whose word about the client's address counts, and where that address is used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from cloudlet.control.activations.tables import Activation
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.tables import WebSession
from cloudlet.settings import SettingError, read_platform_settings
from tests.control.people import post, sign_in
from tests.control.serving import RunningPlatform


@contextmanager
def proxy(target: str, client: str) -> Iterator[str]:
    """Appends `client` to X-Forwarded-For, as if that were who connected."""

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = self.headers.get("X-Forwarded-For")
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}
            }
            headers["X-Forwarded-For"] = f"{said}, {client}" if said else client
            answer = httpx.request(self.command, target + self.path, headers=headers, content=body)
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name not in {"transfer-encoding", "content-encoding", "content-length", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def do_GET(self) -> None:
            self.forward()

        def do_POST(self) -> None:
            self.forward()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RunningPlatform]]:
    started: list[RunningPlatform] = []

    def start_one(**variables: str) -> RunningPlatform:
        started.append(RunningPlatform(tmp_path, **variables))
        return started[-1]

    yield start_one
    for running in started:
        running.close()


def ask(url: str, token: str, **headers: str) -> httpx.Response:
    body = {
        "credentials": {"type": "licensing-auth-token", "token": token},
        "product": {"name": "localstack-pro", "version": "2026.8.2"},
        "machine": {"id": "gen_0123456789ab", "cli": True, "ci": False, "system": "Linux"},
    }
    return httpx.post(f"{url}/v1/license/request", json=body, headers=headers)


def addresses(platform: RunningPlatform) -> list[str]:
    with platform.database.snapshot() as session:
        return list(session.scalars(select(Activation.ip).order_by(Activation.id)))


def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(start: Callable[..., RunningPlatform]) -> None:
    platform = start(PLATFORM_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8, fd00::/8")
    company = platform.bootstrap()
    with proxy(platform.url, "198.51.100.7") as outer, proxy(platform.url, "10.1.2.3") as inner:
        assert ask(outer, company.token).status_code == 200
        assert ask(outer, company.token, **{"X-Forwarded-For": "203.0.113.9"}).status_code == 200, "a lie"
        assert ask(inner, company.token, **{"X-Forwarded-For": "198.51.100.8"}).status_code == 200, "two proxies"
        assert addresses(platform) == ["198.51.100.7", "198.51.100.7", "198.51.100.8"]
        with httpx.Client(base_url=outer) as browser:
            sign_in(browser, company)
            assert post(browser, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens").status_code == 200
    with platform.database.snapshot() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "credential.revealed")).one()
        assert entry.ip == "198.51.100.7"
        assert session.scalars(select(WebSession.ip)).all() == ["198.51.100.7"]


def test_limits_count_clients_and_not_their_proxy(start: Callable[..., RunningPlatform]) -> None:
    platform = start(PLATFORM_LICENSE_RATE_PER_ADDRESS="1", PLATFORM_LICENSE_RATE_PER_TOKEN="0")
    company = platform.bootstrap()
    with proxy(platform.url, "198.51.100.7") as one, proxy(platform.url, "198.51.100.8") as other:
        assert ask(one, company.token).status_code == 200
        assert any(ask(one, company.token).status_code == 429 for _ in range(400))
        assert ask(other, company.token).status_code == 200


def test_nobody_else_is_believed(start: Callable[..., RunningPlatform]) -> None:
    platform = start(PLATFORM_TRUSTED_PROXIES="10.0.0.0/8")
    company = platform.bootstrap()
    with proxy(platform.url, "198.51.100.7") as stranger:
        assert ask(stranger, company.token).status_code == 200
    assert addresses(platform) == ["127.0.0.1"]


@pytest.mark.parametrize("value", ["*", "10.0.0.0/33", "10.0.0.1/8", "proxy.example.com"])
def test_what_is_no_network_is_said_at_the_start(value: str) -> None:
    with pytest.raises(SettingError, match="PLATFORM_TRUSTED_PROXIES"):
        read_platform_settings({"PLATFORM_TRUSTED_PROXIES": value})
