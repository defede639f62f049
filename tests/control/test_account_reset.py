"""A forgotten password."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts.tables import EmailToken
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from tests.control.mailbox import link_in, mails_to
from tests.control.people import post
from tests.control.serving import RunningPlatform

OLD = "four unrelated sunny words"
NEW = "an entirely different phrase"


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, password=OLD)


@pytest.fixture
def client(platform: RunningPlatform) -> Iterator[httpx.Client]:
    with platform.client() as opened:
        yield opened


def sign_in(client: httpx.Client, email: str, password: str) -> int:
    return post(client, "/sign-in", email=email, password=password).status_code


def test_a_mailed_link_sets_a_new_password_and_ends_every_session(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    with platform.client() as elsewhere:
        assert sign_in(elsewhere, member.email, OLD) == 303
        assert "a link is on its way" in post(client, "/reset", email=member.email.upper()).text
        link = link_in(platform, member.email, "/reset")
        assert sign_in(client, member.email, OLD) == 303
        weak = post(client, link, new="password12345")
        assert (weak.status_code, "unrelated words" in weak.text) == (422, True)
        answer = post(client, link, new=NEW)
        assert answer.headers["location"] == "/sign-in?done=reset"
        assert elsewhere.get("/account").headers["location"].startswith("/sign-in")
        assert client.get("/account").headers["location"].startswith("/sign-in")
    assert "new password is set" in client.get("/sign-in?done=reset").text
    assert sign_in(client, member.email, OLD) == 401
    assert sign_in(client, member.email, NEW) == 303
    assert post(client, link, at="/account", new=OLD).status_code == 410
    assert mails_to(platform, member.email)[0].startswith("Your password was changed")
    with platform.database.snapshot() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.workspace_id == member.workspace_id)).all()
    assert "account.password_reset" in actions


def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    unknown = "x" + member.email
    unknown_page, known_page = (post(client, "/reset", email=address).text for address in (unknown, member.email))
    assert known_page.replace(member.email, "") == unknown_page.replace(unknown, "")
    link_in(platform, member.email, "/reset")  # mailed after the answer, and so would be one for the address before it
    assert mails_to(platform, unknown) == []


def test_only_the_newest_link_works_and_only_for_a_while(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    post(client, "/reset", email=member.email)
    first = link_in(platform, member.email, "/reset")
    post(client, "/reset", email=member.email)
    second = link_in(platform, member.email, "/reset", but=first)
    assert client.get(first).status_code == 410
    assert client.get(second).status_code == 200
    assert client.get(second.replace("/reset/", "/sign-in/link/")).status_code == 410
    with platform.database.transaction() as session:
        session.execute(update(EmailToken).values(expires_at=platform.platform.now()))
    assert client.get(second).status_code == 410


def test_too_many_wrong_passwords_are_stopped_until_the_owner_resets_it(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    answers = [sign_in(client, member.email, "wrong") for _ in range(11)]
    assert answers == [401] * 10 + [429]
    stopped = post(client, "/sign-in", email=member.email, password=OLD)
    assert stopped.status_code == 429
    assert int(stopped.headers["retry-after"]) > 0
    assert "Try again in" in stopped.text
    assert sign_in(client, "nobody-" + member.email, "wrong") == 401
    post(client, "/reset", email=member.email)
    assert post(client, link_in(platform, member.email, "/reset"), new=NEW).status_code == 303
    assert sign_in(client, member.email, NEW) == 303


def test_who_signs_in_gets_their_tries_back(client: httpx.Client, member: BootstrapResult) -> None:
    for _ in range(3):
        assert [sign_in(client, member.email, "wrong") for _ in range(8)] == [401] * 8
        assert sign_in(client, member.email, OLD) == 303
