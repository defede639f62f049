"""Inviting people: the mail, the link, who may accept it, what it gives, and who wins when it is used twice."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from cloudlet.control.accounts.service import create_user, find_user, make_link
from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.licenses.service import license_of, seats_of
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.members.tables import Invitation
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership
from tests.control.browsing import OpenPage
from tests.control.browsing import sign_in as sign_in_browser
from tests.control.people import csrf, post
from tests.control.serving import RunningPlatform

LIST = "/workspace/members"
PASSWORD = "four unrelated words: kettle orbit"


class Office:
    """A company, its admin's browser, and the mail that leaves it."""

    def __init__(self, platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client) -> None:
        self.platform, self.company, self.admin = platform, company, admin

    def invite(self, email: str, **fields: str) -> httpx.Response:
        return post(self.admin, LIST, email=email, **fields)

    def link(self, email: str) -> str:
        """The path of the newest invitation's link."""
        with self.platform.database.snapshot() as session:
            mail = session.scalars(
                select(OutboxMail)
                .where(
                    OutboxMail.to_address == email, OutboxMail.kind == "invitation", OutboxMail.body_enc.is_not(None)
                )
                .order_by(OutboxMail.created_at.desc(), OutboxMail.id.desc())
                .limit(1)
            ).one()
            assert mail.body_enc is not None
            text = self.platform.platform.vault.unseal(mail.body_enc, mail.id).decode()
        found = re.search(re.escape(self.platform.settings.base_url) + r"(/invite/[\w-]+)", text)
        assert found, text
        return found[1]

    def row(self, email: str) -> Membership:
        with self.platform.database.snapshot() as session:
            return session.scalars(
                select(Membership)
                .where(Membership.workspace_id == self.company.workspace_id, Membership.invited_email == email)
                .order_by(Membership.id.desc())
                .limit(1)
            ).one()

    def memberships(self, email: str) -> list[str]:
        """The states of this person's memberships here."""
        with self.platform.database.snapshot() as session:
            user = find_user(session, email)
            assert user is not None
            return list(
                session.scalars(
                    select(Membership.status)
                    .where(Membership.workspace_id == self.company.workspace_id, Membership.user_id == user.id)
                    .order_by(Membership.id)
                )
            )

    def holds_license(self, email: str) -> bool:
        with self.platform.database.snapshot() as session:
            return license_of(session, self.row(email).id) is not None

    def make_user(self, email: str) -> str:
        """An account; returns the path of a sign-in link."""
        with self.platform.database.transaction() as session:
            user = create_user(session, self.platform.platform, email)
            return "/sign-in/link/" + make_link(session, self.platform.platform, user, "magic")


@pytest.fixture
def office(platform: RunningPlatform, email: str) -> Iterator[Office]:
    company = platform.bootstrap(email, workspace=f"Company of {email}")
    with platform.client() as client:
        assert post(client, company.sign_in_link.removeprefix(company.web_url)).status_code == 303
        yield Office(platform, company, client)


def test_somebody_new_makes_an_account_by_the_link_and_is_in(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    guest = new_email()
    answer = office.invite(guest.upper(), name="Grace", role="member", assign_license="1")
    assert "on its way" in office.admin.get(answer.headers["location"]).text
    page = office.admin.get(LIST).text
    assert "Invited" in page
    assert "Grace" in page
    path = office.link(guest)
    with platform.client() as client:
        page = client.get(path).text
        assert f"Company of {office.company.email}" in page
        assert guest in page
        assert 'value="Grace"' in page
        weak = post(client, path, name="Grace", password="password1234")
        assert weak.status_code == 422
        joined = post(client, path, name="Grace Hopper", password=PASSWORD)
        assert joined.status_code == 303
        assert "A license is assigned to you" in client.get(joined.headers["location"]).text
    with platform.database.snapshot() as session:
        user = find_user(session, guest)
        assert user is not None
        assert user.email_verified_at is not None
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.workspace_id == office.company.workspace_id)
        ).all()
    assert {"member.invited", "member.joined"} <= set(actions)
    assert office.holds_license(guest)
    with platform.client() as client:
        assert client.get(path).status_code == 410
        assert post(client, "/sign-in", email=guest, password=PASSWORD).status_code == 303


def test_who_has_an_account_signs_in_as_the_invited_address(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    guest, other = new_email(), new_email()
    own_link, other_link = office.make_user(guest), office.make_user(other)
    office.invite(guest)
    path = office.link(guest)
    with platform.client() as client:
        page = client.get(path).text
        assert "You have an account with this address" in page
        assert 'action="/sign-in"' in page
        refused = client.post(path, data={"_csrf_token": csrf(page), "name": "Eve", "password": PASSWORD})
        assert refused.status_code == 409
        post(client, other_link)
        page = client.get(path).text
        assert f"You are signed in as <strong>{other}</strong>" in page
        refused = client.post(path, data={"_csrf_token": csrf(page)})
        assert refused.status_code == 403
        assert "somebody else" in refused.text or f"signed in as {other}" in refused.text
    assert office.memberships(other) == []
    with platform.client() as client:
        post(client, own_link)
        joined = post(client, path)
        assert joined.status_code == 303
        assert "An admin assigns you a license" in client.get(joined.headers["location"]).text
        assert post(client, path, at=LIST).status_code == 303  # again: nothing changes
    assert office.memberships(guest) == ["active"]
    assert not office.holds_license(guest)


def test_of_two_acceptances_at_once_one_membership_comes(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    guest = new_email()
    office.invite(guest, assign_license="1")
    path = office.link(guest)
    barrier = threading.Barrier(4)

    def run(_: int) -> int:
        with platform.client() as client:
            form = {"_csrf_token": csrf(client.get(path).text), "name": "Grace", "password": PASSWORD}
            barrier.wait()
            return client.post(path, data=form).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(run, range(4)))
    assert statuses[0] == 303
    assert set(statuses[1:]) <= {409, 410}
    assert office.memberships(guest) == ["active"]
    with platform.database.snapshot() as session:
        assert seats_of(session, office.company.workspace_id).used == 2


def test_sending_it_again_kills_the_older_link_and_canceling_both(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    guest = new_email()
    office.invite(guest)
    first = office.link(guest)
    page = f"{LIST}/{office.row(guest).id}"
    assert "Send again" in office.admin.get(page).text
    answer = post(office.admin, page + "/resend", at=page)
    assert "sent again" in office.admin.get(answer.headers["location"]).text
    second = office.link(guest)
    assert first != second
    with platform.client() as client:
        assert client.get(first).status_code == 410
        assert client.get(second).status_code == 200
        post(office.admin, page + "/cancel", at=page)
        assert client.get(second).status_code == 410
        assert "does not work any more" in client.get(second).text
    assert office.admin.get(page).status_code == 404
    assert guest not in office.admin.get(LIST).text


def test_a_link_ends_after_seven_days(platform: RunningPlatform, office: Office, new_email: Callable[[], str]) -> None:
    guest = new_email()
    office.invite(guest)
    path, row = office.link(guest), office.row(guest)
    with platform.database.transaction() as session:
        invitation = session.get_one(Invitation, row.id)
        assert (invitation.expires_at - invitation.sent_at).days == 7
        session.execute(update(Invitation).values(expires_at=platform.platform.now()))
    with platform.client() as client:
        answer = client.get(path)
        assert answer.status_code == 410
        assert "has expired" in answer.text
    assert "Invite expired" in office.admin.get(LIST).text
    post(office.admin, f"{LIST}/{row.id}/resend", at=LIST)
    with platform.client() as client:
        assert client.get(office.link(guest)).status_code == 200


def test_without_a_free_seat_they_join_and_are_told(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    guest = new_email()
    office.invite(guest, assign_license="1")
    post(office.admin, "/workspace/subscriptions/change", at="/workspace/subscriptions", plan="hobby", seats="1")
    with platform.client() as client:
        joined = post(client, office.link(guest), name="Grace", password=PASSWORD)
        page = client.get(joined.headers["location"]).text
    assert "none was free" in page
    assert "All licenses of" in page
    assert office.memberships(guest) == ["active"]
    assert not office.holds_license(guest)


def test_nobody_is_invited_twice_but_who_was_removed_again(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    guest = new_email()
    office.invite(guest)
    again = office.invite(guest.title())
    assert again.status_code == 409
    assert "is invited already" in again.text
    with platform.client() as client:
        post(client, office.link(guest), name="Grace", password=PASSWORD)
    assert "is a member of this workspace already" in office.invite(guest).text
    page = f"{LIST}/{office.row(guest).id}"
    post(office.admin, page + "/remove", at=page)
    office.invite(guest)
    with platform.client() as client:
        path = office.link(guest)
        assert post(client, "/sign-in", email=guest, password=PASSWORD, next=path).status_code == 303
        assert post(client, path).status_code == 303
    assert office.memberships(guest) == ["removed", "active"]
    shown = office.admin.get(LIST, params={"removed": "1"}).text
    assert shown.count(guest) == 1  # not once as a ghost


@pytest.mark.parametrize("address", ["", "nobody", "a b@example.com", "a@b@c", "x" * 300 + "@example.com"])
def test_an_address_that_is_none_is_refused(office: Office, address: str) -> None:
    answer = office.invite(address)
    assert answer.status_code == 422
    assert "no e-mail address" in answer.text


def test_who_invites_gives_no_more_than_they_have(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    clerk = new_email()
    link = office.make_user(clerk)
    with platform.database.transaction() as session:
        user = session.scalars(select(User).where(User.email == clerk)).one()
        member = add_member(session, platform.platform, office.company.workspace_id, user, role="member")
        member.permissions = {"member.invite": True}
    with platform.client() as client:
        post(client, link)
        page = client.get(LIST).text
        assert "Assign a license when they join" not in page
        for fields, status in (
            ({"role": "admin"}, 403),
            ({"role": "billing"}, 403),
            ({"role": "member", "assign_license": "1"}, 403),
            ({"role": "emperor"}, 422),
            ({"role": "member"}, 303),
        ):
            assert post(client, LIST, email=new_email(), **fields).status_code == status, fields


def test_another_workspaces_invitation_does_not_exist(
    platform: RunningPlatform, office: Office, new_email: Callable[[], str]
) -> None:
    guest = new_email()
    office.invite(guest)
    row = office.row(guest)
    stranger = platform.bootstrap(new_email(), workspace="Strangers Ltd")
    with platform.client() as client:
        post(client, stranger.sign_in_link.removeprefix(stranger.web_url))
        assert client.get(f"{LIST}/{row.id}").status_code == 404
        for verb in ("resend", "cancel"):
            assert post(client, f"{LIST}/{row.id}/{verb}", at=LIST).status_code == 404
    assert office.row(guest).status == "invited"


def test_made_up_links_say_nothing(platform: RunningPlatform) -> None:
    with platform.client() as client:
        for secret in ("x", "a" * 43, "%01"):
            assert client.get(f"/invite/{secret}").status_code == 410


def test_the_database_knows_no_link(platform: RunningPlatform, office: Office, new_email: Callable[[], str]) -> None:
    guest = new_email()
    office.invite(guest)
    secret = office.link(guest).removeprefix("/invite/")
    with platform.database.snapshot() as session:
        hashes = session.scalars(select(Invitation.hash)).all()
        data = session.scalars(select(AuditEntry.data)).all()
    assert secret not in hashes
    assert secret not in str(data)


def test_invite_join_not_assigned_assigned_in_a_browser(
    platform: RunningPlatform, open_page: OpenPage, new_email: Callable[[], str]
) -> None:
    """The admin's browser, the guest's browser, and the license API between them."""
    company = platform.bootstrap(new_email(), workspace="Analytical Engines")
    guest = new_email()
    admin = open_page()
    sign_in_browser(admin, company)
    admin.get_by_role("link", name="Users & Licenses").click()
    admin.get_by_text("Invite user", exact=True).click()
    admin.get_by_label("E-mail address", exact=True).fill(guest)
    admin.get_by_label("Assign a license when they join").uncheck()
    admin.get_by_role("button", name="Send invitation").click()
    expect(admin.get_by_text("The invitation is on its way.")).to_be_visible()
    expect(admin.get_by_text("Invited", exact=True)).to_be_visible()

    office = Office(platform, company, platform.client())
    page = open_page()
    page.goto(office.link(guest))
    expect(page.get_by_role("heading", name="Join Analytical Engines")).to_be_visible()
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Password, 12 characters or more").fill(PASSWORD)
    page.get_by_role("button", name="Make account and join").click()
    expect(page.get_by_text("An admin assigns you a license.")).to_be_visible()
    expect(page.get_by_text("Why not?")).to_be_visible()

    with platform.database.transaction() as session:
        member = session.get_one(Membership, office.row(guest).id)
        token = ensure_auth_token(session, platform.platform, member, actor="test").token
    refused = platform.request_license(token)
    assert refused.json()["message"] == "licensing.license.invalid_status:UNASSIGNED"
    admin.reload()
    admin.get_by_role("link", name="Ada Lovelace").click()
    admin.get_by_role("button", name="Assign license").click()
    expect(admin.get_by_text("The license is assigned.")).to_be_visible()
    assert platform.request_license(token).status_code == 200
    page.goto("/workspace/my-license")
    expect(page.get_by_role("heading", name="Assigned to you")).to_be_visible()
    office.admin.close()


@pytest.mark.parametrize(
    ("change", "role", "license_"),
    [
        ({}, "billing", "assigned"),
        ({"role": "member"}, "member", "not_given"),
        ({"role": "member", "permissions": {"license.assign": True}}, "member", "assigned"),
        ({"status": "removed"}, "member", "not_given"),
        ({"disabled": True}, "member", "not_given"),
    ],
)
def test_an_invitation_gives_no_more_than_its_author_may_give_when_it_is_accepted(
    platform: RunningPlatform,
    office: Office,
    new_email: Callable[[], str],
    change: dict[str, object],
    role: str,
    license_: str,
) -> None:
    author, guest = new_email(), new_email()
    with platform.database.transaction() as session:
        user = create_user(session, platform.platform, author)
        member_id = add_member(session, platform.platform, office.company.workspace_id, user, role="admin").id
        link = "/sign-in/link/" + make_link(session, platform.platform, user, "magic")
    with platform.client() as other:
        assert post(other, link).status_code == 303
        assert post(other, LIST, email=guest, role="billing", assign_license="1").status_code == 303
    with platform.database.transaction() as session:
        member = session.get_one(Membership, member_id)
        for name, value in change.items():
            if name == "disabled":
                session.get_one(User, user.id).disabled_at = platform.platform.now()
            else:
                setattr(member, name, value)
    with platform.client() as newcomer:
        answer = post(newcomer, office.link(guest), name="Grace", password=PASSWORD)
        assert answer.headers["location"] == f"/workspace/my-license?joined={license_}"
        assert "Welcome!" in newcomer.get(answer.headers["location"]).text
    row = office.row(guest)
    assert (row.role, row.permissions) == (role, None)
    assert office.holds_license(guest) == (license_ == "assigned")
    with platform.database.snapshot() as session:
        joined = session.scalars(
            select(AuditEntry.data).where(AuditEntry.action == "member.joined", AuditEntry.target == row.id)
        ).one()
    assert joined == {"role": role} | ({"role_asked": "billing"} if role != "billing" else {})
