"""Workspaces: made, changed (by one at a time), their rules where each acts, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import httpx
import pytest
from sqlalchemy import func, select, update

from cloudlet.control.accounts.service import create_user, make_link
from cloudlet.control.accounts.tables import WebSession
from cloudlet.control.audit.service import first_broken
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import create_token
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.licenses.tables import License, Subscription
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.workspaces.forms import read_networks
from cloudlet.control.workspaces.policies import is_address_allowed
from cloudlet.control.workspaces.service import memberships_of
from cloudlet.control.workspaces.tables import Membership, Workspace
from tests.control.people import csrf, post
from tests.control.serving import RunningPlatform

SETTINGS = "/workspace"
FORM = {
    "reveal_policy": "sudo",
    "offline_window_h": "",
    "ci_policy": "",
    "ci_quota_policy": "soft",
    "token_max_age_d": "",
    "ip_allowlist": "",
}


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace=f"Company of {email}")


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult) -> Iterator[httpx.Client]:
    with platform.client() as client:
        assert post(client, company.sign_in_link.removeprefix(company.web_url)).status_code == 303
        yield client


def save(client: httpx.Client, company: BootstrapResult, **fields: str) -> httpx.Response:
    """As a browser would: with the version that the page shows."""
    page = client.get(SETTINGS).text
    version = page.split('name="version" value="')[1].split('"')[0]
    data = {"_csrf_token": csrf(page), "version": version, "name": company.workspace, **FORM, **fields}
    return client.post(SETTINGS, data=data)


def row(platform: RunningPlatform, company: BootstrapResult) -> Workspace:
    with platform.database.snapshot() as session:
        return session.get_one(Workspace, company.workspace_id)


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


# --- making


def test_who_belongs_nowhere_is_led_to_making_a_workspace(platform: RunningPlatform, email: str) -> None:
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, email)
        link = make_link(session, platform.platform, user, "magic")
        user_id = user.id
    with platform.client() as client:
        post(client, f"/sign-in/link/{link}")
        assert client.get("/getting-started").headers["location"] == "/workspaces/new"
        refused = post(client, "/workspaces/new", name=" ", country="DE")
        assert refused.status_code == 422
        assert 'value="DE" selected' in refused.text
        fields = {"name": "Acme  Research", "is_company": "1", "country": "DE", "tax_id": "DE 123456789"}
        assert post(client, "/workspaces/new", **fields).headers["location"] == "/getting-started"
        page = client.get("/getting-started").text
        assert "Start the 14-day trial" in page
        post(client, "/workspace/subscriptions/trial", at="/getting-started")
        assert "A license is assigned to you" in client.get("/getting-started").text
        settings = client.get(SETTINGS).text
        assert 'value="Acme Research"' in settings
        assert 'value="DE 123456789"' in settings
    with platform.database.snapshot() as session:
        (member, workspace), *others = memberships_of(session, user_id)
    assert (member.role, workspace.is_company, workspace.country, others) == ("admin", True, "DE", [])


def test_a_second_workspace_is_looked_at_at_once(platform: RunningPlatform, admin: httpx.Client) -> None:
    post(admin, "/workspaces/new", name="Second <b>")
    page = admin.get("/getting-started").text
    assert "<strong>Second &lt;b&gt;</strong>" in page
    assert "Start the 14-day trial" in page
    mine = admin.get("/workspace/my-license").text
    assert "You hold one in workspace" in mine  # the first one's


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "has a name"),
        ({"name": "x" * 81}, "80 characters"),
        ({"name": "Acme", "country": "XX"}, "Choose a country"),
        ({"name": "Acme", "tax_id": "<script>"}, "tax id"),
    ],
)
def test_facts_that_cannot_be_are_refused(admin: httpx.Client, fields: dict[str, str], said: str) -> None:
    answer = post(admin, "/workspaces/new", **fields)
    assert answer.status_code == 422
    assert said in answer.text


# --- settings


def test_settings_are_saved_and_in_the_audit_log(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client
) -> None:
    changes = {"name": "Renamed", "country": "FR", "ci_policy": "enforce", "ip_allowlist": "10.0.0.0/8, 127.0.0.1"}
    answer = save(admin, company, **changes)
    assert answer.status_code == 303
    page = admin.get(answer.headers["location"]).text
    assert "Saved." in page
    assert "<strong>Renamed</strong>" in page
    found = row(platform, company)
    assert found.settings["ip_allowlist"] == ["10.0.0.0/8", "127.0.0.1/32"]
    assert "token_max_age_d" not in found.settings
    with platform.database.snapshot() as session:
        entry = session.scalars(
            select(AuditEntry).where(
                AuditEntry.workspace_id == company.workspace_id, AuditEntry.action == "workspace.updated"
            )
        ).one()
        assert first_broken(session, company.workspace_id) is None
    assert set(entry.data["changed"]) == {"name", "country", "ci_policy", "ip_allowlist"}


def test_of_two_who_save_the_same_settings_the_second_is_told(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client
) -> None:
    page = admin.get(SETTINGS).text
    stale = {"_csrf_token": csrf(page), "version": "1", "name": "Mine", **FORM}
    assert save(admin, company, name="Theirs").status_code == 303
    answer = admin.post(SETTINGS, data=stale)
    assert answer.status_code == 409
    assert "Somebody else changed these settings" in answer.text
    assert 'value="Theirs"' in answer.text
    assert row(platform, company).name == "Theirs"
    assert save(admin, company, name="Mine").status_code == 303


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"offline_window_h": "25"}, "from 1 to 24"),
        ({"offline_window_h": "0"}, "from 1 to 24"),
        ({"token_max_age_d": "soon"}, "whole number"),
        ({"reveal_policy": "always"}, "Choose one"),
        ({"ip_allowlist": "10.0.0.1/8"}, "host bits"),
        ({"ip_allowlist": "example.com"}, "no network"),
        ({"version": "x"}, "Reload"),
    ],
)
def test_settings_that_cannot_be_are_refused_and_stay_to_be_corrected(
    company: BootstrapResult, admin: httpx.Client, fields: dict[str, str], said: str
) -> None:
    answer = save(admin, company, **{"tax_id": "KEEP-1", **fields})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="KEEP-1"' in answer.text


def test_members_neither_see_nor_change_settings(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, new_email: Callable[[], str]
) -> None:
    stranger = platform.bootstrap(new_email())
    with platform.database.transaction() as session:
        session.execute(
            update(Membership).where(Membership.workspace_id == stranger.workspace_id).values(role="member")
        )
    with platform.client() as client:
        post(client, stranger.sign_in_link.removeprefix(stranger.web_url))
        assert client.get(SETTINGS).status_code == 403
        assert post(client, SETTINGS, at="/getting-started", name="Mine").status_code == 403
        assert post(client, SETTINGS + "/delete", at="/getting-started", confirm="x").status_code == 403
    assert row(platform, company).name == company.workspace


# --- each policy where it acts


def test_licenses_are_given_to_networks_of_the_list_only(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client
) -> None:
    save(admin, company, ip_allowlist="192.0.2.0/24")
    refused = platform.request_license(company.token)
    assert (refused.status_code, reason(refused)) == (403, "licensing.address.not_allowed")
    assert "127.0.0.1" in refused.json()["detail"]
    save(admin, company, ip_allowlist="192.0.2.0/24\n127.0.0.0/8")
    assert platform.request_license(company.token).status_code == 200


def test_an_address_is_compared_in_every_form_of_it() -> None:
    def allowed(ip: str, *networks: str) -> bool:
        return is_address_allowed(Workspace(settings={"ip_allowlist": list(networks)}), ip)

    assert allowed("anything")
    assert allowed("10.1.2.3", "10.0.0.0/8")
    assert allowed("::ffff:10.1.2.3", "10.0.0.0/8")
    assert allowed("2001:db8::1%eth0", "2001:db8::/32")
    assert not allowed("11.1.2.3", "10.0.0.0/8")
    assert not allowed("2001:db8::1", "10.0.0.0/8")
    assert not allowed("", "0.0.0.0/0")
    assert read_networks("2001:DB8:0::/32\n10.0.0.0/8 10.0.0.0/8") == ("2001:db8::/32", "10.0.0.0/8")


def test_the_offline_window_is_the_workspaces_and_never_more_than_the_plans(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client
) -> None:
    def hours() -> float:
        license_ = platform.request_license(company.token).json()
        start, end = (datetime.fromisoformat(license_[name]) for name in ("issue_date", "reactivate_after"))
        return (end - start).total_seconds() / 3600

    assert hours() == 24
    save(admin, company, offline_window_h="6")
    assert hours() == 6
    with platform.database.transaction() as session:  # as if the plan had been better once
        session.get_one(Workspace, company.workspace_id).settings = {"offline_window_h": 400}
    assert hours() == 24


def test_old_tokens_are_refused(platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client) -> None:
    save(admin, company, token_max_age_d="30")
    assert platform.request_license(company.token).status_code == 200
    with platform.database.transaction() as session:
        session.execute(
            update(Credential)
            .where(Credential.workspace_id == company.workspace_id)
            .values(created_at=platform.platform.later(days=-31))
        )
    assert reason(platform.request_license(company.token)) == "licensing.credentials.expired"


def test_developers_tokens_in_ci_are_refused_where_the_workspace_says_so(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client
) -> None:
    assert platform.request_license(company.token, machine={"ci": True}).status_code == 200
    save(admin, company, ci_policy="enforce")
    refused = platform.request_license(company.token, machine={"ci": True})
    assert reason(refused) == "licensing.credentials.ci_required"
    assert platform.request_license(company.token).status_code == 200


def test_tokens_are_shown_again_once_or_never(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client
) -> None:
    tokens = "/workspace/auth-tokens"
    assert company.token in post(admin, tokens + "/reveal", at=tokens).text
    save(admin, company, reveal_policy="once")
    with platform.database.snapshot() as session:
        sealed = session.scalar(
            select(func.count(Credential.id)).where(
                Credential.workspace_id == company.workspace_id, Credential.secret_enc.is_not(None)
            )
        )
    assert sealed == 0
    page = admin.get(tokens).text
    assert "does not show tokens again" in page
    assert "/reveal" not in page
    assert post(admin, tokens + "/reveal", at=tokens).status_code == 409
    assert platform.request_license(company.token).status_code == 200
    reset = post(admin, tokens + "/reset", at=tokens, confirm="reset").text
    assert "Copy it now" in reset
    token = reset.split('<code id="token">')[1].split("<")[0]
    assert platform.request_license(token).status_code == 200
    assert token not in admin.get(tokens).text
    save(admin, company, reveal_policy="never")
    assert '<code id="token">' not in post(admin, tokens + "/reset", at=tokens, confirm="reset").text


# --- deleting


def test_a_deleted_workspace_opens_nothing_any_more(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, new_email: Callable[[], str]
) -> None:
    guest = new_email()
    post(admin, "/workspace/members", email=guest)
    with platform.database.transaction() as session:
        key = create_token(
            session, platform.platform, company.workspace_id, kind="ci", membership=None, name="build", actor="test"
        ).token
    assert platform.request_license(key).status_code == 200
    wrong = post(admin, SETTINGS + "/delete", at=SETTINGS, confirm="Something else")
    assert wrong.status_code == 422
    assert "Type “" in wrong.text
    gone = post(admin, SETTINGS + "/delete", at=SETTINGS, confirm=company.workspace.upper())
    assert gone.status_code == 303
    assert admin.get("/getting-started").headers["location"] == "/workspaces/new"
    for token in (company.token, key):
        refused = platform.request_license(token)
        assert (refused.status_code, reason(refused)) == (403, "licensing.membership.removed")
    with platform.database.snapshot() as session:
        assert session.get_one(Workspace, company.workspace_id).deleted_at is not None
        members = session.scalars(
            select(Membership.status).where(Membership.workspace_id == company.workspace_id)
        ).all()
        licenses = session.execute(
            select(License.status, License.assigned_membership_id).where(License.workspace_id == company.workspace_id)
        ).all()
        status = session.scalar(select(Subscription.status).where(Subscription.workspace_id == company.workspace_id))
        mails = session.scalars(select(OutboxMail.subject).where(OutboxMail.to_address == company.email)).all()
        looked_at = session.scalars(select(WebSession.id).where(WebSession.workspace_id == company.workspace_id)).all()
    assert set(members) == {"removed"}
    assert {tuple(row) for row in licenses} == {("INACTIVE", None)}
    assert status == "canceled"
    assert mails == [f"The workspace {company.workspace} was deleted"]
    assert looked_at == []


def test_deleting_asks_for_the_password_when_signing_in_was_a_while_ago(
    platform: RunningPlatform, new_email: Callable[[], str]
) -> None:
    company = platform.bootstrap(new_email(), password="four unrelated words")
    with platform.client() as client:
        post(client, company.sign_in_link.removeprefix(company.web_url))
        with platform.database.transaction() as session:
            session.execute(update(WebSession).values(sudo_until=None))
        for password in ("", "wrong"):
            answer = post(client, SETTINGS + "/delete", at=SETTINGS, confirm=company.workspace, password=password)
            assert answer.status_code == 403
            assert "password is wrong" in answer.text
        fields = {"confirm": company.workspace, "password": "four unrelated words"}
        assert post(client, SETTINGS + "/delete", at=SETTINGS, **fields).status_code == 303
