"""Signing up, confirming the address, and what strangers do not learn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from cloudlet.control.accounts.service import find_user
from cloudlet.control.accounts.tables import EmailToken
from tests.control.mailbox import link_in, mails_to, wait_printed
from tests.control.people import csrf, post
from tests.control.serving import RunningPlatform

PASSWORD = "four unrelated sunny words"
OTHER = "an entirely different phrase"


@pytest.fixture
def client(platform: RunningPlatform) -> Iterator[httpx.Client]:
    with platform.client() as opened:
        yield opened


def sign_up(client: httpx.Client, email: str, password: str = PASSWORD, name: str = "Grace Hopper") -> httpx.Response:
    return post(client, "/sign-up", name=name, email=email, password=password)


def sign_in(client: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    return post(client, "/sign-in", email=email, password=password)


def test_signing_up_and_confirming_signs_in_and_leads_to_a_first_workspace(
    platform: RunningPlatform, client: httpx.Client, email: str
) -> None:
    answer = sign_up(client, email)
    assert (answer.status_code, "Check your mail" in answer.text, email in answer.text) == (200, True, True)
    link = link_in(platform, email, "/verify")
    for _ in range(2):
        assert "Confirm your address" in client.get(link).text
    confirmed = post(client, link)
    assert confirmed.headers["location"] == "/getting-started"
    assert client.get("/getting-started").headers["location"] == "/workspaces/new"
    assert "Grace Hopper" in client.get("/account").text
    assert post(client, link, at="/account").status_code == 410
    wait_printed(platform, platform.url + link)


def test_an_unconfirmed_user_sees_nothing_but_the_way_to_another_mail(
    platform: RunningPlatform, client: httpx.Client, email: str
) -> None:
    sign_up(client, email)
    assert sign_in(client, email).status_code == 303
    for path in ("/account", "/getting-started", "/workspaces/new", "/workspace/members"):
        assert client.get(path).headers["location"] == "/verify"
    assert client.get("/api/v1/users/me").status_code in {401, 403}
    first = link_in(platform, email, "/verify")
    assert "We sent you another mail" in post(client, "/verify").text
    second = link_in(platform, email, "/verify")
    assert first != second
    assert post(client, second).status_code == 303
    assert client.get("/verify").headers["location"] == "/getting-started"
    assert client.get(first).status_code == 410


def test_somebody_elses_unconfirmed_account_becomes_the_address_owners(
    platform: RunningPlatform, client: httpx.Client, email: str
) -> None:
    """A stranger signs up with the victim's address, before and after them: their password never opens the account."""
    with platform.client() as stranger:
        sign_up(stranger, email, OTHER, "Mallory")
        sign_up(client, email)
        sign_up(stranger, email, OTHER, "Mallory")
        sign_in(stranger, email, OTHER)
        link = link_in(platform, email, "/verify")
        page = client.get(link).text
        assert "another browser" in page
        assert "Mallory" not in page + mails_to(platform, email)[0]
        wrong = post(client, link, password=PASSWORD)
        assert (wrong.status_code, "That password is wrong" in wrong.text) == (403, True)
        assert post(client, "/reset", email=email).status_code == 200
        assert post(client, link_in(platform, email, "/reset"), new=PASSWORD).status_code == 303
        assert stranger.get("/account").headers["location"].startswith("/sign-in")
        assert sign_in(stranger, email, OTHER).status_code == 401
    assert sign_in(client, email).status_code == 303
    assert client.get("/account").status_code == 200


def test_in_another_browser_the_password_confirms(platform: RunningPlatform, client: httpx.Client, email: str) -> None:
    sign_up(client, email)
    link = link_in(platform, email, "/verify")
    with platform.client() as phone:
        assert post(phone, link).status_code == 403
        assert post(phone, link, password=PASSWORD).headers["location"] == "/getting-started"
        assert phone.get("/account").status_code == 200


def test_nobody_learns_whether_an_address_has_an_account(
    platform: RunningPlatform, client: httpx.Client, email: str
) -> None:
    known = platform.bootstrap(email, password=PASSWORD).email
    unknown = "x" + email
    answers = [sign_up(client, address) for address in (known, known.upper(), unknown)]
    pages = {answer.text.replace(unknown, "").replace(known, "").replace(known.upper(), "") for answer in answers}
    assert len({csrf_free(page) for page in pages}) == 1
    assert [sorted(answer.cookies) for answer in answers] == [["cloudlet_browser"]] * 3
    assert "already" in mails_to(platform, known)[0]
    assert len(mails_to(platform, known)) == 2
    assert sign_in(client, known).status_code == 303


def csrf_free(page: str) -> str:
    return "\n".join(line for line in page.splitlines() if "_csrf_token" not in line)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Tell us your name"),
        ({"name": "x" * 101}, "Tell us your name"),
        ({"email": "nobody"}, "no e-mail address"),
        ({"email": "a@b@c.example"}, "no e-mail address"),
        ({"email": "two words@example.com"}, "no e-mail address"),
        ({"email": "x" * 250 + "@example.com"}, "no e-mail address"),
        ({"password": "short"}, "12 characters or more"),
        ({"password": "password12345"}, "unrelated words"),
        ({"password": "Grace <b>Hopper"}, "unrelated words"),
    ],
)
def test_what_is_wrong_in_the_form_is_said_and_the_rest_kept(
    client: httpx.Client, email: str, changes: dict[str, str], sentence: str
) -> None:
    fields = {"name": "Grace <b>Hopper", "email": email, "password": PASSWORD} | changes
    answer = post(client, "/sign-up", **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    if "name" not in changes:
        assert "Grace &lt;b&gt;Hopper" in answer.text
    assert fields["password"] not in answer.text or not fields["password"]


def test_a_link_that_is_too_old_is_refused(platform: RunningPlatform, client: httpx.Client, email: str) -> None:
    sign_up(client, email)
    link = link_in(platform, email, "/verify")
    with platform.database.transaction() as session:
        session.execute(update(EmailToken).values(expires_at=platform.platform.now()))
    answer = client.get(link)
    assert (answer.status_code, "has expired" in answer.text) == (410, True)
    with platform.database.snapshot() as session:
        user = find_user(session, email)
    assert user is not None
    assert user.email_verified_at is None


def test_an_address_gets_only_so_many_mails(client: httpx.Client, email: str) -> None:
    answers = [sign_up(client, email) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert "Too many" in answers[-1].text


@pytest.mark.parametrize(("policy", "sentence"), [("invite", "invite you"), ("closed", "operator")])
def test_where_sign_up_is_closed_the_page_says_whom_to_ask(tmp_path: Path, policy: str, sentence: str) -> None:
    running = RunningPlatform(tmp_path, PLATFORM_SIGNUP=policy)
    try:
        with running.client() as client:
            page = client.get("/sign-up")
            assert (page.status_code, sentence in page.text) == (403, True)
            assert "/sign-up" not in client.get("/sign-in").text
            token = csrf(client.get("/sign-in").text)
            fields = {"_csrf_token": token, "name": "x", "email": "x@example.com", "password": PASSWORD}
            assert client.post("/sign-up", data=fields).status_code == 403
    finally:
        running.close()


def test_the_developer_page_is_gone_where_a_server_sends_mail(tmp_path: Path) -> None:
    running = RunningPlatform(tmp_path, PLATFORM_SMTP_URL="smtp://127.0.0.1:9")
    try:
        with running.client() as client:
            assert client.get("/dev/mail").status_code == 404
            sign_up(client, "grace@example.com")
            assert client.get("/dev/mail").status_code == 404
            assert "/verify/" not in running.printed()
    finally:
        running.close()


def test_a_mail_servers_address_that_means_nothing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="PLATFORM_SMTP_URL must begin with") as raised:
        RunningPlatform(tmp_path, PLATFORM_SMTP_URL="imap://user:hidden@host")
    assert "hidden" not in str(raised.value)
