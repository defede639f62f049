"""The account page: password and sessions."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts.service import find_user
from cloudlet.control.accounts.tables import WebSession
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.workspaces.service import add_member
from tests.control.people import post, sign_in
from tests.control.serving import RunningPlatform

FIRST = "correct horse battery"
SECOND = "another staple entirely"


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email)


@pytest.fixture
def client(platform: RunningPlatform, member: BootstrapResult):
    with platform.client() as opened:
        sign_in(opened, member)
        yield opened


def set_password(client: httpx.Client, new: str, current: str = "") -> httpx.Response:
    return post(client, "/account/password", at="/account", new=new, current=current)


def try_password(client: httpx.Client, email: str, password: str) -> int:
    return post(client, "/sign-in", email=email, password=password).status_code


def test_a_password_is_set_then_changed_and_only_the_new_one_works(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    answer = set_password(client, FIRST)
    assert "Your password is set" in client.get(answer.headers["location"]).text
    with platform.client() as other:
        assert try_password(other, member.email, FIRST) == 303
        assert set_password(client, SECOND, "wrong").status_code == 403
        assert set_password(client, SECOND).status_code == 403
        assert other.get("/account").status_code == 200
        assert set_password(client, SECOND, FIRST).status_code == 303
        assert other.get("/account").status_code == 303  # signed out with the old password
        assert client.get("/account").status_code == 200
        assert try_password(other, member.email, FIRST) == 401
        assert try_password(other, member.email, SECOND) == 303
    with platform.database.snapshot() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.workspace_id == member.workspace_id)).all()
    assert actions.count("account.password_changed") == 2


@pytest.mark.parametrize("weak", ["", "short", "x" * 201, "password1234", "qwertyuiop[]", "x" * 40])
def test_weak_passwords_are_refused(client: httpx.Client, weak: str) -> None:
    answer = set_password(client, weak)
    assert answer.status_code == 422
    assert "for example four unrelated words" in answer.text


def test_the_first_password_wants_a_fresh_sign_in(platform: RunningPlatform, client: httpx.Client) -> None:
    with platform.database.transaction() as session:
        session.execute(update(WebSession).values(sudo_until=None))
    answer = set_password(client, FIRST)
    assert answer.status_code == 422
    assert "new sign-in link" in answer.text


def test_browsers_are_listed_and_signed_out(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    set_password(client, FIRST)
    with platform.client() as other:
        other.headers["user-agent"] = "Grace's <b>browser"
        post(other, "/sign-in", email=member.email, password=FIRST)
        page = client.get("/account").text
        assert "Grace&#39;s &lt;b&gt;browser" in page
        path = page.split('action="/account/sessions/ses_')[1].split('"')[0]
        assert post(client, "/account/sessions/ses_" + path, at="/account").status_code == 303
        assert other.get("/account").status_code == 303
        post(other, "/sign-in", email=member.email, password=FIRST)
        assert post(client, "/account/sessions/close-others", at="/account").status_code == 303
        assert other.get("/account").status_code == 303
    assert client.get("/account").status_code == 200


def test_nobody_signs_out_somebody_else(
    platform: RunningPlatform, client: httpx.Client, new_email: Callable[[], str]
) -> None:
    stranger = platform.bootstrap(new_email())
    with platform.client() as other:
        sign_in(other, stranger)
        with platform.database.snapshot() as session:
            newest = session.scalars(select(WebSession.id).order_by(WebSession.id.desc())).first()
        assert post(client, f"/account/sessions/{newest}/close", at="/account").status_code == 404
        assert other.get("/account").status_code == 200


def test_switching_shows_the_other_workspace_with_its_own_license(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult, new_email: Callable[[], str]
) -> None:
    host, stranger = platform.bootstrap(new_email(), workspace="Host Ltd"), platform.bootstrap(new_email())
    with platform.database.transaction() as session:
        user = find_user(session, member.email)
        assert user is not None
        add_member(session, platform.platform, host.workspace_id, user, role="member")
    switch = "/workspace/switch/"
    assert f"{switch}{host.workspace_id}" in client.get("/account").text
    assert post(client, switch + stranger.workspace_id, at="/account").status_code == 404
    assert "14 days left" in client.get("/workspace/my-license").text
    assert post(client, switch + host.workspace_id, at="/account").status_code == 303
    page = client.get("/workspace/my-license").text
    assert "<strong>Host Ltd</strong>" in page
    assert "No license is assigned to you" in page
    assert post(client, switch + member.workspace_id, at="/account").status_code == 303
    assert "14 days left" in client.get("/workspace/my-license").text
