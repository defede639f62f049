"""LocalStack's Go client signs in: its request bytes and its rules about statuses, as the specification has them (§1.2, §1.3).

`Lstk` is our own driver. It sends what that client sends, and does with an answer what that client does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts.service import create_user, make_link
from cloudlet.control.accounts.tables import User, WebSession
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.devices.service import forget_old
from cloudlet.control.devices.tables import DeviceRequest
from cloudlet.control.limits.tables import RateBucket
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Workspace
from tests.control.lstk import ClientGivesUp, Lstk, answer_page, enter, signed_in_token, value_of
from tests.control.people import csrf, post, sign_in
from tests.control.serving import RunningPlatform


@pytest.fixture
def lstk(platform: RunningPlatform) -> Iterator[Lstk]:
    """Each test counts its own requests from this machine's address."""
    with platform.database.transaction() as session:
        session.query(RateBucket).delete()
    client = Lstk(platform.url)
    yield client
    client.client.close()


@pytest.fixture
def member(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email)


@pytest.fixture
def make_member(platform: RunningPlatform, new_email: Callable[[], str]) -> Callable[..., Any]:
    """Another member of somebody's workspace: how they sign in, and their membership."""

    def make(member: BootstrapResult) -> tuple[Callable[[httpx.Client], None], str]:
        with platform.database.transaction() as session:
            user = create_user(session, platform.platform, new_email())
            joined = add_member(session, platform.platform, member.workspace_id, user, role="member")

        def enter(client: httpx.Client) -> None:
            with platform.database.transaction() as session:
                secret = make_link(session, platform.platform, session.get_one(User, user.id), "magic")
            assert post(client, f"/sign-in/link/{secret}").status_code == 303

        return enter, joined.id

    return make


def test_the_go_client_signs_in_and_gets_a_license(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    opened = lstk.open()
    assert len(opened["code"]) == 8
    assert not set(opened["code"]) & set("AEIOUY0O1IL")
    assert lstk.is_confirmed(opened) is False
    with platform.client() as browser:
        enter(browser, platform, member)
        page = browser.get(lstk.browser_path(opened)).text
    for shown in (opened["code"], "lstk 1.4.0", "127.0.0.1", "My workspace", member.email):
        assert shown in page
    assert opened["exchange_token"] not in page
    assert "Signed in" in answer_page(platform, member, lstk.browser_path(opened), "approve")
    assert lstk.is_confirmed(opened) is True
    authorization = lstk.exchange(opened)
    assert authorization.startswith("Bearer ")
    token = lstk.collect(authorization)
    assert token.startswith("ls-")
    assert token != member.token
    outcome, document = lstk.license(token)
    assert (outcome, document["license_type"]) == ("valid", "trial")
    with platform.database.snapshot() as session:
        made = session.scalars(
            select(Credential).where(Credential.workspace_id == member.workspace_id, Credential.kind == "device")
        ).one()
        assert made.name == "lstk on 127.0.0.1"
        assert made.secret_enc is None
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.workspace_id == member.workspace_id)).all()
    assert {"device.approved", "credential.created"} <= set(actions)


def test_who_is_not_signed_in_does_that_first_and_comes_back(platform: RunningPlatform, lstk: Lstk, email: str) -> None:
    member = platform.bootstrap(email, password="correct horse battery")
    opened = lstk.open()
    with platform.client() as client:
        answer = client.get(lstk.browser_path(opened))
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/sign-in?next=%2Fauth%2Frequest%2F{opened['id']}"
        page = client.get(answer.headers["location"])
        data = {"email": member.email, "password": "correct horse battery", "next": value_of(page.text, "next")}
        done = client.post("/sign-in", data={"_csrf_token": csrf(page.text), **data})
        assert (done.status_code, done.headers["location"]) == (303, f"/auth/request/{opened['id']}")
        assert opened["code"] in client.get(done.headers["location"]).text


def test_each_step_answers_once_and_only_in_its_order(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    opened = lstk.open()
    with pytest.raises(ClientGivesUp, match="exchange 403"):
        lstk.exchange(opened)
    answer_page(platform, member, lstk.browser_path(opened), "approve")
    authorization = lstk.exchange(opened)
    for step, status in ((lstk.exchange, "exchange 410"), (lstk.is_confirmed, "check 410")):
        with pytest.raises(ClientGivesUp, match=status):
            step(opened)
    lstk.collect(authorization)
    with pytest.raises(ClientGivesUp, match="credentials 401"):
        lstk.collect(authorization)
    for wrong in ("", "Bearer", "Bearer lsdev_nonsense", "Basic abc"):
        with pytest.raises(ClientGivesUp, match="credentials 401"):
            lstk.collect(wrong)


def test_only_who_has_the_exchange_token_learns_anything(platform: RunningPlatform, lstk: Lstk) -> None:
    opened, other = lstk.open(), lstk.open()
    for wrong in ({**opened, "exchange_token": other["exchange_token"]}, {**opened, "id": "dev_unknown"}):
        with pytest.raises(ClientGivesUp, match="check 404"):
            lstk.is_confirmed(wrong)
        with pytest.raises(ClientGivesUp, match="exchange 404"):
            lstk.exchange(wrong)
    header = {"x-exchange-token": opened["exchange_token"]}
    answer = httpx.get(f"{platform.url}/v1/auth/request/{opened['id']}", headers=header)
    assert answer.json() == {"confirmed": False, "denied": False}
    body = httpx.get(f"{platform.url}/v1/auth/request/{opened['id']}").json()
    assert (body["error"], body["message"]) == (True, "auth.request.not_found")
    assert body["hint"]


def test_a_denied_request_gives_nothing(platform: RunningPlatform, lstk: Lstk, member: BootstrapResult) -> None:
    opened = lstk.open()
    assert "The program gets nothing" in answer_page(platform, member, lstk.browser_path(opened), "deny")
    assert lstk.is_confirmed(opened) is False
    with pytest.raises(ClientGivesUp, match="exchange 403"):
        lstk.exchange(opened)
    with platform.client() as client:
        enter(client, platform, member)
        assert client.get(lstk.browser_path(opened)).status_code == 410
    with platform.database.snapshot() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.workspace_id == member.workspace_id)).all()
    assert "device.denied" in actions


def test_a_request_ends_after_ten_minutes_and_is_forgotten_after_days(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    opened = lstk.open()
    age(platform, opened, minutes=11)
    with pytest.raises(ClientGivesUp, match="check 410"):
        lstk.is_confirmed(opened)
    with platform.client() as client:
        enter(client, platform, member)
        page = client.get(lstk.browser_path(opened))
        assert (page.status_code, "ten minutes" in page.text) == (410, True)
        assert client.get("/auth/request/dev_unknown").status_code == 404
    age(platform, opened, days=8)
    forget_old(platform.database, platform.platform)
    with pytest.raises(ClientGivesUp, match="check 404"):
        lstk.is_confirmed(opened)


def age(platform: RunningPlatform, opened: dict[str, str], **by: int) -> None:
    with platform.database.transaction() as session:
        row = session.get_one(DeviceRequest, opened["id"])
        row.expires_at -= timedelta(**by)


def test_a_bearer_lives_a_quarter_of_an_hour(platform: RunningPlatform, lstk: Lstk, member: BootstrapResult) -> None:
    opened = lstk.open()
    answer_page(platform, member, lstk.browser_path(opened), "approve")
    authorization = lstk.exchange(opened)
    with platform.database.transaction() as session:
        session.get_one(DeviceRequest, opened["id"]).bearer_expires_at -= timedelta(minutes=16)
    with pytest.raises(ClientGivesUp, match="credentials 401"):
        lstk.collect(authorization)


def test_who_left_meanwhile_gets_no_token(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult, make_member: Callable[..., Any]
) -> None:
    guest, membership_id = make_member(member)
    opened = lstk.open()
    with platform.client() as client:
        guest(client)
        page = client.get(lstk.browser_path(opened)).text
        data = {"_csrf_token": csrf(page), "decision": "approve", "membership_id": membership_id}
        assert client.post(f"/auth/request/{opened['id']}", data=data).status_code == 200
    authorization = lstk.exchange(opened)
    with platform.client() as client:
        enter(client, platform, member)
        removed = post(client, f"/workspace/members/{membership_id}/remove", at=f"/workspace/members/{membership_id}")
        assert removed.status_code == 303
    with pytest.raises(ClientGivesUp, match="credentials 403"):
        lstk.collect(authorization)


def test_nobody_approves_for_a_workspace_that_is_not_theirs(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult, new_email: Callable[[], str]
) -> None:
    other = platform.bootstrap(new_email())
    with platform.client() as client:
        sign_in(client, other)
        foreign = value_of(client.get(lstk.browser_path(lstk.open())).text, "membership_id")
    opened = lstk.open()
    page = answer_page(platform, member, lstk.browser_path(opened), "approve", membership_id=foreign)
    assert "no such workspace" in page
    assert lstk.is_confirmed(opened) is False


def test_another_code_in_the_address_is_a_warning(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    opened = lstk.open()
    with platform.client() as client:
        enter(client, platform, member)
        assert "another code" in client.get(f"/auth/request/{opened['id']}?code=BBBBBBBB").text
        assert "another code" not in client.get(f"/auth/request/{opened['id']}?code={opened['code'].lower()}").text


def test_one_address_asks_ten_times_an_hour(platform: RunningPlatform, lstk: Lstk) -> None:
    for _ in range(10):
        lstk.open()
    answer = httpx.post(f"{platform.url}/v1/auth/request", content=b"{}")
    assert (answer.status_code, answer.json()["error"]) == (429, True)
    assert 1 <= int(answer.headers["retry-after"]) <= 360


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "auth.request.format"),
        (b"[]", "auth.request.format"),
        (b'{"actor": 1}', "auth.request.format"),
        (b'{"scopes": ["pod.fly"]}', "auth.scope.unknown"),
        (b" " * 20_000, "auth.request.format"),
    ],
)
def test_a_body_that_is_none_is_refused(platform: RunningPlatform, lstk: Lstk, body: bytes, code: str) -> None:
    answer = httpx.post(f"{platform.url}/v1/auth/request", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_what_a_program_says_about_itself_is_text_on_the_page(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    body = {"actor": "<script>alert(1)</script>\x1b[2J", "version": "v" * 500, "host": "a\nb"}
    opened = httpx.post(f"{platform.url}/v1/auth/request", json=body).json()
    with platform.client() as client:
        enter(client, platform, member)
        page = client.get(lstk.browser_path(opened)).text
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "v" * 81 not in page


def test_of_many_that_come_at_once_one_gets_the_token(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    opened = lstk.open()
    answer_page(platform, member, lstk.browser_path(opened), "approve")

    def attempt(step: Callable[[], str]) -> str:
        try:
            return step()
        except ClientGivesUp:
            return ""

    with ThreadPoolExecutor(8) as pool:
        bearers = [got for got in pool.map(attempt, [lambda: lstk.exchange(opened)] * 8) if got]
        assert len(bearers) == 1
        tokens = [got for got in pool.map(attempt, [lambda: lstk.collect(bearers[0])] * 8) if got]
    assert len(tokens) == 1
    with platform.database.snapshot() as session:
        made = session.scalars(
            select(Credential).where(Credential.workspace_id == member.workspace_id, Credential.kind == "device")
        ).all()
    assert len(made) == 1


def test_a_workspaces_rule_about_age_ends_a_token(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    token = signed_in_token(platform, lstk, member)
    header = {"authorization": f"Bearer {token}"}
    with platform.database.transaction() as session:
        session.get_one(Workspace, member.workspace_id).settings = {"token_max_age_d": 30}
    facts = httpx.get(f"{platform.url}/v1/auth/token", headers=header).json()
    assert facts["expires_at"] > facts["created_at"]
    with platform.database.transaction() as session:
        session.execute(
            update(Credential)
            .where(Credential.workspace_id == member.workspace_id)
            .values(created_at=platform.platform.later(days=-31))
        )
    answer = httpx.get(f"{platform.url}/v1/auth/token", headers=header)
    assert (answer.status_code, "expired on" in answer.json()["detail"]) == (401, True)


def test_no_secret_of_a_sign_in_is_kept_in_clear(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    opened = lstk.open()
    answer_page(platform, member, lstk.browser_path(opened), "approve")
    authorization = lstk.exchange(opened)
    token = lstk.collect(authorization)
    with platform.database.snapshot() as session:
        rows = [
            repr(vars(row))
            for table in (DeviceRequest, Credential, AuditEntry)
            for row in session.scalars(select(table))
        ]
    printed = platform.printed()
    for secret in (opened["exchange_token"], authorization.removeprefix("Bearer "), token):
        assert secret not in "".join(rows)
        assert secret not in printed


def test_the_go_client_takes_each_status_as_it_is_meant(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    token = signed_in_token(platform, lstk, member)
    assert lstk.license(token, version="not a version")[0] == "undecided"
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    outcome, body = lstk.license(wrong)
    assert (outcome, body["message"]) == ("rejected", "licensing.credentials.format")
    httpx.post(f"{platform.url}/v1/auth/revoke", headers={"authorization": f"Bearer {token}"})
    outcome, body = lstk.license(token)
    assert (outcome, body["message"]) == ("rejected", "licensing.credentials.invalid")


def test_a_token_is_explained_to_its_holder(platform: RunningPlatform, lstk: Lstk, member: BootstrapResult) -> None:
    for token, kind in ((member.token, "auth"), (signed_in_token(platform, lstk, member), "device")):
        facts = httpx.get(f"{platform.url}/v1/auth/token", headers={"authorization": f"Bearer {token}"}).json()
        assert facts["kind"] == kind
        assert facts["workspace"] == {"id": member.workspace_id, "name": member.workspace}
        assert (facts["user"]["email"], facts["role"]) == (member.email, "admin")
        assert (facts["license"]["plan"], facts["license"]["status"]) == ("trial", "ACTIVE")
        assert token not in json.dumps(facts)
    for wrong in ("", "Bearer x", f"Bearer {member.token[:-1]}"):
        answer = httpx.get(f"{platform.url}/v1/auth/token", headers={"authorization": wrong})
        assert (answer.status_code, answer.json()["code"]) == (401, "credentials.invalid")


def test_a_device_signs_itself_out_and_a_personal_token_does_not(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult
) -> None:
    token = signed_in_token(platform, lstk, member)
    revoke = f"{platform.url}/v1/auth/revoke"
    assert httpx.post(revoke, headers={"authorization": f"Bearer {token}"}).json()["revoked"] is True
    again = httpx.post(revoke, headers={"authorization": f"Bearer {token}"})
    assert again.status_code == 401
    assert "was revoked on" in again.json()["detail"]
    own = httpx.post(revoke, headers={"authorization": f"Bearer {member.token}"})
    assert (own.status_code, own.json()["code"]) == (409, "credential.not_a_device")
    assert lstk.license(member.token)[0] == "valid"


def test_devices_are_listed_and_signed_out_on_the_auth_token_page(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult, new_email: Callable[[], str]
) -> None:
    token = signed_in_token(platform, lstk, member)
    with platform.database.snapshot() as session:
        row_id = session.scalars(
            select(Credential.id).where(Credential.workspace_id == member.workspace_id, Credential.kind == "device")
        ).one()
    path = f"/workspace/auth-tokens/devices/{row_id}/revoke"
    with platform.client() as stranger:
        sign_in(stranger, platform.bootstrap(new_email()))
        assert post(stranger, path, at="/workspace/auth-tokens").status_code == 404
    assert lstk.license(token)[0] == "valid"
    with platform.client() as client:
        enter(client, platform, member)
        assert "lstk on 127.0.0.1" in client.get("/workspace/auth-tokens").text
        assert post(client, path, at="/workspace/auth-tokens").status_code == 303
        assert "lstk on 127.0.0.1" not in client.get("/workspace/auth-tokens").text
    assert lstk.license(token)[0] == "rejected"


def test_scopes_are_shown_and_give_a_second_token_that_can_do_no_more_than_its_owner(
    platform: RunningPlatform, lstk: Lstk, member: BootstrapResult, make_member: Callable[..., Any]
) -> None:
    guest, _ = make_member(member)
    body = {"actor": "cloudlet", "host": "laptop", "scopes": ["ci_key.manage", "ci_key.read"]}
    for is_admin in (True, False):
        opened = httpx.post(f"{platform.url}/v1/auth/request", json=body).json()
        path = f"/auth/request/{opened['id']}"
        with platform.client() as client:
            enter(client, platform, member) if is_admin else guest(client)
            page = client.get(path).text
            assert "Create, rename, rotate and delete CI keys" in page
            assert ("where you may not" in page) is not is_admin
            chosen = value_of(page, "membership_id")
            data = {"_csrf_token": csrf(page), "decision": "approve", "membership_id": chosen}
            assert "Signed in" in client.post(path, data=data).text
        got = httpx.get(
            f"{platform.url}/v1/license/credentials", headers={"authorization": lstk.exchange(opened)}
        ).json()
        assert got["scopes"] == (["ci_key.manage", "ci_key.read"] if is_admin else ["ci_key.read"])
        assert got["admin_token"].startswith("lsadm_")
        header = {"authorization": f"Bearer {got['admin_token']}"}
        assert httpx.get(f"{platform.url}/v1/auth/token", headers=header).json()["scopes"] == got["scopes"]
        assert httpx.post(
            f"{platform.url}/v1/auth/revoke", headers={"authorization": f"Bearer {got['token']}"}
        ).is_success
        assert httpx.get(f"{platform.url}/v1/auth/token", headers=header).status_code == 401


def test_more_than_a_license_needs_a_fresh_proof_of_identity(platform: RunningPlatform, lstk: Lstk, email: str) -> None:
    member = platform.bootstrap(email, password="correct horse battery")
    opened = httpx.post(f"{platform.url}/v1/auth/request", json={"scopes": ["ci_key.read"]}).json()
    path = f"/auth/request/{opened['id']}"
    with platform.client() as client:
        enter(client, platform, member)
        forget_proof(platform, member)
        page = client.get(path).text
        chosen = value_of(page, "membership_id")
        data = {"_csrf_token": csrf(page), "decision": "approve", "membership_id": chosen}
        assert "Confirm your password" in client.post(path, data=data).text
        wrong = client.post(path, data={**data, "password": "no"})
        assert (wrong.status_code, "password is wrong" in wrong.text) == (403, True)
        assert lstk.is_confirmed(opened) is False
        assert "Signed in" in client.post(path, data={**data, "password": "correct horse battery"}).text
    assert lstk.is_confirmed(opened) is True


def forget_proof(platform: RunningPlatform, member: BootstrapResult) -> None:
    from_user = select(User.id).where(User.email == member.email).scalar_subquery()
    with platform.database.transaction() as session:
        session.execute(update(WebSession).where(WebSession.user_id == from_user).values(sudo_until=None))
