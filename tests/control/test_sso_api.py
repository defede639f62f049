"""Identity providers through the native API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from cloudlet.control.accounts.service import create_user
from cloudlet.control.permissions import PERMISSIONS
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import add_member
from tests.control.api import problem, token_client, viewer_of
from tests.control.oidc_provider import CLIENT_ID, SECRET, RunningProvider
from tests.control.serving import RunningPlatform
from tests.control.signing_on import Place, actions, come_in, travel
from tests.control.test_secrets import everything_in

NewEmail = Callable[[], str]


@pytest.fixture
def admin(platform: RunningPlatform, provider: RunningProvider, email: str) -> Viewer:
    provider.set()
    platform.bootstrap(email, workspace="Acme")
    return viewer_of(platform, email)


@pytest.fixture
def client(platform: RunningPlatform, admin: Viewer) -> Iterator[httpx.Client]:
    with token_client(platform, admin) as client:
        client.base_url = f"{client.base_url}workspaces/{admin.workspace_id}"
        yield client


def wish(provider: RunningProvider, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Keycloak",
        "issuer": provider.url,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "domains": ["Example.com"],
        **changes,
    }


def place_of(admin: Viewer, found: dict[str, Any]) -> Place:
    return Place(admin, found["id"], found["portal_url"].rpartition("/")[2])


def test_a_program_sets_single_sign_on_up_and_people_come_in(
    platform: RunningPlatform, provider: RunningProvider, client: httpx.Client, admin: Viewer, new_email: NewEmail
) -> None:
    made = client.post("/sso", json=wish(provider, role="billing"))
    assert made.status_code == 201, made.text
    found = made.json()
    assert found["domains"] == ["example.com"]
    assert (found["enabled"], found["admits_new"], found["required"], found["people"]) == (True, True, False, 0)
    assert found["callback_url"] == found["portal_url"] + "/callback"
    place = place_of(admin, found)
    email = new_email()
    provider.set(subject="api-" + email, email=email)
    with platform.client() as browser:
        come_in(browser, place)
        listed = client.get("/sso").json()["items"]
        assert [(entry["id"], entry["people"]) for entry in listed] == [(found["id"], 1)]
        (person,) = client.get(f"/sso/{found['id']}/people").json()["items"]
        assert (person["email"], person["subject"]) == (email, "api-" + email)
        assert client.delete(f"/sso/{found['id']}/people/{person['id']}").status_code == 204
        assert browser.get("/workspace/my-license").status_code == 303
        come_in(browser, place)
        one = client.get(f"/sso/{found['id']}")
        assert client.delete(f"/sso/{found['id']}", headers={"if-match": one.headers["etag"]}).status_code == 204
        assert browser.get("/workspace/my-license").status_code == 303
    assert client.get("/sso").json()["items"] == []
    assert {"sso.created", "sso.linked", "sso.unlinked", "sso.deleted"} <= set(actions(platform, place))


def test_a_change_needs_the_version_that_it_changes(client: httpx.Client, provider: RunningProvider) -> None:
    made = client.post("/sso", json=wish(provider))
    path = f"/sso/{made.json()['id']}"
    version = made.headers["etag"]
    assert client.get(path).headers["etag"] == version
    assert client.get(path, headers={"if-none-match": version}).status_code == 304
    assert problem(client.patch(path, json={"name": "Other"})) == (428, "match.required")
    changed = client.patch(path, json={"name": "Other", "required": True}, headers={"if-match": version})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["required"]) == ("Other", True)
    assert changed.json()["issuer"] == provider.url
    late = client.patch(path, json={"name": "Late"}, headers={"if-match": version})
    assert problem(late) == (412, "match.failed")
    for enabled in (False, True):
        version = client.get(path).headers["etag"]
        switched = client.patch(path, json={"enabled": enabled}, headers={"if-match": version})
        assert switched.json()["enabled"] is enabled
        assert switched.headers["etag"] != version
    current = client.get(path).headers["etag"]
    rolled = client.patch(path, json={"client_secret": "new"}, headers={"if-match": current})
    assert rolled.headers["etag"] != current
    late = client.delete(path, headers={"if-match": version})
    assert problem(late) == (412, "match.failed")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": "http://login.example.com"}, "sso.provider"),
        ({"issuer": "http://127.0.0.1:1"}, "sso.provider"),
        ({"domains": []}, "form.invalid"),
        ({"client_secret": ""}, "form.invalid"),
        ({"permissions": {"no.such": True}}, "form.invalid"),
        ({"role": "admin", "permissions": {"audit.read": True}}, "form.invalid"),
        ({"role": "owner"}, "body.invalid"),
        ({"secret": "x"}, "body.invalid"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_kept(
    client: httpx.Client, provider: RunningProvider, changes: dict[str, Any], code: str
) -> None:
    assert problem(client.post("/sso", json=wish(provider, **changes)))[1] == code
    assert client.get("/sso").json()["items"] == []


def test_the_test_says_what_is_wrong_with_a_provider(client: httpx.Client, provider: RunningProvider) -> None:
    made = client.post("/sso", json=wish(provider)).json()
    told = client.get(f"/sso/{made['id']}/discovery").json()
    assert told["token_endpoint"] == provider.url + "/token"
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    provider.set(leave_out="jwks_uri")
    answer = client.get(f"/sso/{made['id']}/discovery")
    assert problem(answer) == (422, "sso.provider")
    assert "jwks_uri" in answer.json()["detail"]


def test_a_token_gives_newcomers_no_more_than_its_scopes_and_switches_nothing_on(
    platform: RunningPlatform, provider: RunningProvider, admin: Viewer
) -> None:
    """Else a token for single sign-on would be one for everything: its holder could come in as an admin."""
    with token_client(platform, admin, {"sso.manage"}) as client:
        client.base_url = f"{client.base_url}workspaces/{admin.workspace_id}"
        for grant in ({"role": "admin"}, {"role": "auditor"}, {"permissions": {"license.assign": True}}):
            assert problem(client.post("/sso", json=wish(provider, **grant)))[0] == 403
        made = client.post("/sso", json=wish(provider))
        assert made.json()["enabled"] is False
        path, match = f"/sso/{made.json()['id']}", {"if-match": "*"}
        assert problem(client.patch(path, json={"enabled": True}, headers=match)) == (403, "sso.admin_needed")
        with token_client(platform, admin) as whole:
            whole.base_url = client.base_url
            assert whole.patch(path, json={"enabled": True}, headers=match).json()["enabled"] is True
        assert client.patch(path, json={"name": "Other"}, headers=match).json()["enabled"] is True
        assert client.patch(path, json={"domains": ["example.net"]}, headers=match).json()["enabled"] is False


def test_without_the_permission_there_is_nothing_to_see(
    platform: RunningPlatform, provider: RunningProvider, admin: Viewer, client: httpx.Client, new_email: NewEmail
) -> None:
    made = client.post("/sso", json=wish(provider)).json()
    email = new_email()
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, email)
        add_member(session, platform.platform, admin.workspace_id, user, role="member")
    with (
        token_client(platform, viewer_of(platform, email)) as member,
        token_client(platform, admin, PERMISSIONS - {"sso.manage"}) as other,
    ):
        for program in (member, other):
            for path in ("sso", f"sso/{made['id']}", f"sso/{made['id']}/people"):
                answer = program.get(f"/workspaces/{admin.workspace_id}/{path}")
                assert problem(answer) == (403, "permission.denied")


def test_the_client_secret_is_nowhere_to_be_read(
    platform: RunningPlatform, provider: RunningProvider, client: httpx.Client, admin: Viewer
) -> None:
    secret = "very s3cret and long enough"
    made = client.post("/sso", json=wish(provider, client_secret=secret), headers={"idempotency-key": "once"})
    path = f"/sso/{made.json()['id']}"
    shown = [made.text, client.get(path).text, client.get("/sso").text, client.get("/audit").text]
    with platform.client() as browser:
        shown.append(travel(browser, place_of(admin, made.json())).text)
    for text in (*shown, everything_in(platform), platform.printed()):
        assert secret not in text
    again = client.post("/sso", json=wish(provider, client_secret=secret), headers={"idempotency-key": "once"})
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["id"] == made.json()["id"]
