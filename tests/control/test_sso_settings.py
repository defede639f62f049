"""The page Single sign-on: what its forms do, say and refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import select

from cloudlet.control.accounts.service import create_user
from cloudlet.control.sso.tables import SsoProvider
from cloudlet.control.workspaces.service import add_member
from tests.control.api import viewer_of
from tests.control.oidc_provider import CLIENT_ID, SECRET, RunningProvider
from tests.control.people import csrf, post, sign_in
from tests.control.serving import RunningPlatform
from tests.control.signing_on import Place, actions, come_in, location, members_of, set_up

NewEmail = Callable[[], str]
PATH = "/workspace/sso"


class Desk:
    """An admin's browser."""

    def __init__(self, platform: RunningPlatform, client: httpx.Client, place: Place) -> None:
        self.platform = platform
        self.client = client
        self.admin = place.admin
        self.place = place
        self.path = f"{PATH}/{place.provider_id}"

    def row(self) -> SsoProvider:
        with self.platform.database.snapshot() as session:
            return session.get_one(SsoProvider, self.place.provider_id)

    def submit(self, path: str, **fields: str) -> httpx.Response:
        token = csrf(self.client.get(PATH).text)
        return self.client.post(path, data={"_csrf_token": token, **fields})


@pytest.fixture
def desk(platform: RunningPlatform, provider: RunningProvider, email: str) -> Iterator[Desk]:
    provider.set()
    found = platform.bootstrap(email, workspace="Acme")
    place = set_up(platform, viewer_of(platform, email), provider.url)
    with platform.client() as client:
        sign_in(client, found)
        yield Desk(platform, client, place)


def fields(provider: RunningProvider, **changes: str) -> dict[str, str]:
    return {
        "name": "Keycloak",
        "issuer": provider.url,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "domains": "example.com, example.org",
        "scopes": "",
        "role": "member",
        "admits_new": "on",
        **changes,
    }


def test_the_callback_is_told_before_there_is_a_client_and_is_the_one_that_counts(
    platform: RunningPlatform, provider: RunningProvider, desk: Desk, new_email: NewEmail
) -> None:
    shown = desk.client.get(PATH).text
    told = re.search(r'<code id="callback">([^<]+)</code>', shown)
    assert told is not None
    answer = desk.submit(PATH, **fields(provider))
    assert answer.status_code == 303
    made = desk.client.get(answer.headers["location"]).text
    assert "The provider is set up" in made
    assert told[1] in made
    assert "example.com, example.org" in made
    assert SECRET not in made
    slug = told[1].split("/")[-2]
    email = new_email()
    provider.set(subject=email, email=email)
    with platform.client() as client:
        place = Place(desk.admin, "", slug)
        assert location(client, place).startswith(told[1])
        come_in(client, place)
    assert members_of(platform, desk.place, email) == [("active", "member")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "http://127.0.0.1:1"}, "could not be reached"),
        ({"issuer": "nonsense"}, "no address such as"),
        ({"client_secret": ""}, "Enter the client secret"),
        ({"domains": "example"}, "is no domain such as"),
        ({"role": "owner"}, "Choose a Member Role"),
        ({"allow.no.such": "on"}, "does not exist"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept_but_for_the_secret(
    provider: RunningProvider, desk: Desk, changes: dict[str, str], words: str
) -> None:
    for path in (PATH, desk.path):
        if path == desk.path and "client_secret" in changes:
            continue  # means there: keep the one that there is
        answer = desk.submit(path, **fields(provider, name="Typed & kept", **changes))
        assert answer.status_code == 422
        assert words in answer.text
        assert "Typed &amp; kept" in answer.text
        assert SECRET not in answer.text
    assert desk.row().name == "Okta"


def test_an_issuer_that_calls_itself_otherwise_is_not_kept(provider: RunningProvider, desk: Desk) -> None:
    provider.set(issuer="https://elsewhere.example.com")
    answer = desk.submit(PATH, **fields(provider))
    assert answer.status_code == 422
    assert "The issuer counts to the letter" in answer.text
    assert "Add another provider" in answer.text


def test_a_change_is_in_force_and_an_empty_secret_keeps_the_old_one(
    platform: RunningPlatform, provider: RunningProvider, desk: Desk, new_email: NewEmail
) -> None:
    before = desk.row().client_secret_enc
    answer = desk.submit(desk.path, **{**fields(provider, client_secret="", role="auditor"), "is_required": "on"})
    assert answer.headers["location"].endswith("?done=saved")
    row = desk.row()
    assert (row.name, row.default_role, row.is_required, row.admits_new) == ("Keycloak", "auditor", True, True)
    assert bytes(row.client_secret_enc) == bytes(before)
    changed = {name: value for name, value in fields(provider, client_secret="").items() if name != "admits_new"}
    desk.submit(desk.path, **changed, advanced="on", **{"allow.audit.read": "on"})
    row = desk.row()
    assert (row.is_required, row.admits_new) == (False, False)
    assert row.default_permissions is not None
    assert [key for key, is_on in row.default_permissions.items() if is_on] == ["audit.read"]
    shown = desk.client.get(desk.path).text
    assert 'name="allow.audit.read" value="on" checked' in shown
    assert 'name="admits_new" value="on"> ' in shown


def test_the_test_goes_all_the_way_and_changes_nothing(
    platform: RunningPlatform, provider: RunningProvider, desk: Desk, new_email: NewEmail
) -> None:
    email = new_email()

    def test_it() -> str:
        away = desk.client.get(desk.path + "/test")
        assert away.status_code == 303, away.text
        back = httpx.get(away.headers["location"]).headers["location"]
        answer = desk.client.get(back)
        assert answer.status_code == 200
        return answer.text

    session = desk.client.cookies["cloudlet_session"]
    provider.set(subject="t-" + email, email=email, name="Grace Hopper")
    shown = test_it()
    assert "It works" in shown
    assert "Grace Hopper" in shown
    assert "would make a new account" in shown
    provider.set(subject="t-" + desk.admin.email, email=desk.admin.email)
    assert "would link your account" in test_it()
    provider.set(email_verified=False)
    assert "It does not work yet" in test_it()
    provider.set(deny="access_denied")
    assert "access_denied" in test_it()
    desk.submit(desk.path + "/disable")
    provider.set(subject="t-" + email, email=email)
    assert "It works" in test_it()
    assert desk.client.cookies["cloudlet_session"] == session
    assert members_of(platform, desk.place, email) == []
    found = actions(platform, desk.place)
    assert (found.count("sso.tested"), found.count("sso.refused"), found.count("sso.linked")) == (3, 2, 0)


def test_switching_off_and_on_unlinking_and_deleting(
    platform: RunningPlatform, provider: RunningProvider, desk: Desk, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject=email, email=email)
    with platform.client() as client:
        come_in(client, desk.place)
        shown = desk.client.get(desk.path).text
        assert email in shown
        unlink = re.search(r'action="([^"]+/unlink)"', shown)
        assert unlink is not None
        assert desk.submit(unlink[1]).headers["location"].endswith("?done=unlinked")
        assert client.get("/workspace/my-license").status_code == 303
        come_in(client, desk.place)
        desk.submit(desk.path + "/disable")
        assert client.get(f"/auth/sso/{desk.place.slug}").status_code == 409
        desk.submit(desk.path + "/enable")
        come_in(client, desk.place)
        wrong = desk.submit(desk.path + "/delete", confirm="Something else")
        assert wrong.status_code == 422
        assert "Type “Okta” to delete it" in wrong.text
        assert desk.submit(desk.path + "/delete", confirm=" Okta ").headers["location"] == PATH + "?done=deleted"
        assert client.get("/workspace/my-license").status_code == 303
        assert client.get(f"/auth/sso/{desk.place.slug}").status_code == 404
    assert members_of(platform, desk.place, email) == [("active", "member")]
    found = [action for action in actions(platform, desk.place) if action.startswith("sso.")]
    assert found[-5:] == ["sso.unlinked", "sso.linked", "sso.disabled", "sso.enabled", "sso.deleted"]
    log = desk.client.get("/workspace/audit").text
    for sentence in ("set up single sign-on with", "removed single sign-on with", "linked their account to"):
        assert sentence in log


def test_a_provider_that_a_manager_sets_up_waits_for_an_admin(
    platform: RunningPlatform, provider: RunningProvider, desk: Desk, new_email: NewEmail
) -> None:
    email = new_email()
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, email, password="four unrelated words here")
        member = add_member(session, platform.platform, desk.admin.workspace_id, user, role="member")
        member.permissions = {"sso.manage": True}
    with platform.client() as client:
        post(client, "/sign-in", email=email, password="four unrelated words here")
        token = csrf(client.get(PATH).text)
        made = client.post(PATH, data={"_csrf_token": token, **fields(provider)}).headers["location"]
        shown = client.get(made).text
        assert "Nobody comes in by it while it is off" in shown
        assert "An admin has to switch it on" in shown
        path = made.partition("?")[0]
        refused = client.post(path + "/enable", data={"_csrf_token": token})
        assert refused.status_code == 403
        assert "Only an admin switches a provider on" in refused.text
        granted = client.post(PATH, data={"_csrf_token": token, **fields(provider, role="admin")})
        assert granted.status_code == 403
    assert desk.submit(path + "/enable").headers["location"].endswith("?done=enabled")


def test_who_may_not_manage_single_sign_on_sees_nothing_of_it(
    platform: RunningPlatform, provider: RunningProvider, desk: Desk, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject=email, email=email)
    with platform.client() as client:
        come_in(client, desk.place)
        assert client.get(PATH).status_code == 403
        assert "Single sign-on" not in client.get("/getting-started").text
    with platform.database.snapshot() as session:
        query = select(SsoProvider.id).where(SsoProvider.workspace_id == desk.admin.workspace_id)
        assert session.scalars(query).all() == [desk.place.provider_id]
