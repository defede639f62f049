"""Single sign-on against a real provider: who comes in, as whom, and where to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from cloudlet.control.accounts.passwords import hash_password
from cloudlet.control.accounts.service import create_user, find_user, open_session
from cloudlet.control.accounts.tables import WebSession
from cloudlet.control.members.forms import InviteForm
from cloudlet.control.members.invitations import invite
from cloudlet.control.members.service import remove_member
from cloudlet.control.sso.service import disable_provider, unlink
from cloudlet.control.sso.tables import SsoAttempt, SsoIdentity
from cloudlet.control.workspaces.service import add_member, create_workspace
from cloudlet.control.workspaces.tables import Membership
from tests.control.oidc_provider import RunningProvider
from tests.control.people import csrf, post, sequence
from tests.control.serving import RunningPlatform
from tests.control.signing_on import Place, actions, come_in, location, members_of, set_up, travel

NewEmail = Callable[[], str]


def test_a_newcomer_gets_an_account_joins_and_goes_where_they_wanted(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject=email, email=email, name="Grace Hopper")
    with platform.client() as client:
        answer = travel(client, place, next="/workspace/my-license")
        assert (answer.status_code, answer.headers["location"]) == (303, "/workspace/my-license")
        shown = client.get("/workspace/my-license")
        assert shown.status_code == 200
        assert "Acme" in shown.text
        assert "Grace Hopper" in client.get("/account").text
    assert members_of(platform, place, email) == [("active", "member")]
    assert [action for action in actions(platform, place) if not action.startswith("account.")][-2:] == [
        "member.joined",
        "sso.linked",
    ]
    with platform.database.snapshot() as session:
        mine = select(SsoAttempt).where(SsoAttempt.provider_id == place.provider_id)
        assert session.scalars(mine).all() == []


def test_who_came_once_is_known_by_the_subject_whatever_their_address_is(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    first, second = new_email(), new_email()
    provider.set(subject=first, email=first)
    with platform.client() as client:
        come_in(client, place)
    provider.set(subject=first, email=second)
    with platform.client() as client:
        come_in(client, place)
        assert first in client.get("/account").text
    assert members_of(platform, place, second) == []
    assert actions(platform, place).count("sso.linked") == 1


def test_a_member_is_linked_by_their_address_whatever_its_case(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, email)
        add_member(session, platform.platform, place.admin.workspace_id, user, role="billing")
    provider.set(subject="b-" + email, email=email.title())
    with platform.client() as client:
        come_in(client, place)
        assert client.get("/workspace/subscriptions").status_code == 200
    assert members_of(platform, place, email) == [("active", "billing")]


def test_an_account_that_is_not_of_the_workspace_is_never_taken_over(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    platform.bootstrap(email, workspace="Elsewhere")
    provider.set(subject="x-" + email, email=email)
    with platform.client() as client:
        answer = travel(client, place)
        assert answer.status_code == 403
        assert "There is an account with your address already" in answer.text
        assert "invite you" in answer.text
        assert "cloudlet_session" not in client.cookies
    assert members_of(platform, place, email) == []
    assert actions(platform, place)[-1] == "sso.refused"


def test_an_account_that_nobody_confirmed_is_made_anew(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    with platform.database.transaction() as session:
        create_user(session, platform.platform, email, password="somebody else typed this", is_verified=False)
    provider.set(subject="n-" + email, email=email, name="")
    with platform.client() as client:
        come_in(client, place)
    with platform.database.snapshot() as session:
        user = find_user(session, email)
        assert user is not None
        assert user.password_hash is None
        assert user.email_verified_at is not None


def test_who_was_removed_does_not_come_back_by_themselves(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject="r-" + email, email=email)
    with platform.client() as client:
        come_in(client, place)
        with platform.database.transaction() as session:
            user = find_user(session, email)
            assert user is not None
            member = session.scalars(select(Membership).where(Membership.user_id == user.id)).one()
            remove_member(session, platform.platform, place.admin, member.id)
        assert client.get("/workspace/my-license").headers["location"] == "/workspaces/new"
        answer = travel(client, place)
        assert answer.status_code == 403
        assert "not a member of this workspace any more" in answer.text
        provider.set(subject="another-" + email, email=email)
        assert travel(client, place).status_code == 403
    assert members_of(platform, place, email) == [("removed", "member")]


def test_an_open_invitation_is_accepted_on_the_way_in(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    with platform.database.transaction() as session:
        invite(session, platform.platform, place.admin, InviteForm(email=email, role="auditor", assign_license=True))
    provider.set(subject="i-" + email, email=email)
    with platform.client() as client:
        come_in(client, place)
    assert members_of(platform, place, email) == [("active", "auditor")]
    assert "license.assigned" in actions(platform, place)


def test_newcomers_get_the_default_role_and_permissions(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    switches = {"license.self_assign": True, "audit.read": True}
    other = set_up(platform, place.admin, provider.url, name="Entra", role="billing", permissions=switches)
    provider.set(subject="d-" + email, email=email)
    with platform.client() as client:
        come_in(client, other)
        assert client.get("/workspace/audit").status_code == 200
        assert client.get("/workspace/webhooks").status_code == 403
    assert members_of(platform, place, email) == [("active", "billing")]


def test_the_second_subject_with_an_address_is_not_the_first(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    """Addresses pass from one person to the next; an admin says when it is the same one."""
    email = new_email()
    provider.set(subject="old-" + email, email=email)
    with platform.client() as client:
        come_in(client, place)
    provider.set(subject="new-" + email, email=email)
    with platform.client() as client:
        answer = travel(client, place)
        assert answer.status_code == 403
        assert "unlink" in answer.text
        with platform.database.transaction() as session:
            identity = session.scalars(select(SsoIdentity).where(SsoIdentity.subject == "old-" + email)).one()
            unlink(session, platform.platform, place.admin, place.provider_id, identity.id)
        come_in(client, place)


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"email_verified": False}, "does not say that"),
        ({"email_verified": None}, "does not say that"),
        ({"email": "grace@elsewhere.example.org"}, "is not of example.com"),
        ({"email": "grace@notexample.com"}, "is not of example.com"),
        ({"email": ""}, "told no e-mail address"),
    ],
)
def test_without_a_confirmed_address_of_the_domain_nobody_comes_in(
    platform: RunningPlatform, provider: RunningProvider, place: Place, switches: dict[str, Any], words: str
) -> None:
    provider.set(subject=f"e-{next(sequence)}", **{"email": f"person{next(sequence)}@example.com", **switches})
    with platform.client() as client:
        answer = travel(client, place)
        assert answer.status_code == 403
        assert words in answer.text
        assert "cloudlet_session" not in client.cookies


def test_the_session_opens_the_providers_workspace_alone(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    """Also without the second factor, which the provider stands for there."""
    email = new_email()
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, email)
        user.totp_secret_enc = b"sealed"
        user.password_hash = hash_password("a password of their own")
        other = create_workspace(session, platform.platform, "Private place", user).workspace_id
        add_member(session, platform.platform, place.admin.workspace_id, user, role="member")
    provider.set(subject="o-" + email, email=email)
    with platform.client() as client:
        come_in(client, place)
        start = client.get("/workspace/my-license")
        assert start.status_code == 200
        assert "Private place" not in start.text + client.get("/account").text
        token = csrf(client.get("/account").text)
        assert client.post(f"/workspace/switch/{other}", data={"_csrf_token": token}).status_code == 404
        made = client.post("/workspaces/new", data={"_csrf_token": token, "name": "Another"})
        assert made.status_code == 403
        assert "opens one workspace only" in made.text
        assert client.get(f"/api/v1/workspaces/{other}").status_code == 404
        listed = client.get("/api/v1/workspaces").json()["items"]
        assert [entry["id"] for entry in listed] == [place.admin.workspace_id]
        changed = post(
            client,
            "/account/password",
            at="/account",
            current="a password of their own",
            new="another quite unlikely phrase",
        )
        assert changed.status_code != 303
        off = post(client, "/account/second-factor/off", at="/account/second-factor", password="")
        assert off.status_code != 303
        assert len(client.get("/api/v1/users/me/sessions").json()["items"]) == 1
        with platform.database.transaction() as session:
            open_session(session, platform.platform, user, ip="", user_agent="", with_sudo=True)
        post(client, "/account/sessions/close-others", at="/account")
        with platform.database.snapshot() as session:
            kept = session.scalars(select(WebSession.only_workspace_id).where(WebSession.user_id == user.id)).all()
        assert sorted(map(str, kept)) == sorted(["None", place.admin.workspace_id])


def test_who_has_no_password_gets_none_from_the_provider(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject="p-" + email, email=email)
    with platform.client() as client:
        come_in(client, place)
        answer = post(client, "/account/password", at="/account", new="another quite unlikely phrase")
        assert answer.status_code in {403, 422}
    with platform.database.snapshot() as session:
        user = find_user(session, email)
        assert user is not None
        assert user.password_hash is None


def test_switched_off_nobody_comes_in_and_who_did_is_signed_out(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject="s-" + email, email=email)
    with platform.client() as client, platform.client() as late:
        come_in(client, place)
        back = location(late, place)
        with platform.database.transaction() as session:
            disable_provider(session, platform.platform, place.admin, place.provider_id)
        assert client.get("/workspace/my-license").headers["location"].startswith("/sign-in")
        assert late.get(back).status_code == 409
        for path in ("", "/start"):
            assert client.get(f"/auth/sso/{place.slug}{path}").status_code == 409
    with platform.database.snapshot() as session:
        assert session.scalars(select(WebSession).where(WebSession.sso_provider_id == place.provider_id)).all() == []


def test_an_address_of_ours_alone_is_where_one_goes_afterwards(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject="w-" + email, email=email)
    with platform.client() as client:
        answer = travel(client, place, next="https://evil.example.com/")
        assert answer.headers["location"] == "/getting-started"


def test_the_request_asks_for_a_code_with_pkce_and_our_callback(platform: RunningPlatform, place: Place) -> None:
    with platform.client() as client:
        away = client.get(f"/auth/sso/{place.slug}/start").headers["location"]
        asked = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}
        cookie = next(cookie for cookie in client.cookies.jar if cookie.name.startswith("cloudlet_sso_"))
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{platform.url}/auth/sso/{place.slug}/callback"
    assert asked["scope"] == "openid email profile"
    assert cookie.path == "/auth/sso"
    assert cookie.has_nonstandard_attr("HttpOnly")
    with platform.database.snapshot() as session:
        stored = b"".join(row.secrets_enc + row.state_hash.encode() for row in session.scalars(select(SsoAttempt)))
    for secret in (asked["state"], asked["nonce"], str(cookie.value)):
        assert secret.encode() not in stored
