"""Codes of an authenticator app after the password, and recovery codes in place of them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyotp
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts import second_factor
from cloudlet.control.accounts.errors import FreshSignInNeeded, WrongCode
from cloudlet.control.accounts.passwords import hash_password
from cloudlet.control.accounts.service import create_user, find_user, open_session, prove_owner
from cloudlet.control.accounts.tables import RecoveryCode, User, WebSession
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.db import Database
from cloudlet.control.members.errors import LastAdmin
from cloudlet.control.members.service import keep_an_admin
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.workspaces.service import add_member, create_workspace
from cloudlet.license.effects import SystemEffects
from cloudlet.settings import read_platform_settings
from tests.control.mailbox import mails_to
from tests.control.people import post
from tests.control.serving import RunningPlatform

PASSWORD = "four unrelated sunny words"
PAGE = "/account/second-factor"


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, password=PASSWORD)


@pytest.fixture
def client(platform: RunningPlatform) -> Iterator[httpx.Client]:
    with platform.client() as opened:
        yield opened


def give_password(client: httpx.Client, email: str, **fields: str) -> httpx.Response:
    return post(client, "/sign-in", email=email, password=PASSWORD, **fields)


def code_of(platform: RunningPlatform, key: str, steps: int = 0) -> str:
    return pyotp.TOTP(key).generate_otp(int(platform.platform.effects.now()) // 30 + steps)


def forget_step(platform: RunningPlatform, email: str) -> None:
    """As if the last code had been given long ago."""
    with platform.database.transaction() as session:
        session.execute(update(User).where(User.email == email).values(totp_step=None))


def set_up(platform: RunningPlatform, client: httpx.Client, email: str) -> tuple[str, list[str]]:
    """Switch it on. Returns the key and the recovery codes."""
    assert give_password(client, email).status_code == 303
    page = post(client, PAGE + "/start", at=PAGE).text
    key = re.search(r'id="totp-key">([A-Z2-7 ]+)<', page)
    assert key, page
    secret = key[1].replace(" ", "")
    assert post(client, PAGE + "/confirm", at=PAGE, code="000000 ").status_code == 403
    done = post(client, PAGE + "/confirm", at=PAGE, code=code_of(platform, secret))
    codes = re.findall(r"<li>([0-9a-z]{5}-[0-9a-z]{5})</li>", done.text)
    assert len(codes) == 10
    return secret, codes


def test_the_code_is_asked_for_after_the_password(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    key, _ = set_up(platform, client, member.email)
    forget_step(platform, member.email)
    with platform.client() as other:
        answer = give_password(other, member.email, next="/workspace/members")
        place = answer.headers["location"]
        assert place == "/sign-in/code?next=%2Fworkspace%2Fmembers"
        assert "cloudlet_session" not in other.cookies
        assert other.get("/account").headers["location"].startswith("/sign-in")
        wrong = post(other, "/sign-in/code", at=place, code="123456")
        assert (wrong.status_code, "code is wrong" in wrong.text) == (401, True)
        right = post(other, "/sign-in/code", at=place, code=code_of(platform, key), next="/workspace/members")
        assert right.headers["location"] == "/workspace/members"
        assert other.get("/account").status_code == 200
        assert other.get("/sign-in/code").headers["location"] == "/sign-in"


def test_a_code_works_once(platform: RunningPlatform, client: httpx.Client, member: BootstrapResult) -> None:
    key, _ = set_up(platform, client, member.email)
    forget_step(platform, member.email)
    code = code_of(platform, key)
    for wanted in (303, 401):
        with platform.client() as other:
            place = give_password(other, member.email).headers["location"]
            answer = post(other, "/sign-in/code", at=place, code=code)
            assert (answer.status_code, "used already" in answer.text) == (wanted, wanted == 401)


def test_a_link_asks_for_the_code_too(platform: RunningPlatform, client: httpx.Client, member: BootstrapResult) -> None:
    set_up(platform, client, member.email)
    path = platform.bootstrap(member.email).sign_in_link.removeprefix(platform.url)
    with platform.client() as other:
        assert post(other, path).headers["location"].startswith("/sign-in/code")
        assert "cloudlet_session" not in other.cookies


def test_recovery_codes_sign_in_once_each_and_the_owner_is_told(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    _, codes = set_up(platform, client, member.email)
    for typed, wanted in ((codes[0].upper(), 303), (codes[0], 401), (codes[1].replace("-", " "), 303)):
        with platform.client() as other:
            place = give_password(other, member.email).headers["location"]
            assert post(other, "/sign-in/code", at=place, code=typed).status_code == wanted
    assert "8 of 10 left" in client.get(PAGE).text
    assert "8 of them are left" in " ".join(mails_to(platform, member.email)[0].split())
    with platform.database.snapshot() as session:
        stored = session.scalars(select(RecoveryCode.hash)).all()
    assert not {code.replace("-", "") for code in codes} & set(stored)


def test_new_recovery_codes_replace_the_old_ones(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    _, codes = set_up(platform, client, member.email)
    assert post(client, PAGE + "/recovery-codes", at=PAGE, password="wrong").status_code == 403
    page = post(client, PAGE + "/recovery-codes", at=PAGE, password=PASSWORD).text
    assert "10 of 10 left" in client.get(PAGE).text
    assert codes[0] not in page
    with platform.client() as other:
        place = give_password(other, member.email).headers["location"]
        assert post(other, "/sign-in/code", at=place, code=codes[0]).status_code == 401


def test_half_of_a_sign_in_ends_after_a_while_and_by_too_many_codes(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    key, _ = set_up(platform, client, member.email)
    with platform.client() as other:
        place = give_password(other, member.email).headers["location"]
        answers = [post(other, "/sign-in/code", at=place, code="123456").status_code for _ in range(9)]
        assert answers == [401] * 8 + [429]
        assert other.post("/sign-in/code", data={"code": code_of(platform, key)}).status_code == 403
        cookie = next(cookie for cookie in other.cookies.jar if cookie.name == "cloudlet_half")
        assert cookie.path == "/sign-in"
        assert cookie.expires is not None
        assert cookie.expires <= platform.platform.effects.now() + 601


def test_switching_it_on_signs_out_other_browsers_and_off_wants_the_password(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    with platform.client() as other:
        give_password(other, member.email)
        set_up(platform, client, member.email)
        assert other.get("/account").status_code == 303
        assert "was switched on" in mails_to(platform, member.email)[0]
        assert post(client, PAGE + "/off", at=PAGE).status_code == 403
        assert post(client, PAGE + "/off", at=PAGE, password=PASSWORD).headers["location"].startswith("/account")
        assert "was switched off" in mails_to(platform, member.email)[0]
        assert give_password(other, member.email).headers["location"] == "/"


def test_proving_who_you_are_wants_the_code_too(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    key, _ = set_up(platform, client, member.email)
    forget_step(platform, member.email)
    with platform.database.transaction() as session:
        user = find_user(session, member.email)
        assert user is not None
        session.execute(update(WebSession).where(WebSession.user_id == user.id).values(sudo_until=None))
    path, at = "/workspace/auth-tokens/reveal", "/workspace/auth-tokens"
    assert "Code of your authenticator app" in post(client, path, at=at).text
    alone = post(client, path, at=at, password=PASSWORD)
    assert (alone.status_code, member.token in alone.text) == (403, False)
    assert member.token in post(client, path, at=at, password=PASSWORD, code=code_of(platform, key)).text


def test_the_key_is_not_shown_to_who_only_found_the_browser_open(
    platform: RunningPlatform, client: httpx.Client, member: BootstrapResult
) -> None:
    give_password(client, member.email)
    with platform.database.transaction() as session:
        session.execute(update(WebSession).values(sudo_until=None))
    page = post(client, PAGE + "/start", at=PAGE)
    assert (page.status_code, "totp-key" in page.text) == (403, False)
    page = post(client, PAGE + "/start", at=PAGE, password=PASSWORD)
    assert "totp-key" in page.text
    assert "<svg" in page.text
    with platform.database.snapshot() as session:
        user = find_user(session, member.email)
    assert user is not None
    assert user.totp_secret_enc is None


class MovableTime(SystemEffects):
    def __init__(self) -> None:
        self.moment = 1_800_000_000.0

    def now(self) -> float:
        return self.moment


@pytest.fixture
def own(fresh_database_url: str, tmp_path: Path) -> Iterator[tuple[Database, Platform, MovableTime]]:
    """A database and its platform, at a time that stands still."""
    settings = read_platform_settings(
        {"PLATFORM_STATE_DIR": str(tmp_path), "PLATFORM_DATABASE_URL": fresh_database_url}
    )
    effects = MovableTime()
    database, platform = Database(settings), Platform(settings, effects)
    prepare(database, platform)
    yield database, platform, effects
    database.close()


def with_factor(database: Database, platform: Platform) -> tuple[str, str]:
    """A user with a second factor: their id, and its key."""
    with database.transaction() as session:
        user_id = create_user(session, platform, "grace@example.com").id
        key = second_factor.offer(session, platform, user_id).key.replace(" ", "")
        code = pyotp.TOTP(key).generate_otp(int(platform.effects.now()) // 30)
        second_factor.turn_on(session, platform, user_id, code)
    return user_id, key


def accepts(database: Database, platform: Platform, user_id: str, code: str) -> bool:
    try:
        with database.transaction() as session:
            second_factor.accept(session, platform, session.get_one(User, user_id), code)
    except WrongCode:
        return False
    return True


def test_a_clock_may_be_half_a_minute_off_and_no_older_code_follows(
    own: tuple[Database, Platform, MovableTime],
) -> None:
    database, platform, effects = own
    user_id, key = with_factor(database, platform)
    effects.moment += 3600
    step = int(effects.moment) // 30
    codes = {around: pyotp.TOTP(key).generate_otp(step + around) for around in range(-2, 3)}
    assert not accepts(database, platform, user_id, codes[-2])
    assert not accepts(database, platform, user_id, codes[2])
    assert accepts(database, platform, user_id, codes[-1])
    assert accepts(database, platform, user_id, codes[1])
    assert not accepts(database, platform, user_id, codes[0])
    assert not accepts(database, platform, user_id, "")


def test_of_two_that_give_the_same_code_at_once_one_comes_in(own: tuple[Database, Platform, MovableTime]) -> None:
    database, platform, effects = own
    user_id, key = with_factor(database, platform)
    effects.moment += 3600
    code = pyotp.TOTP(key).generate_otp(int(effects.moment) // 30)
    came_in: list[bool] = []
    threads = [
        threading.Thread(target=lambda: came_in.append(accepts(database, platform, user_id, code))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(came_in) == [False] * 5 + [True]


def test_with_a_second_factor_the_password_alone_changes_nothing_later(
    own: tuple[Database, Platform, MovableTime],
) -> None:
    database, platform, effects = own
    user_id, _ = with_factor(database, platform)
    with database.transaction() as session:
        user = session.get_one(User, user_id)
        user.password_hash = hash_password("correct horse battery staple")
        open_session(session, platform, user, ip="", user_agent="", with_sudo=True)
        session_id = session.scalars(select(WebSession.id).where(WebSession.user_id == user_id)).one()
        assert prove_owner(session, platform, session_id, "correct horse battery staple").id == user_id
    effects.moment += 3600
    with database.transaction() as session, pytest.raises(FreshSignInNeeded):
        prove_owner(session, platform, session_id, "correct horse battery staple")


@pytest.mark.parametrize("typed", ["Änne@Example.com", "ÄNNE@example.com", " änne@EXAMPLE.com "])
def test_an_address_is_found_whatever_its_case(own: tuple[Database, Platform, MovableTime], typed: str) -> None:
    database, platform, _ = own
    with database.transaction() as session:
        made = create_user(session, platform, "Änne@Example.com")
        found = find_user(session, typed)
        assert found is not None
        assert found.id == made.id


def test_an_admin_who_is_disabled_does_not_count(own: tuple[Database, Platform, MovableTime]) -> None:
    database, platform, _ = own
    with database.transaction() as session:
        ada, grace = (create_user(session, platform, f"{name}@example.com") for name in ("ada", "grace"))
        member = create_workspace(session, platform, "Acme", ada)
        add_member(session, platform, member.workspace_id, grace, role="admin")
        keep_an_admin(session, member)
        grace.disabled_at = platform.now()
        session.flush()
        with pytest.raises(LastAdmin):
            keep_an_admin(session, member)
