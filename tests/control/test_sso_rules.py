"""Rules of single sign-on: whom the sign-in page leads where, who may join, who must come by it, who may switch it on."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import pytest
from sqlalchemy import select

from cloudlet.control.accounts.service import create_user, find_user
from cloudlet.control.errors import InvalidForm
from cloudlet.control.limits.tables import RateBucket
from cloudlet.control.members.errors import CannotGrant
from cloudlet.control.members.forms import InviteForm
from cloudlet.control.members.invitations import invite
from cloudlet.control.sso.errors import SsoAdminNeeded, SsoLimit
from cloudlet.control.sso.service import (
    MOST_PROVIDERS,
    change_provider,
    disable_provider,
    enable_provider,
    find_provider,
    form_of,
)
from cloudlet.control.sso.sign_in_pages import ENTRIES
from cloudlet.control.sso.tables import SsoIdentity
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership
from tests.control.api import token_client, viewer_of
from tests.control.lstk import Lstk, value_of
from tests.control.oidc_provider import SECRET, RunningProvider
from tests.control.people import csrf, post, sequence
from tests.control.serving import RunningPlatform
from tests.control.signing_on import Place, actions, come_in, members_of, set_up, travel

NewEmail = Callable[[], str]
PASSWORD = "four unrelated words here"


def new_domain() -> str:
    return f"d{next(sequence)}.example.org"


def boss_of(
    platform: RunningPlatform, domain: str, *, workspace: str = "Acme", password: str | None = PASSWORD
) -> Viewer:
    """The admin of a new workspace, with a mailbox in the domain."""
    email = f"boss{next(sequence)}@{domain}"
    platform.bootstrap(email, workspace=workspace, password=password)
    return viewer_of(platform, email)


def member_of(platform: RunningPlatform, place: Place, email: str, *, role: str = "member", **switches: bool) -> Viewer:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, email, password=PASSWORD)
        member = add_member(session, platform.platform, place.admin.workspace_id, user, role=role)
        member.permissions = {name.replace("__", "."): is_on for name, is_on in switches.items()} or None
    return viewer_of(platform, email)


def test_the_domain_of_an_address_leads_to_its_provider(platform: RunningPlatform, provider: RunningProvider) -> None:
    domain = new_domain()
    mine = set_up(platform, boss_of(platform, domain), provider.url, domains=(domain,))
    with platform.client() as client:
        assert "Sign in with SSO" in client.get("/sign-in").text
        answer = post(client, "/sign-in/sso", email=f"Somebody@{domain.upper()}", next="/account")
        assert answer.status_code == 303
        assert urlsplit(answer.headers["location"]).path == f"/auth/sso/{mine.slug}"
        portal = client.get(answer.headers["location"]).text
        assert "Sign in to Acme" in portal
        assert "next=%2Faccount" in portal
        unknown = post(client, "/sign-in/sso", email="somebody@nowhere.example.net")
        assert unknown.status_code == 404
        assert "No workspace here has single sign-on" in unknown.text
        set_up(platform, boss_of(platform, domain, workspace="Second"), provider.url, domains=(domain,))
        choice = post(client, "/sign-in/sso", email=f"a@{domain}")
        assert choice.status_code == 200
        assert "Where to?" in choice.text
        assert "Second, by Okta" in choice.text


def test_nobody_is_led_to_a_workspace_whose_admins_have_no_mailbox_in_the_domain(
    platform: RunningPlatform, provider: RunningProvider
) -> None:
    """Also not by an admin of that domain for whom the workspace's own provider vouches."""
    domain = new_domain()
    stranger = boss_of(platform, new_domain())
    place = set_up(platform, stranger, provider.url, domains=(domain,), role="admin")
    email = f"ceo@{domain}"
    provider.set(subject=email, email=email)
    with platform.client() as client:
        assert post(client, "/sign-in/sso", email=email).status_code == 404
        come_in(client, place)
        assert members_of(platform, place, email) == [("active", "admin")]
    with platform.client() as client:
        assert post(client, "/sign-in/sso", email=email).status_code == 404
        come_in(client, place)
        page = client.get(f"/workspace/sso/{place.provider_id}").text
        assert "once an admin has a confirmed address of it" in page


@pytest.mark.parametrize(("domain", "password"), [("gmail.com", PASSWORD), ("", None)])
def test_nobody_is_led_by_a_domain_of_everybody_or_an_admin_without_a_password(
    platform: RunningPlatform, provider: RunningProvider, domain: str, password: str | None
) -> None:
    domain = domain or new_domain()
    set_up(platform, boss_of(platform, domain, password=password), provider.url, domains=(domain,))
    with platform.client() as client:
        assert post(client, "/sign-in/sso", email=f"a@{domain}").status_code == 404


def test_without_newcomers_members_and_invited_people_alone_come_in(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    closed = set_up(platform, place.admin, provider.url, name="Closed", admits_new=False)
    stranger, invited, member = new_email(), new_email(), new_email()
    with platform.database.transaction() as session:
        invite(session, platform.platform, place.admin, InviteForm(email=invited, role="auditor"))
    member_of(platform, place, member)
    with platform.client() as client:
        assert "gets an account" not in client.get(f"/auth/sso/{closed.slug}").text
        provider.set(subject=stranger, email=stranger)
        answer = travel(client, closed)
        assert answer.status_code == 403
        assert "You are not a member of this workspace" in answer.text
        assert "cloudlet_session" not in client.cookies
    with platform.database.snapshot() as session:
        assert find_user(session, stranger) is None
    for email, role in ((invited, "auditor"), (member, "member")):
        provider.set(subject=email, email=email)
        with platform.client() as client:
            come_in(client, closed)
        assert members_of(platform, place, email) == [("active", role)]


def test_where_single_sign_on_is_required_a_members_password_opens_everything_but_that_workspace(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    member = member_of(platform, place, email)
    with platform.client() as client, token_client(platform, member) as program:
        assert post(client, "/sign-in", email=email, password=PASSWORD).status_code == 303
        assert client.get("/workspace/my-license").status_code == 200
        must = set_up(platform, place.admin, provider.url, name="Must", is_required=True)
        assert client.get("/workspace/my-license").headers["location"] == "/workspaces/new"
        shown = client.get("/workspaces/new").text
        assert "Single sign-on is required" in shown
        assert f'href="/auth/sso/{must.slug}"' in shown
        assert "By single sign-on alone" in client.get("/account").text
        assert client.get("/api/v1/workspaces").json()["items"] == []
        assert client.get(f"/api/v1/workspaces/{member.workspace_id}").status_code == 404
        assert [entry["id"] for entry in program.get("/workspaces").json()["items"]] == [member.workspace_id]
        provider.set(subject=email, email=email)
        come_in(client, must)
        assert client.get("/workspace/my-license").status_code == 200
        assert "Single sign-on is required" not in client.get("/workspaces/new").text
    with platform.client() as client:
        post(client, "/sign-in", email=email, password=PASSWORD)
        assert client.get("/workspace/my-license").status_code == 303
        with platform.database.transaction() as session:
            disable_provider(session, platform.platform, place.admin, must.provider_id)
        assert client.get("/workspace/my-license").status_code == 200


def test_admins_are_never_locked_out(platform: RunningPlatform, provider: RunningProvider) -> None:
    boss = boss_of(platform, new_domain())
    set_up(platform, boss, provider.url, is_required=True)
    with platform.client() as client:
        post(client, "/sign-in", email=boss.email, password=PASSWORD)
        assert client.get("/workspace/sso").status_code == 200


def test_only_an_admin_switches_a_provider_on(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    """Who may manage single sign-on could make somebody up who comes in as an admin."""
    manager = member_of(platform, place, new_email(), sso__manage=True)
    made = set_up(platform, manager, provider.url, name="Mine")
    with platform.client() as client:
        assert client.get(f"/auth/sso/{made.slug}").status_code == 409
    with platform.database.transaction() as session, pytest.raises(SsoAdminNeeded):
        enable_provider(session, platform.platform, manager, made.provider_id)
    with platform.database.transaction() as session:
        enable_provider(session, platform.platform, place.admin, made.provider_id)
    for change, stays_on in (
        ({"name": "Renamed", "client_secret": "another"}, True),
        ({"domains": ("example.com", "example.net")}, False),
        ({"client_id": "another"}, False),
        ({"issuer": "https://login.example.com", "client_secret": SECRET}, False),
    ):
        for actor in (place.admin, manager):
            with platform.database.transaction() as session:
                enable_provider(session, platform.platform, place.admin, made.provider_id)
                before = form_of(find_provider(session, place.admin.workspace_id, made.provider_id))
                wanted = msgspec.structs.replace(before, **change)
                row = change_provider(session, platform.platform, actor, made.provider_id, wanted)
                assert (row.disabled_at is None) is (stays_on or actor is place.admin), (change, actor.role)
                original = msgspec.structs.replace(before, client_secret=SECRET)
                change_provider(session, platform.platform, place.admin, made.provider_id, original)
    with platform.database.snapshot() as session:
        assert session.get_one(Membership, manager.membership_id).role == "member"


@pytest.mark.parametrize(
    "wanted",
    [
        {"role": "admin"},
        {"role": "billing"},
        {"permissions": {"license.assign": True}},
    ],
)
def test_nobody_lets_newcomers_be_given_what_they_do_not_have(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail, wanted: dict[str, object]
) -> None:
    manager = member_of(platform, place, new_email(), sso__manage=True)
    with pytest.raises(CannotGrant):
        set_up(platform, manager, provider.url, **wanted)
    mine = set_up(platform, manager, provider.url, permissions={"sso.manage": True})
    with platform.database.transaction() as session:
        form = form_of(find_provider(session, place.admin.workspace_id, mine.provider_id))
        with pytest.raises(CannotGrant):
            change_provider(
                session,
                platform.platform,
                manager,
                mine.provider_id,
                msgspec.structs.replace(form, **{"permissions": None, **wanted}),
            )


def test_another_issuer_gets_neither_secret_nor_people(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    email = new_email()
    provider.set(subject=email, email=email)
    with platform.client() as client:
        come_in(client, place)
        with platform.database.transaction() as session:
            form = form_of(find_provider(session, place.admin.workspace_id, place.provider_id))
            other = msgspec.structs.replace(form, issuer="https://login.example.com")
            with pytest.raises(InvalidForm, match="another client secret"):
                change_provider(session, platform.platform, place.admin, place.provider_id, other)
        assert client.get("/workspace/my-license").status_code == 200
        with platform.database.transaction() as session:
            other = msgspec.structs.replace(other, client_secret="new")
            change_provider(session, platform.platform, place.admin, place.provider_id, other)
            linked = select(SsoIdentity.id).where(SsoIdentity.provider_id == place.provider_id)
            assert session.scalars(linked).all() == []
        assert client.get("/workspace/my-license").status_code == 303
    assert actions(platform, place)[-1] == "sso.changed"


def test_a_workspace_has_ten_providers_at_most(
    platform: RunningPlatform, provider: RunningProvider, place: Place
) -> None:
    for _ in range(MOST_PROVIDERS - 1):
        set_up(platform, place.admin, provider.url)
    with pytest.raises(SsoLimit):
        set_up(platform, place.admin, provider.url)


def test_a_command_line_is_signed_in_and_a_token_shown_by_single_sign_on(
    platform: RunningPlatform, provider: RunningProvider, place: Place, new_email: NewEmail
) -> None:
    """All that a licensed start needs, without any password."""
    email = new_email()
    must = set_up(platform, place.admin, provider.url, name="Must", is_required=True)
    provider.set(subject=email, email=email)
    lstk = Lstk(platform.url)
    with lstk.client, platform.client() as client:
        opened = lstk.open()
        path = lstk.browser_path(opened)
        asked = client.get(path).headers["location"]
        assert asked.startswith("/sign-in?next=%2Fauth%2Frequest")
        assert travel(client, must, next=path).headers["location"] == path
        shown = client.get(path).text
        data = {"_csrf_token": csrf(shown), "decision": "approve", "membership_id": value_of(shown, "membership_id")}
        assert "Signed in" in client.post(path.partition("?")[0], data=data).text
        token = lstk.collect(lstk.exchange(opened))
        assert lstk.license(token)[1]["code"] == "licensing.license.not_assigned"
        page = client.get("/workspace/auth-tokens").text
        if "Create my auth token" in page:
            post(client, "/workspace/auth-tokens/create", at="/workspace/auth-tokens")
        assert "Visible" in post(client, "/workspace/auth-tokens/reveal", at="/workspace/auth-tokens").text


def test_refusals_do_not_fill_the_audit_log(platform: RunningPlatform, provider: RunningProvider, place: Place) -> None:
    provider.set(email_verified=False)
    bucket = RateBucket(
        key=f"{ENTRIES.name}:{place.provider_id}", tokens=1.0, updated_at=platform.platform.effects.now()
    )
    with platform.database.transaction() as session:
        session.add(bucket)
    with platform.client() as client:
        assert [travel(client, place).status_code for _ in range(3)] == [403] * 3
    assert actions(platform, place).count("sso.refused") == 1
