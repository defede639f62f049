"""What LocalStack's clients ask beside licenses, and the two questions about licenses that use nothing up."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, inspect, select, text, update

from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.licenses.tables import License
from tests.control.serving import RunningPlatform
from tests.control.test_secrets import everything_in


def basic(token: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f":{token}".encode()).decode()}


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email)


@pytest.mark.parametrize("path", ["/v1/cloudpods", "/v1/cloudpods?creator=me", "/v1/compute/instances"])
def test_lists_are_empty_and_bare(platform: RunningPlatform, member: BootstrapResult, path: str) -> None:
    for headers in (basic(member.token), {"ls-api-key": member.token, "ls-version": "3.0.0"}):
        answer = httpx.get(platform.url + path, headers=headers)
        assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/cloudpods/app", 404, "not_found"),
        ("PATCH", "/v1/cloudpods/app", 404, "not_found"),
        ("DELETE", "/v1/cloudpods/app", 404, "not_found"),
        ("POST", "/v1/cloudpods/app", 403, "generic.forbidden"),
        ("PUT", "/v1/cloudpods/app", 403, "generic.forbidden"),
        ("POST", "/v1/cloudpods", 403, "generic.forbidden"),
        ("POST", "/v1/compute/instances", 403, "generic.forbidden"),
        ("GET", "/v1/compute/instances/one", 404, "not_found"),
        ("GET", "/v1/compute/instances/one/logs", 404, "not_found"),
        ("DELETE", "/v1/compute/instances/one", 404, "not_found"),
    ],
)
def test_what_is_not_offered_says_so(
    platform: RunningPlatform, member: BootstrapResult, method: str, path: str, status: int, code: str
) -> None:
    answer = httpx.request(method, platform.url + path, headers=basic(member.token))
    assert (answer.status_code, answer.json()["error"], answer.json()["message"]) == (status, True, code)
    wrong = member.token[:-1] + ("0" if member.token[-1] != "0" else "1")
    for headers in ({}, basic(wrong), {"authorization": "Basic !"}, {"ls-api-key": "x"}):
        refused = httpx.request(method, platform.url + path, headers=headers)
        assert (refused.status_code, refused.json()["message"]) == (401, "credentials.invalid")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_signing_in_by_password_is_gone_and_says_what_to_do(platform: RunningPlatform, method: str) -> None:
    answer = httpx.request(method, f"{platform.url}/v1/user/signin", json={"username": "a@b.c", "password": "hunter2"})
    assert (answer.status_code, answer.json()["message"]) == (410, "auth.signin.gone")
    assert "set-token" in answer.json()["hint"]
    assert "hunter2" not in platform.printed()


def test_events_are_taken_and_thrown_away(platform: RunningPlatform, member: BootstrapResult) -> None:
    """LocalStack's Go client puts the whole token into `environment.auth_token_id`."""
    before = row_counts(platform)
    event = {"name": "lstk_command", "metadata": {}, "payload": {"environment": {"auth_token_id": member.token}}}
    answer = httpx.post(f"{platform.url}/v1/events", json={"events": [event]})
    assert (answer.status_code, answer.json()) == (200, {})
    assert httpx.post(f"{platform.url}/v1/events", content=b"\xff not JSON").status_code == 200
    assert row_counts(platform) == before
    assert member.token not in everything_in(platform) + platform.printed()


def row_counts(platform: RunningPlatform) -> dict[str, int]:
    with platform.database.engine.connect() as connection:
        return {
            name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
            for name in inspect(connection).get_table_names()
            if name not in {"leases", "rate_buckets"}  # the worker writes these at its own times
        }


def test_a_check_says_what_a_start_would_get_and_keeps_nothing(
    platform: RunningPlatform, member: BootstrapResult
) -> None:
    before = row_counts(platform)
    for _ in range(3):
        answer = platform.request_license(member.token, "check", machine={"ci": True, "ci_run": "run-1"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["ok"], answer.json()["plan"]) == (True, "trial")
        assert answer.json()["license_id"] == member.license_id
        assert answer.json()["offline_until"] < answer.json()["expires_at"]
    assert row_counts(platform) == before
    with platform.database.snapshot() as session:
        assert session.get_one(License, member.license_id).issue_seq == 0


def test_a_check_gives_the_verdict_of_a_request(platform: RunningPlatform, member: BootstrapResult) -> None:
    cases = (
        {"product": {"name": "else"}},
        {"product": {"version": "no version"}},
        {"credentials": {"token": "ls-nonsense"}},
        {"credentials": {"token": member.token[:-1] + ("0" if member.token[-1] != "0" else "1")}},
    )
    for change in cases:
        asked, checked = (platform.request_license(member.token, path, **change) for path in ("request", "check"))
        assert (checked.status_code, checked.json()["code"]) == (asked.status_code, asked.json()["code"])
    with platform.database.transaction() as session:
        session.execute(
            update(License).where(License.id == member.license_id).values(expires_at=platform.platform.now())
        )
    assert platform.request_license(member.token, "check").json()["code"] == "licensing.license.expired"


def grace(platform: RunningPlatform, machine: str) -> httpx.Response:
    body = {"machine": {"id": machine, "ci": False, "system": "Linux"}, "version": "4.12", "requesting_grace": True}
    return httpx.post(f"{platform.url}/v1/license/grace-period-check", json=body)


def test_there_is_no_grace_unless_the_operator_says_so(platform: RunningPlatform, member: BootstrapResult) -> None:
    platform.request_license(member.token, machine={"id": "gen_grace1"})
    answer = grace(platform, "gen_grace1")
    assert (answer.status_code, answer.json()["code"]) == (403, "licensing.grace.none")
    assert httpx.post(f"{platform.url}/v1/license/grace-period-check", content=b"[]").status_code == 400


@pytest.fixture(scope="module")
def graceful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    folder: Path = tmp_path_factory.mktemp("graceful")
    running = RunningPlatform(folder, PLATFORM_GRACE_DAYS="3")
    yield running
    running.close()


def test_grace_is_for_machines_that_were_activated_lately(graceful: RunningPlatform, email: str) -> None:
    member = graceful.bootstrap(email)
    assert grace(graceful, "gen_never").status_code == 403
    assert grace(graceful, "").status_code == 403
    graceful.request_license(member.token, machine={"id": "gen_lately"})
    assert grace(graceful, "gen_lately").json() == {"grace": True, "days": 3}
    with graceful.database.transaction() as session:
        machine = session.scalars(select(Machine).where(Machine.machine_id == "gen_lately")).one()
        machine.blocked_at = graceful.platform.now()
    assert grace(graceful, "gen_lately").status_code == 403
    with graceful.database.transaction() as session:
        session.execute(update(Machine).values(blocked_at=None))
        session.execute(update(Activation).values(at=graceful.platform.now() - timedelta(days=4)))
        assert session.scalar(select(func.count(Activation.id)).where(Activation.result_code == "ok")) == 1
    assert grace(graceful, "gen_lately").status_code == 403
