"""Users & Licenses: who may change whom, what a change does at once, and who wins when several change the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from cloudlet.control.accounts.service import create_user, make_link
from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import first_broken
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.licenses.service import assign, license_of
from cloudlet.control.licenses.tables import License
from cloudlet.control.members.views import LABELS, PAGE_SIZE
from cloudlet.control.permissions import PERMISSIONS
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership
from tests.control.people import csrf, post
from tests.control.serving import RunningPlatform

LIST = "/workspace/members"


class Person:
    """A member with a browser and a token."""

    def __init__(self, platform: RunningPlatform, workspace_id: str, email: str, **columns: Any) -> None:
        self.platform = platform
        self.email = email
        with platform.database.transaction() as session:
            user = create_user(session, platform.platform, email, name=columns.pop("name", ""))
            member = add_member(session, platform.platform, workspace_id, user, role=columns.pop("role", "member"))
            member.permissions = columns.pop("permissions", None)
            self.token = ensure_auth_token(session, platform.platform, member, actor="test").token
            self.id = member.id
            self.link = make_link(session, platform.platform, user, "magic")
        self.page = f"{LIST}/{self.id}"

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Signed in; works once."""
        with self.platform.client() as client:
            assert post(client, f"/sign-in/link/{self.link}").status_code == 303
            yield client

    def row(self) -> Membership:
        with self.platform.database.snapshot() as session:
            return session.get_one(Membership, self.id)

    def holds_license(self) -> bool:
        with self.platform.database.snapshot() as session:
            return license_of(session, self.id) is not None


@pytest.fixture
def company(platform: RunningPlatform, email: str) -> BootstrapResult:
    return platform.bootstrap(email, workspace=f"Company of {email}")


@pytest.fixture
def hire(platform: RunningPlatform, company: BootstrapResult, new_email):
    def hire_one(**columns: Any) -> Person:
        return Person(platform, company.workspace_id, new_email(), **columns)

    return hire_one


@pytest.fixture
def admin(platform: RunningPlatform, company: BootstrapResult):
    with platform.client() as client:
        assert post(client, company.sign_in_link.removeprefix(company.web_url)).status_code == 303
        yield client


def own_id(platform: RunningPlatform, company: BootstrapResult) -> str:
    """The membership of the admin."""
    with platform.database.snapshot() as session:
        return session.scalars(
            select(Membership.id).where(Membership.workspace_id == company.workspace_id, Membership.role == "admin")
        ).one()


def seats(platform: RunningPlatform, company: BootstrapResult) -> tuple[int, int]:
    """Assigned and all."""
    with platform.database.snapshot() as session:
        row = session.execute(
            select(func.count(License.assigned_membership_id), func.count(License.id)).where(
                License.workspace_id == company.workspace_id
            )
        ).one()
    return row[0], row[1]


def fill_seats(platform: RunningPlatform, company: BootstrapResult, hire, leave_free: int) -> None:
    used, total = seats(platform, company)
    for _ in range(total - used - leave_free):
        person = hire()
        with platform.database.transaction() as session:
            assign(session, platform.platform, company.workspace_id, person.id, actor="test")


def test_the_list_shows_members_seats_and_who_has_no_license(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, hire
) -> None:
    grace = hire(name="Grace Hopper")
    page = admin.get(LIST).text
    used, total = seats(platform, company)
    assert f"<strong>{used}</strong> of {total} assigned" in page
    assert "2 members" in page
    assert f'href="{grace.page}"' in page
    assert page.count("No license") == 1
    assert "(you)" in page


def test_search_finds_names_and_addresses_whatever_their_case(admin: httpx.Client, hire) -> None:
    grace, alan = hire(name="Grace Hopper"), hire(name="Alan 100% Turing")
    assert grace.page in admin.get(LIST, params={"q": "gRACE h"}).text
    assert alan.page not in admin.get(LIST, params={"q": "gRACE h"}).text
    assert alan.page in admin.get(LIST, params={"q": alan.email.upper()}).text
    assert alan.page in admin.get(LIST, params={"q": "100%"}).text
    assert grace.page not in admin.get(LIST, params={"q": "%"}).text  # no wildcard
    nobody = admin.get(LIST, params={"q": "<b>x"}).text
    assert "Nobody here is called “&lt;b&gt;x”" in nobody


def test_long_lists_have_pages(platform: RunningPlatform, admin: httpx.Client, hire, company) -> None:
    with platform.database.transaction() as session:
        for number in range(PAGE_SIZE):
            user = create_user(session, platform.platform, f"z{number}-{company.email}")
            add_member(session, platform.platform, company.workspace_id, user, role="member")
    first, second = admin.get(LIST).text, admin.get(LIST, params={"number": 2}).text
    assert first.count('class="person"') == PAGE_SIZE
    assert second.count('class="person"') == 1
    assert "Page 1 of 2" in first
    assert "Page 2 of 2" in admin.get(LIST, params={"number": 99}).text


def test_assigning_opens_the_emulator_and_unassigning_closes_it(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, hire
) -> None:
    person = hire()
    assert platform.request_license(person.token).json()["message"].endswith("UNASSIGNED")
    answer = post(admin, person.page + "/assign", at=person.page)
    assert "The license is assigned" in admin.get(answer.headers["location"]).text
    assert platform.request_license(person.token).status_code == 200
    assert "gen_0123456789ab" in admin.get(person.page).text  # what will stop is told beforehand
    answer = post(admin, person.page + "/unassign", at=person.page)
    assert "free again" in admin.get(answer.headers["location"]).text
    assert platform.request_license(person.token).json()["message"].endswith("UNASSIGNED")
    with platform.database.snapshot() as session:
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.workspace_id == company.workspace_id)
        ).all()
        assert first_broken(session, company.workspace_id) is None
    assert actions.count("license.assigned") == 2
    assert actions.count("license.unassigned") == 1


def test_the_last_seat_goes_to_exactly_one_of_many_who_are_assigned_it_at_once(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, hire
) -> None:
    people = [hire() for _ in range(5)]
    fill_seats(platform, company, hire, leave_free=1)
    form = {"_csrf_token": csrf(admin.get(people[0].page).text)}
    barrier = threading.Barrier(len(people))

    def run(person: Person) -> int:
        with platform.client() as browser:
            browser.cookies.update(admin.cookies)
            barrier.wait()
            return browser.post(person.page + "/assign", data=form).status_code

    with ThreadPoolExecutor(len(people)) as pool:
        statuses = sorted(pool.map(run, people))
    assert statuses == [303, 409, 409, 409, 409]
    assert sum(person.holds_license() for person in people) == 1
    used, total = seats(platform, company)
    assert used == total
    loser = next(person for person in people if not person.holds_license())
    page = admin.get(loser.page).text
    assert "Unassign somebody else’s license first" in page
    assert "licenses are assigned" in post(admin, loser.page + "/assign", at=loser.page).text


def test_role_and_switches_are_saved_and_in_force_at_once(platform: RunningPlatform, admin: httpx.Client, hire) -> None:
    person, other = hire(), hire()
    with person.browser() as browser:
        assert post(browser, other.page + "/assign", at=person.page).status_code == 403
        fields = {"role": "member", "advanced": "on", "allow.license.assign": "on"}
        saved = post(admin, person.page, **fields)
        assert "Saved." in admin.get(saved.headers["location"]).text
        row = person.row()
        assert row.permissions is not None
        assert {key for key, is_on in row.permissions.items() if is_on} == {"license.assign"}
        assert post(browser, other.page + "/assign", at=person.page).status_code == 303
        assert other.holds_license()
        post(admin, person.page, role="billing")
        assert (person.row().role, person.row().permissions) == ("billing", None)
        assert post(browser, other.page + "/unassign", at=person.page).status_code == 403


def test_a_form_that_no_page_makes_is_refused(admin: httpx.Client, hire) -> None:
    person = hire()
    assert post(admin, person.page, role="emperor").status_code == 422
    assert post(admin, person.page).status_code == 422
    answer = post(admin, person.page, **{"role": "member", "advanced": "on", "allow.everything": "on"})
    assert answer.status_code == 422
    assert (person.row().role, person.row().permissions) == ("member", None)


def test_the_last_admin_stays_admin_and_stays(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, hire
) -> None:
    own = own_id(platform, company)
    path = f"{LIST}/{own}"
    for answer in (
        post(admin, path, role="member"),
        post(admin, path + "/remove", at=path),
        post(admin, "/workspace/leave", at=path),
    ):
        assert answer.status_code == 409
        assert "needs an admin" in answer.text
    second = hire()
    post(admin, second.page, role="admin")
    assert post(admin, "/workspace/leave", at=path).status_code == 303
    assert admin.get(LIST).status_code == 303  # signed out of it
    assert platform.request_license(company.token).status_code == 403
    with second.browser() as browser:
        assert post(browser, "/workspace/leave", at=second.page).status_code == 409


def test_of_two_admins_who_demote_each_other_one_is_too_late(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, hire
) -> None:
    second = hire(role="admin")
    own = own_id_of_email(platform, company.email)
    with second.browser() as other:
        pairs = [(admin, second.page), (other, f"{LIST}/{own}")]
        forms = [{"_csrf_token": csrf(client.get(path).text), "role": "member"} for client, path in pairs]
        barrier = threading.Barrier(2)

        def run(index: int) -> int:
            client, path = pairs[index]
            barrier.wait()
            return client.post(path, data=forms[index]).status_code

        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(pool.map(run, range(2)))
    assert statuses[0] == 303
    assert statuses[1] in {403, 409}
    with platform.database.snapshot() as session:
        roles = session.scalars(select(Membership.role).where(Membership.workspace_id == company.workspace_id)).all()
    assert sorted(roles) == ["admin", "member"]


def own_id_of_email(platform: RunningPlatform, email: str) -> str:
    with platform.database.snapshot() as session:
        statement = select(Membership.id).join_from(Membership, User, User.id == Membership.user_id)
        return session.scalars(statement.where(User.email == email)).one()


def test_a_removed_member_loses_seat_token_and_pages_at_once(
    platform: RunningPlatform, company: BootstrapResult, admin: httpx.Client, hire
) -> None:
    person = hire()
    post(admin, person.page + "/assign", at=person.page)
    before = seats(platform, company)[0]
    with person.browser() as browser:
        assert browser.get(LIST).status_code == 200
        answer = post(admin, person.page + "/remove", at=person.page)
        assert "was removed" in admin.get(answer.headers["location"]).text
        assert browser.get(LIST).status_code == 303
    assert seats(platform, company)[0] == before - 1
    refused = platform.request_license(person.token)
    assert (refused.status_code, refused.json()["message"]) == (403, "licensing.membership.removed")
    assert person.email not in admin.get(LIST).text
    assert person.email in admin.get(LIST, params={"removed": "1"}).text
    assert admin.get(person.page).status_code == 404
    assert post(admin, person.page + "/assign", at=LIST).status_code == 404


def test_who_may_issue_a_license_for_themselves_can(platform: RunningPlatform, hire) -> None:
    person = hire(permissions={"license.self_assign": True})
    with person.browser() as browser:
        assert "Assign a license to me" in browser.get("/workspace/my-license").text
        assert post(browser, "/workspace/my-license/assign", at="/workspace/my-license").status_code == 303
    assert platform.request_license(person.token).status_code == 200


def test_nobody_gives_more_than_they_have(platform: RunningPlatform, company: BootstrapResult, hire) -> None:
    clerk, other = hire(permissions={"member.role": True, "member.remove": True}), hire()
    own = f"{LIST}/{own_id(platform, company)}"
    with clerk.browser() as browser:
        refused = [
            post(browser, clerk.page, role="admin"),
            post(browser, other.page, role="billing"),
            post(browser, clerk.page, **{"role": "member", "advanced": "on", "allow.license.assign": "on"}),
            post(browser, own, at=clerk.page, role="member"),
            post(browser, own + "/remove", at=clerk.page),
        ]
        assert [answer.status_code for answer in refused] == [403] * 5
        given = {"role": "member", "advanced": "on", "allow.member.remove": "on"}
        assert post(browser, other.page, **given).status_code == 303
    assert (other.row().permissions or {})["member.remove"]


ACTIONS = {
    "member.role": ("", {"role": "member"}),
    "license.assign": ("/assign", {}),
    "member.remove": ("/remove", {}),
}


@pytest.mark.parametrize("switch", [None, *sorted(PERMISSIONS)])
def test_each_switch_opens_its_own_routes_and_no_other(hire, switch: str | None) -> None:
    target = hire()
    actor = hire(permissions={switch: True} if switch else None)
    with actor.browser() as browser:
        assert browser.get(LIST).status_code == 200
        for permission, (suffix, fields) in ACTIONS.items():
            answer = post(browser, target.page + suffix, at=actor.page, **fields)
            assert (answer.status_code == 403) is (permission != switch), permission
        own = post(browser, "/workspace/my-license/assign", at=actor.page)
        assert (own.status_code == 403) is (switch != "license.self_assign")


@pytest.mark.parametrize("suffix", ["", "/assign", "/unassign", "/remove"])
def test_another_workspaces_member_does_not_exist(
    platform: RunningPlatform, admin: httpx.Client, new_email, suffix: str
) -> None:
    stranger = platform.bootstrap(new_email(), workspace="Strangers Ltd")
    path = f"{LIST}/{own_id_of_email(platform, stranger.email)}"
    assert admin.get(path).status_code == 404
    assert post(admin, path + suffix, at=LIST, role="member").status_code == 404
    assert stranger.email not in admin.get(LIST, params={"q": "person", "removed": "1"}).text
    assert platform.request_license(stranger.token).status_code == 200


def test_strangers_and_forged_forms_change_nothing(platform: RunningPlatform, admin: httpx.Client, hire) -> None:
    person = hire()
    with platform.client() as stranger:
        assert stranger.get(LIST).status_code == 303
        assert post(stranger, person.page + "/remove", at="/sign-in").status_code == 303
    assert admin.post(person.page + "/remove", data={"_csrf_token": "made-up"}).status_code == 403
    assert person.row().status == "active"


def test_the_page_has_a_switch_for_every_permission(admin: httpx.Client, hire) -> None:
    assert {key for _, lines in LABELS for key, _ in lines} == PERMISSIONS
    page = admin.get(hire().page).text
    for key in PERMISSIONS:
        assert f'name="allow.{key}"' in page


def test_names_are_escaped(admin: httpx.Client, hire) -> None:
    person = hire(name="<script>alert(1)</script>")
    for path in (LIST, person.page):
        assert "<script>alert(1)" not in admin.get(path).text
