"""kill -9 of a control plane on SQLite while it gives licenses: what it answered is still there afterwards."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from sqlalchemy import select, text

from cloudlet.control.activations.tables import Activation
from cloudlet.control.audit.service import first_broken
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.tables import Credential
from tests.control.people import csrf, post, sign_in
from tests.control.serving import RunningPlatform

ROUNDS = 3
CALLERS = 4
ANSWERS = 25  # of a round, before the kill


class Callers:
    """They ask until nobody answers. `acknowledged` has the id of each request that was answered with a license."""

    def __init__(self, platform: RunningPlatform, token: str) -> None:
        self.platform = platform
        self.token = token
        self.acknowledged: list[str] = []
        self.enough = threading.Event()

    def ask(self) -> None:
        while True:
            try:
                answer = self.platform.request_license(self.token)
            except httpx.TransportError:
                return
            assert answer.status_code == 200, answer.text
            self.acknowledged.append(answer.headers["X-Request-Id"])
            if len(self.acknowledged) >= ANSWERS:
                self.enough.set()


def make_keys(platform: RunningPlatform, company: BootstrapResult, made: list[str], number: int) -> None:
    """A person at a browser, who creates one CI key after the other."""
    with platform.client() as client:
        sign_in(client, platform.bootstrap(company.email))
        form = csrf(client.get("/workspace/ci-keys").text)
        try:
            for count in range(10_000):
                name = f"key {number}.{count}"
                answer = client.post("/workspace/ci-keys", data={"_csrf_token": form, "name": name, "days": "30"})
                assert answer.status_code < 400, answer.text
                made.append(name)
        except httpx.TransportError:
            return


def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    platform = RunningPlatform(
        tmp_path, PLATFORM_LICENSE_RATE_PER_TOKEN="0", PLATFORM_LICENSE_RATE_PER_ADDRESS="0", PLATFORM_SIGNUP="closed"
    )
    try:
        company = platform.bootstrap()
        asked: list[str] = []
        made: list[str] = []
        for number in range(ROUNDS):
            callers = Callers(platform, company.token)
            with ThreadPoolExecutor(CALLERS + 1) as pool:
                jobs = [pool.submit(callers.ask) for _ in range(CALLERS)]
                jobs.append(pool.submit(make_keys, platform, company, made, number))
                enough = callers.enough.wait(120)
                platform.process.kill()
                platform.process.wait()
                for job in jobs:
                    job.result()
            assert enough
            asked += callers.acknowledged
            platform.start()
        with platform.database.snapshot() as session:
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            kept = set(session.scalars(select(Activation.request_id)))
            names = set(session.scalars(select(Credential.name).where(Credential.kind == "ci")))
            assert first_broken(session, company.workspace_id) is None
        assert set(asked) - kept == set()
        assert set(made) - names == set()
        assert len(asked) >= ROUNDS * ANSWERS
        assert platform.request_license(company.token).status_code == 200
        with platform.client() as client:
            sign_in(client, platform.bootstrap(company.email))
            assert post(client, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens").status_code == 200
    finally:
        platform.close()
