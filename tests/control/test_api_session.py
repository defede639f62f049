"""Signing in through the API, with a second factor too; oneself and one's sessions."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pyotp
import pytest

from cloudlet.control.accounts.second_factor import offer, turn_on
from tests.control.api import problem, session_client, viewer_of
from tests.control.serving import RunningPlatform

PASSWORD = "quartz orbit meadow lantern"


@pytest.fixture
def person(platform: RunningPlatform, email: str) -> str:
    platform.bootstrap(email, password=PASSWORD)
    return email


@pytest.fixture
def client(platform: RunningPlatform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{platform.url}/api/v1") as client:
        yield client


def test_a_program_signs_in_acts_and_signs_out(client: httpx.Client, person: str) -> None:
    made = client.post("/session", json={"email": person, "password": PASSWORD})
    assert made.status_code == 201, made.text
    assert "httponly" in made.headers["set-cookie"].lower()
    assert made.json()["sudo"] is True
    client.headers["x-csrf-token"] = made.json()["csrf_token"]
    assert client.get("/session").json()["csrf_token"] == made.json()["csrf_token"]
    assert client.get("/users/me").json()["email"] == person
    workspace = client.get("/workspaces").json()["items"][0]["id"]
    revealed = client.post(f"/workspaces/{workspace}/tokens/auth/reveal", json={})
    assert revealed.json()["token"].startswith("ls-")
    assert client.delete("/session").status_code == 204
    assert problem(client.get("/session")) == (401, "session.required")


def test_a_wrong_password_tells_nothing_and_runs_out(client: httpx.Client, person: str) -> None:
    wrong = client.post("/session", json={"email": person, "password": "wrong"})
    unknown = client.post("/session", json={"email": "nobody@example.com", "password": "wrong"})
    assert problem(wrong) == problem(unknown) == (401, "session.credentials")
    answers = [client.post("/session", json={"email": person, "password": "wrong"}) for _ in range(12)]
    assert problem(answers[-1]) == (429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert client.post("/session", json={"email": person, "password": PASSWORD}).status_code == 429


def test_a_second_factor_is_asked_for(platform: RunningPlatform, client: httpx.Client, person: str) -> None:
    user_id = viewer_of(platform, person).user_id
    with platform.database.transaction() as session:
        secret = offer(session, platform.platform, user_id).key.replace(" ", "")
        recovery = turn_on(session, platform.platform, user_id, pyotp.TOTP(secret).now())
    body = {"email": person, "password": PASSWORD}
    assert problem(client.post("/session", json=body)) == (401, "session.code_required")
    assert problem(client.post("/session", json={**body, "code": "000000"}))[1] == "session.code"
    assert client.post("/session", json={**body, "code": recovery[0]}).status_code == 201
    assert client.get("/users/me/2fa").json() == {"enabled": True, "recovery_codes_left": 9}


def test_other_browsers_can_be_signed_out(platform: RunningPlatform, person: str) -> None:
    with (
        session_client(platform, platform.bootstrap(person)) as here,
        session_client(platform, platform.bootstrap(person)) as there,
    ):
        rows = here.get("/users/me/sessions").json()["items"]
        other = next(row["id"] for row in rows if not row["current"])
        assert here.delete(f"/users/me/sessions/{other}").status_code == 204
        assert there.get("/session").status_code == 401
        assert problem(here.delete(f"/users/me/sessions/{other}")) == (404, "not_found")
        assert here.delete("/users/me/sessions").status_code == 204
        assert here.get("/session").status_code == 200


def test_without_a_moment_ago_the_password_is_asked_for(
    platform: RunningPlatform, client: httpx.Client, person: str
) -> None:
    made = client.post("/session", json={"email": person, "password": PASSWORD})
    client.headers["x-csrf-token"] = made.json()["csrf_token"]
    with platform.database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE sessions SET sudo_until = NULL")
    path = f"/workspaces/{viewer_of(platform, person).workspace_id}/tokens/auth"
    assert problem(client.post(f"{path}/reveal", json={})) == (403, "session.sudo_required")
    assert problem(client.post(f"{path}/reset", json={"confirm": "reset", "password": "wrong"})) == (
        403,
        "session.password",
    )
    assert problem(client.post(f"{path}/reset", json={"confirm": "yes", "password": PASSWORD})) == (422, "form.invalid")
    assert client.post(f"{path}/reset", json={"confirm": "reset", "password": PASSWORD}).status_code == 200


def test_a_form_of_another_site_signs_nobody_in(client: httpx.Client, person: str) -> None:
    answer = client.post("/session", data={"email": person, "password": PASSWORD})
    assert problem(answer) == (415, "body.type")
