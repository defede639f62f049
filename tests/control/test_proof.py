"""Proving again who one is: by password and code in place, and what becomes of accounts that have no password."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import httpx
import pyotp
import pytest
from sqlalchemy import func, select, update

from cloudlet.control.accounts import operators
from cloudlet.control.accounts.errors import LinkExpired
from cloudlet.control.accounts.service import create_user, find_user, make_link
from cloudlet.control.accounts.sign_up import change_email
from cloudlet.control.accounts.tables import RecoveryCode, User, WebSession
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from tests.control.api import problem
from tests.control.mailbox import link_in, mails_to, wait_until
from tests.control.people import post, sign_in
from tests.control.serving import RunningPlatform
from tests.control.waiting import wait_until_somebody_waits

PASSWORD = "four unrelated sunny words"
NEW = "an entirely different phrase"
TOKENS = "/workspace/auth-tokens"


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, password=PASSWORD)


@pytest.fixture
def client(platform: RunningPlatform) -> Iterator[httpx.Client]:
    with platform.client() as opened:
        yield opened


def set_up(platform: RunningPlatform, client: httpx.Client, email: str) -> tuple[str, list[str]]:
    """Signed in, with a second factor; then a while passes. Returns its key and the recovery codes."""
    post(client, "/sign-in", email=email, password=PASSWORD)
    page = "/account/second-factor"
    key = re.search(r'id="totp-key">([A-Z2-7 ]+)<', post(client, page + "/start", at=page).text)
    assert key
    secret = key[1].replace(" ", "")
    done = post(client, page + "/confirm", at=page, code=code_of(platform, secret))
    a_while_later(platform, email)
    return secret, re.findall(r"<li>([0-9a-z]{5}-[0-9a-z]{5})</li>", done.text)


def a_while_later(platform: RunningPlatform, email: str) -> None:
    with platform.database.transaction() as session:
        user = find_user(session, email)
        assert user is not None
        user.totp_step = None
        session.execute(update(WebSession).where(WebSession.user_id == user.id).values(sudo_until=None))


def code_of(platform: RunningPlatform, key: str) -> str:
    return pyotp.TOTP(key).generate_otp(int(platform.platform.effects.now()) // 30)


def entries(platform: RunningPlatform, workspace_id: str, action: str) -> list[AuditEntry]:
    with platform.database.snapshot() as session:
        query = select(AuditEntry).where(AuditEntry.workspace_id == workspace_id, AuditEntry.action == action)
        return list(session.scalars(query.order_by(AuditEntry.seq)))


def test_a_password_is_changed_with_a_code_in_place(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    key, _ = set_up(platform, client, member.email)
    page = client.get("/account").text
    assert page.count('name="code"') == 2  # password and address
    without = post(client, "/account/password", at="/account", current=PASSWORD, new=NEW)
    assert (without.status_code, "code of your authenticator app too" in without.text) == (403, True)
    wrong = post(client, "/account/password", at="/account", current=PASSWORD, new=NEW, code="000000")
    assert (wrong.status_code, "code is wrong" in wrong.text) == (403, True)
    code = code_of(platform, key)
    done = post(client, "/account/password", at="/account", current=PASSWORD, new=NEW, code=code)
    assert done.headers["location"] == "/account?done=password"
    again = post(client, "/account/password", at="/account", current=NEW, new=PASSWORD, code=code)
    assert (again.status_code, "used already" in again.text) == (403, True)


def test_an_address_is_changed_with_a_recovery_code_of_which_the_owner_hears(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    _, codes = set_up(platform, client, member.email)
    new = "new-" + member.email
    fields = {"email": new, "password": PASSWORD}
    assert post(client, "/account/email", at="/account", **fields).status_code == 403
    done = post(client, "/account/email", at="/account", **fields, code=codes[0])
    assert done.headers["location"] == "/account?done=mailed"
    assert "9 of them are left" in " ".join(mails_to(platform, member.email)[0].split())
    assert len(entries(platform, member.workspace_id, "account.recovery_code_used")) == 1


def test_the_second_factor_is_switched_off_with_a_code_of_it(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    key, _ = set_up(platform, client, member.email)
    page = "/account/second-factor"
    assert post(client, page + "/off", at=page, password=PASSWORD).status_code == 403
    done = post(client, page + "/off", at=page, password=PASSWORD, code=code_of(platform, key))
    assert done.headers["location"] == "/account?done=second-factor-off"


def test_codes_are_not_guessed_in_these_forms_either(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    set_up(platform, client, member.email)
    answers = [
        post(client, "/account/password", at="/account", current=PASSWORD, new=NEW, code=f"{number:06}").status_code
        for number in range(9)
    ]
    assert answers == [403] * 8 + [429]


@pytest.mark.parametrize(
    ("path", "at", "fields"),
    [
        (TOKENS + "/reveal", TOKENS, {}),
        (TOKENS + "/reset", TOKENS, {"confirm": "reset"}),
        (TOKENS + "/reset", TOKENS, {"confirm": "reset", "password": "made up"}),
        ("/workspace/delete", "/workspace", {"confirm": "Acme"}),
        ("/account/second-factor/start", "/account/second-factor", {}),
    ],
)
def test_who_has_no_password_is_told_what_to_do(
    platform: RunningPlatform, client: httpx.Client, email: str, path: str, at: str, fields: dict[str, str]
) -> None:
    sign_in(client, platform.bootstrap(email))
    a_while_later(platform, email)
    answer = post(client, path, at=at, **fields)
    assert f'href="/sign-in?next={at}">Sign in again</a>' in answer.text
    assert 'href="/reset">set one by mail</a>' in answer.text
    assert 'autocomplete="current-password"' not in answer.text


def test_a_program_without_a_password_is_told_what_to_do(
    platform: RunningPlatform, client: httpx.Client, email: str
) -> None:
    found = platform.bootstrap(email)
    sign_in(client, found)
    token = client.get("/api/v1/session").json()["csrf_token"]
    a_while_later(platform, email)
    answer = client.post(
        f"/api/v1/workspaces/{found.workspace_id}/tokens/auth/reset",
        json={"confirm": "reset", "password": "made up"},
        headers={"x-csrf-token": token},
    )
    assert problem(answer) == (403, "account.link_needed")


def test_sign_ins_are_in_the_audit_log_whichever_way(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    sign_in(client, member)
    post(client, "/sign-in", email=member.email, password=PASSWORD)
    client.post("/api/v1/session", json={"email": member.email, "password": PASSWORD})
    found = entries(platform, member.workspace_id, "account.signed_in")
    assert [entry.data["how"] for entry in found] == ["link", "password", "password"]
    assert {entry.ip for entry in found} == {"127.0.0.1"}
    assert "signed in</" in client.get("/workspace/audit").text


def test_refused_sign_ins_are_too_but_fill_no_log(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    wrong = {"email": member.email, "password": "wrong"}
    for _ in range(5):
        assert post(client, "/sign-in", **wrong).status_code == 401
        assert client.post("/api/v1/session", json=wrong).status_code == 401
    wait_until(lambda: len(entries(platform, member.workspace_id, "account.sign_in_refused")) == 6)
    sign_in(client, member)
    found = entries(platform, member.workspace_id, "account.sign_in_refused")
    assert len(found) == 6
    assert {(entry.actor, entry.data["reason"], entry.ip) for entry in found} == {("system", "password", "127.0.0.1")}
    assert f"turned away a sign-in as {member.email}" in client.get("/workspace/audit").text


def test_a_wrong_code_is_a_refused_sign_in(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    set_up(platform, client, member.email)
    body = {"email": member.email, "password": PASSWORD, "code": "000000"}
    assert problem(client.post("/api/v1/session", json=body)) == (403, "session.code")
    with platform.client() as other:
        place = post(other, "/sign-in", email=member.email, password=PASSWORD).headers["location"]
        assert post(other, "/sign-in/code", at=place, code="000000").status_code == 401
    wait_until(lambda: len(entries(platform, member.workspace_id, "account.sign_in_refused")) == 2)
    reasons = [entry.data["reason"] for entry in entries(platform, member.workspace_id, "account.sign_in_refused")]
    assert reasons == ["code", "code"]


def test_a_stranger_uses_up_nobodys_tries_at_codes(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    key, _ = set_up(platform, client, member.email)
    body = {"email": member.email, "password": "wrong", "code": "000000"}
    assert [client.post("/api/v1/session", json=body).status_code for _ in range(9)] == [401] * 9
    body |= {"password": PASSWORD, "code": code_of(platform, key)}
    assert client.post("/api/v1/session", json=body).status_code == 201


def test_the_answer_to_a_forgotten_password_waits_for_nothing_that_only_accounts_have(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    database = platform.database
    # SQLite has one lock for all that is written, for which the counting of tries waits as well, whatever the address.
    with database.snapshot() if database.is_sqlite else database.transaction() as session:
        session.execute(select(User.id).where(User.email == member.email).with_for_update())
        answer = post(client, "/reset", email=member.email)  # a link needs its user's row
        assert "a link is on its way" in answer.text
        assert database.is_sqlite or mails_to(platform, member.email) == []
    assert post(client, link_in(platform, member.email, "/reset"), new=NEW).status_code == 303


def test_an_address_that_somebody_takes_at_that_moment_is_refused(
    platform: RunningPlatform, member: BootstrapResult
) -> None:
    new = "late-" + member.email
    database, tools = platform.database, platform.platform
    with database.transaction() as session:
        user = find_user(session, member.email)
        assert user is not None
        link = make_link(session, tools, user, "email", detail=new)
    outcome: list[str] = []

    def move() -> None:
        try:
            with database.transaction() as session:
                outcome.append(change_email(session, tools, link, "").email)
        except LinkExpired as error:
            outcome.append(error.detail)

    with database.transaction() as session:
        create_user(session, tools, new)
        thread = threading.Thread(target=move)
        thread.start()
        wait_until_somebody_waits(database)
    thread.join(60)
    assert outcome == ["Another account has this address meanwhile."]


def test_an_operator_who_drops_a_second_factor_drops_its_recovery_codes(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    set_up(platform, client, member.email)
    with platform.database.transaction() as session:
        operators.reset(session, platform.platform, member.email, password="", drop_second_factor=True)
        user = find_user(session, member.email)
        assert user is not None
        left = session.scalar(select(func.count(RecoveryCode.hash)).where(RecoveryCode.user_id == user.id))
    assert left == 0
