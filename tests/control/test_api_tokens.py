"""API tokens: their page, their form, and who may use the API with them or with a session."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select, update

from cloudlet.control.accounts.service import create_user
from cloudlet.control.accounts.tables import WebSession
from cloudlet.control.api.tokens import create_api_token
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import InvalidForm
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership
from cloudlet.license.admin_token import generate, is_wellformed
from cloudlet.license.effects import SYSTEM
from cloudlet.license.token import mask_text
from tests.control.api import problem, session_client, token_client, viewer_of
from tests.control.people import csrf, post, sequence, sign_in
from tests.control.serving import RunningPlatform

PATH = "/workspace/api-tokens"


@pytest.fixture
def admin(platform: RunningPlatform, email: str) -> Viewer:
    platform.bootstrap(email)
    return viewer_of(platform, email)


@pytest.fixture
def browser(platform: RunningPlatform, admin: Viewer) -> Iterator[httpx.Client]:
    with platform.client() as client:
        sign_in(client, platform.bootstrap(admin.email))
        yield client


def create_on_page(browser: httpx.Client, **fields: str) -> str:
    """The token that the page shows."""
    shown = post(browser, PATH, **{"name": "sync", "days": "7", **fields})
    assert shown.status_code == 200, shown.text
    return shown.text.partition('<code id="secret">')[2].partition("<")[0]


def bearer(platform: RunningPlatform, token: str, path: str) -> httpx.Response:
    return httpx.get(f"{platform.url}/api/v1{path}", headers={"authorization": f"Bearer {token}"})


def test_a_token_is_made_shown_once_used_and_revoked(
    platform: RunningPlatform, browser: httpx.Client, admin: Viewer
) -> None:
    token = create_on_page(browser, **{"scope.audit.read": "on"})
    assert is_wellformed(token)
    mine = f"/workspaces/{admin.workspace_id}"
    assert bearer(platform, token, f"{mine}/members").status_code == 200
    assert bearer(platform, token, f"{mine}/audit").status_code == 200
    page = browser.get(PATH).text
    assert token not in page
    assert token[:14] in page
    assert "from 127.0.0.1" in page
    token_id = page.partition(f"{PATH}/")[2].partition("/")[0]
    assert post(browser, f"{PATH}/{token_id}/revoke", at=PATH).status_code == 303
    assert problem(bearer(platform, token, f"{mine}/members")) == (401, "api_token.invalid")
    assert post(browser, f"{PATH}/{token_id}/revoke", at=PATH).status_code == 404
    with platform.database.snapshot() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.target == token_id)).all()
    assert actions == ["credential.created", "credential.revoked"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "Give the token a name"),
        ({"days": "8"}, "A token lives for 7, 30, 90, 365 days."),
        ({"days": "²"}, "A token lives for"),
        ({"scope.everything": "on"}, "One of the permissions does not exist."),
    ],
)
def test_a_wish_that_does_not_fit_is_explained_and_kept(
    browser: httpx.Client, fields: dict[str, str], sentence: str
) -> None:
    answer = post(browser, PATH, **{"name": "kept name", "days": "30", "scope.audit.read": "on", **fields})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'name="scope.audit.read" value="on" checked' in answer.text


def test_a_token_may_what_its_scopes_say_and_its_owner_still_may(platform: RunningPlatform, admin: Viewer) -> None:
    mine = f"/workspaces/{admin.workspace_id}"
    with token_client(platform, admin, {"audit.read"}) as client:
        assert client.get(f"{mine}/audit").status_code == 200
        assert problem(client.put(f"{mine}/members/{admin.membership_id}/license")) == (403, "permission.denied")
        with platform.database.transaction() as session:
            session.execute(update(Membership).where(Membership.id == admin.membership_id).values(role="member"))
        assert problem(client.get(f"{mine}/audit")) == (403, "permission.denied")
        assert client.get(f"{mine}/members").status_code == 200


def test_nobody_makes_a_token_that_may_more_than_they(platform: RunningPlatform, admin: Viewer) -> None:
    with platform.database.transaction() as session:
        session.execute(update(Membership).where(Membership.id == admin.membership_id).values(role="member"))
    with platform.client() as client:
        sign_in(client, platform.bootstrap(admin.email))
        page = client.get(PATH).text
        assert "scope.audit.read" not in page
        answer = client.post(
            PATH, data={"_csrf_token": csrf(page), "name": "more", "days": "7", "scope.audit.read": "on"}
        )
    assert answer.status_code == 403
    assert "only permissions that you have yourself" in answer.text


@pytest.mark.parametrize("how", ["expired", "left", "disabled"])
def test_a_token_ends_with_its_time_and_with_its_owner(platform: RunningPlatform, admin: Viewer, how: str) -> None:
    with token_client(platform, admin) as client:
        path = f"/workspaces/{admin.workspace_id}/members"
        assert client.get(path).status_code == 200
        with platform.database.transaction() as session:
            if how == "expired":
                change = update(Credential).where(Credential.membership_id == admin.membership_id)
                session.execute(change.values(expires_at=platform.platform.now()))
            elif how == "left":
                session.execute(update(Membership).where(Membership.id == admin.membership_id).values(status="removed"))
            else:
                session.connection().exec_driver_sql(
                    f"UPDATE users SET disabled_at = CURRENT_TIMESTAMP WHERE id = '{admin.user_id}'"
                )
        assert problem(client.get(path)) == (401, "api_token.invalid")


def test_admins_see_and_end_everybodys_tokens_members_their_own_tokens_themselves(
    platform: RunningPlatform, admin: Viewer
) -> None:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, f"person{next(sequence)}@example.com")
        add_member(session, platform.platform, admin.workspace_id, user, role="member")
        email = user.email
    member = viewer_of(platform, email)
    path = f"/workspaces/{admin.workspace_id}/api-tokens"
    with (
        token_client(platform, admin, ()) as powerless,
        token_client(platform, admin) as token,
        token_client(platform, member) as worker,
        session_client(platform, platform.bootstrap(admin.email)) as boss,
    ):
        tokens = {row["owner"]: row["id"] for row in boss.get(path).json()["items"]}
        assert set(tokens) == {admin.email, email}
        assert [row["owner"] for row in worker.get(path).json()["items"]] == [email]
        for stranger in (powerless, token):  # an admin's, whatever their scopes
            assert {row["owner"] for row in stranger.get(path).json()["items"]} == {admin.email}
            assert problem(stranger.delete(f"{path}/{tokens[email]}")) == (404, "not_found")
        assert problem(worker.delete(f"{path}/{tokens[admin.email]}")) == (404, "not_found")
        assert boss.delete(f"{path}/{tokens[email]}").status_code == 204
        assert worker.get(path).status_code == 401
        newest, mine = (row["id"] for row in powerless.get(path).json()["items"])
        assert problem(powerless.delete(f"{path}/{newest}")) == (404, "not_found")
        assert powerless.delete(f"{path}/{mine}").status_code == 204
        assert powerless.get(path).status_code == 401
        assert token.get(path).status_code == 200


def test_a_token_ends_no_device_of_its_owner(platform: RunningPlatform, admin: Viewer) -> None:
    with token_client(platform, admin) as client:
        answer = client.delete(f"/workspaces/{admin.workspace_id}/tokens/devices/crd_any")
        assert problem(answer) == (403, "api_token.people_only")


def test_a_while_after_signing_in_making_a_token_takes_the_password(platform: RunningPlatform, email: str) -> None:
    word = "four unrelated sunny words"
    found = platform.bootstrap(email, password=word)
    with platform.client() as client:
        sign_in(client, found)
        with platform.database.transaction() as session:
            session.execute(update(WebSession).values(sudo_until=None))
        asked = post(client, PATH, name="sync", days="7")
        assert (asked.status_code, 'id="secret"' in asked.text) == (403, False)
        assert "prove again who you are" in asked.text
        assert post(client, PATH, name="sync", days="7", password="wrong").status_code == 403
        headers = {"x-csrf-token": client.get("/api/v1/session").json()["csrf_token"]}
        path = f"/api/v1/workspaces/{found.workspace_id}/api-tokens"
        refused = client.post(path, json={"name": "sync"}, headers=headers)
        assert problem(refused) == (403, "session.sudo_required")
        assert client.post(path, json={"name": "sync", "password": word}, headers=headers).status_code == 201
        assert is_wellformed(create_on_page(client, password=word))


def test_the_tokens_of_others_leave_an_admin_their_own(
    platform: RunningPlatform, admin: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudlet.control.api.tokens.MOST_TOKENS", 1)
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, f"person{next(sequence)}@example.com")
        add_member(session, platform.platform, admin.workspace_id, user, role="member")
        email = user.email
    with (
        token_client(platform, viewer_of(platform, email)),
        token_client(platform, admin),
        platform.database.transaction() as session,
        pytest.raises(InvalidForm, match="already"),
    ):
        create_api_token(session, platform.platform, admin, name="more", scopes=frozenset(), days=7)


def test_a_token_makes_no_tokens_and_reveals_none(platform: RunningPlatform, admin: Viewer) -> None:
    mine = f"/workspaces/{admin.workspace_id}"
    with token_client(platform, admin) as client:
        assert problem(client.post(f"{mine}/api-tokens", json={"name": "child"})) == (403, "api_token.people_only")
        assert problem(client.post(f"{mine}/tokens/auth/reveal")) == (403, "api_token.people_only")
        answer = client.post(f"{mine}/tokens/auth/reset", json={"confirm": "reset"})
        assert problem(answer) == (403, "api_token.people_only")


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer lsadm_" + "A" * 38, "Basic dTpw", "Bearer unknown", "lsadm_x"],
)
def test_what_is_no_token_is_no_way_in(platform: RunningPlatform, admin: Viewer, header: str) -> None:
    given = header.replace("unknown", generate(SYSTEM.random_bytes))  # well formed, and nobody's
    path = f"{platform.url}/api/v1/workspaces/{admin.workspace_id}/members"
    answer = httpx.get(path, headers={"authorization": given})
    assert problem(answer) == (401, "api_token.invalid")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_without_anything_the_api_asks_for_credentials(platform: RunningPlatform, admin: Viewer) -> None:
    answer = httpx.get(f"{platform.url}/api/v1/workspaces/{admin.workspace_id}/members")
    assert problem(answer) == (401, "session.required")


def test_a_session_needs_its_token_against_forgery_to_change_anything(platform: RunningPlatform, admin: Viewer) -> None:
    with (
        session_client(platform, platform.bootstrap(admin.email)) as client,
        session_client(platform, platform.bootstrap(admin.email)) as other,
    ):
        path = f"/workspaces/{admin.workspace_id}/members/{admin.membership_id}/license"
        assert client.put(path).status_code == 200
        for wrong in ("", "x", other.headers["x-csrf-token"], "é"):
            answer = client.put(path, headers={"x-csrf-token": wrong.encode()})
            assert problem(answer) == (403, "session.csrf")
        assert client.get(path.removesuffix("/license"), headers={"x-csrf-token": ""}).status_code == 200


def test_a_session_reaches_all_workspaces_of_its_user_whichever_the_pages_show(
    platform: RunningPlatform, admin: Viewer, email: str
) -> None:
    other = platform.bootstrap(f"person{next(sequence)}@example.com")
    with platform.database.transaction() as session:
        user = session.get_one(Membership, admin.membership_id).user_id
        session.add(
            Membership(
                id=platform.platform.new_id("mem"),
                workspace_id=other.workspace_id,
                user_id=user,
                role="auditor",
                status="active",
                joined_at=platform.platform.now(),
            )
        )
    with session_client(platform, platform.bootstrap(admin.email)) as client:
        assert client.get(f"/workspaces/{admin.workspace_id}/members").status_code == 200
        assert client.get(f"/workspaces/{other.workspace_id}/audit").status_code == 200
        denied = client.put(f"/workspaces/{other.workspace_id}/members/{admin.membership_id}/license")
        assert problem(denied) == (403, "permission.denied")


def test_the_form_of_a_token_finds_typing_errors_and_is_masked() -> None:
    token = generate(SYSTEM.random_bytes)
    assert is_wellformed(token)
    for index in range(6, len(token)):
        other = "A" if token[index] != "A" else "B"
        assert not is_wellformed(token[:index] + other + token[index + 1 :])
    assert mask_text(f"GET {token} HTTP") == f"GET {token[:14]}-**** HTTP"
