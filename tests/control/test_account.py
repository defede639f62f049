"""The account page: password and sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts.browsers import in_words
from cloudlet.control.accounts.service import find_user
from cloudlet.control.accounts.tables import WebSession
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.workspaces.service import add_member
from tests.control.mailbox import link_in, mails_to
from tests.control.people import post, sign_in
from tests.control.serving import RunningPlatform

FIRST = "correct horse battery"
SECOND = "another staple entirely"


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email)


@pytest.fixture
def client(platform: RunningPlatform, member: BootstrapResult) -> Iterator[httpx.Client]:
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
    assert answer.status_code == 403
    assert "Sign in again as you did" in answer.text
    assert 'href="/sign-in?next=/account">Sign in again</a>' in answer.text


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


def change_email(client: httpx.Client, new: str, password: str = FIRST) -> httpx.Response:
    return post(client, "/account/email", at="/account", email=new, password=password)


def test_a_name_is_changed_and_shown_to_others(client: httpx.Client, member: BootstrapResult) -> None:
    answer = post(client, "/account/profile", at="/account", name="  Grace   <i>Hopper ")
    assert answer.headers["location"] == "/account?done=name"
    assert "Grace &lt;i&gt;Hopper" in client.get("/workspace/members").text
    empty = post(client, "/account/profile", at="/account", name=" ")
    assert (empty.status_code, "Tell us your name" in empty.text) == (422, True)


def test_an_address_changes_when_its_mail_is_opened_and_the_old_one_is_told(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    set_password(client, FIRST)
    new = "new-" + member.email
    assert change_email(client, new, "wrong").status_code == 403
    assert change_email(client, "nonsense").status_code == 422
    assert change_email(client, member.email).status_code == 422
    assert change_email(client, new).headers["location"] == "/account?done=mailed"
    link = link_in(platform, new, "/account/email")
    assert member.email in client.get("/account").text
    with platform.client() as phone:
        assert f"<strong>{new}</strong>" in phone.get(link).text
        assert post(phone, link).headers["location"] == "/sign-in?done=email"
        assert try_password(phone, member.email, FIRST) == 401
        assert try_password(phone, new, FIRST) == 303
        assert post(phone, link, at="/account").status_code == 410
    page = client.get("/account").text
    assert new in page
    assert mails_to(platform, member.email)[0].startswith("Your e-mail address was changed")
    with platform.database.snapshot() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.workspace_id == member.workspace_id)).all()
    assert "account.email_changed" in actions


def test_an_address_that_has_an_account_is_not_taken_from_it(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult, new_email: Callable[[], str]
) -> None:
    set_password(client, FIRST)
    owner = platform.bootstrap(new_email())
    assert change_email(client, owner.email).headers["location"] == "/account?done=mailed"
    (mail,) = mails_to(platform, owner.email)
    assert mail.startswith("You have a Cloudlet account already")
    assert "/account/email/" not in mail
    late = new_email()
    change_email(client, late)
    link = link_in(platform, late, "/account/email")
    platform.bootstrap(late)
    assert post(client, link).status_code == 410
    assert member.email in client.get("/account").text


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
            "Safari/537.36 Edg/141.0.3537.71",
            "Edge 141 on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox 145 on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/26.0 Mobile/15E148 Safari/604.1",
            "Safari 26 on iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/26.1 Safari/605.1.15",
            "Safari 26 on macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile "
            "Safari/537.36",
            "Chrome 141 on Android",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
            "Chrome 141 on ChromeOS",
        ),
        ("curl/8.14.1", "curl 8"),
        ("", "Unknown browser"),
        ("x" * 100, "x" * 59 + "…"),
    ],
)
def test_browsers_are_told_in_words(header: str, words: str) -> None:
    assert in_words(header) == words
