"""Subscriptions: trial, plan and seats, cancel, what time does to them, and who is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from cloudlet.control.accounts.service import create_user
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.licenses import subscriptions
from cloudlet.control.licenses.periods import add_months
from cloudlet.control.licenses.renewals import run
from cloudlet.control.licenses.seats import seats_of
from cloudlet.control.licenses.service import assign, license_of
from cloudlet.control.licenses.subscription_views import ending_notice
from cloudlet.control.licenses.subscriptions import current_subscription
from cloudlet.control.licenses.tables import License, Subscription
from cloudlet.control.mail.tables import OutboxMail
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import add_member, create_workspace
from cloudlet.control.workspaces.tables import Membership
from cloudlet.license.effects import SystemEffects
from cloudlet.settings import read_platform_settings
from tests.control.people import post
from tests.control.serving import RunningPlatform

PATH = "/workspace/subscriptions"


class MovableTime(SystemEffects):
    def __init__(self) -> None:
        self.moment = datetime.fromisoformat("2026-01-31T12:00:00+00:00").timestamp()

    def now(self) -> float:
        return self.moment


class Company:
    """A workspace without a subscription, its admin, and a clock."""

    def __init__(self, database: Database, platform: Platform, time: MovableTime) -> None:
        self.database, self.platform, self.time = database, platform, time
        with database.transaction() as session:
            owner = create_workspace(session, platform, "Acme", create_user(session, platform, "owner@example.com"))
            self.owner = owner.id
            self.id = owner.workspace_id
        self.viewer = self.as_viewer(self.owner)

    def hire(self, email: str, role: str = "member") -> str:
        with self.database.transaction() as session:
            user = create_user(session, self.platform, email)
            return add_member(session, self.platform, self.id, user, role=role).id

    def as_viewer(self, membership_id: str) -> Viewer:
        with self.database.snapshot() as session:
            member = session.get_one(Membership, membership_id)
            return Viewer(
                session_id="s",
                user_id=str(member.user_id),
                email="e",
                name="",
                is_verified=True,
                has_password=True,
                has_sudo=True,
                workspace_id=self.id,
                workspace_name="Acme",
                membership_id=member.id,
                role=member.role,
                permissions=member.permissions,
            )

    def trial(self) -> None:
        with self.database.transaction() as session:
            subscriptions.begin_trial(session, self.platform, self.viewer)

    def change(self, plan: str, seats: int) -> None:
        with self.database.transaction() as session:
            subscriptions.change_subscription(session, self.platform, self.viewer, plan_code=plan, seats=seats)

    def cancel(self) -> None:
        with self.database.transaction() as session:
            subscriptions.cancel(session, self.platform, self.viewer)

    def resume(self) -> None:
        with self.database.transaction() as session:
            subscriptions.resume(session, self.platform, self.viewer)

    def assign(self, membership_id: str) -> None:
        with self.database.transaction() as session:
            assign(session, self.platform, self.id, membership_id, actor="test")

    def later(self, **span: float) -> None:
        self.time.moment += timedelta(**span).total_seconds()
        run(self.database, self.platform)

    def subscription(self) -> Subscription:
        with self.database.snapshot() as session:
            found = current_subscription(session, self.id)
            assert found is not None
            return found

    def has_license(self, membership_id: str) -> bool:
        """One that is good."""
        with self.database.snapshot() as session:
            holding = license_of(session, membership_id)
            return holding is not None and holding.is_good(self.platform.now())

    def actions(self) -> list[str]:
        with self.database.snapshot() as session:
            return list(
                session.scalars(
                    select(AuditEntry.action).where(AuditEntry.workspace_id == self.id).order_by(AuditEntry.seq)
                )
            )

    def mails(self) -> list[tuple[str, str]]:
        with self.database.snapshot() as session:
            rows = session.execute(
                select(OutboxMail.to_address, OutboxMail.subject).order_by(OutboxMail.created_at, OutboxMail.to_address)
            )
            return [(address, subject) for address, subject in rows]


@pytest.fixture
def company(fresh_database_url: str, tmp_path: Path) -> Iterator[Company]:
    time = MovableTime()
    platform = Platform(
        read_platform_settings({"PLATFORM_STATE_DIR": str(tmp_path), "PLATFORM_DATABASE_URL": fresh_database_url}),
        time,
    )
    database = Database(platform.settings)
    prepare(database, platform)
    yield Company(database, platform, time)
    database.close()


def test_a_trial_opens_everything_once_and_gives_its_starter_a_license(company: Company) -> None:
    company.trial()
    assert company.has_license(company.owner)
    with pytest.raises(Refusal) as caught:
        company.trial()
    assert caught.value.code == "subscription.exists"
    company.later(days=14, seconds=1)
    assert company.subscription().status == "expired"
    assert not company.has_license(company.owner)
    with pytest.raises(Refusal) as caught:
        company.trial()
    assert caught.value.code == "subscription.trial_used"
    assert "subscription.expired" in company.actions()


def test_who_may_not_manage_the_subscription_changes_nothing(company: Company) -> None:
    company.viewer = company.as_viewer(company.hire("m@example.com"))
    for attempt in (company.trial, company.cancel, lambda: company.change("base", 1)):
        with pytest.raises(Refusal) as caught:
            attempt()
        assert caught.value.code == "permission.denied"


def test_a_plan_after_the_trial_begins_a_month_and_everybody_keeps_their_license(company: Company) -> None:
    company.trial()
    colleague = company.hire("c@example.com")
    company.assign(colleague)
    company.later(days=3)
    company.change("ultimate", 2)
    found = company.subscription()
    assert (found.status, found.seats, found.trial_ends_at is not None) == ("active", 2, True)
    assert found.current_period_end == add_months(company.platform.now(), 1)
    assert company.has_license(company.owner)
    assert company.has_license(colleague)


def test_a_subscription_goes_on_until_it_is_canceled(company: Company) -> None:
    company.change("base", 1)
    ends = []
    for _ in range(4):
        company.later(days=29)
        ends.append(company.subscription().current_period_end.date().isoformat())
        assert company.has_license(company.owner)
    assert ends == ["2026-03-31", "2026-03-31", "2026-04-30", "2026-05-31"]  # begun on 31 January
    company.later(days=400)  # a server that was off for long
    assert company.subscription().current_period_end > company.platform.now()
    company.cancel()
    assert company.subscription().cancel_at == company.subscription().current_period_end
    assert company.has_license(company.owner)
    company.resume()
    company.later(days=40)
    assert company.has_license(company.owner)
    company.cancel()
    company.later(days=40)
    assert company.subscription().status == "canceled"
    assert not company.has_license(company.owner)
    assert company.actions().count("subscription.canceled") == 2


def test_who_renews_an_ended_subscription_finds_everything_as_it_was(company: Company) -> None:
    company.trial()
    colleague = company.hire("c@example.com")
    company.assign(colleague)
    company.later(days=20)
    assert not company.has_license(colleague)
    company.change("base", 3)
    assert company.has_license(colleague)
    assert company.has_license(company.owner)
    with company.database.snapshot() as session:
        assert seats_of(session, company.id) == type(seats_of(session, company.id))(total=3, used=2)


def test_fewer_seats_than_holders_are_refused_with_their_names(company: Company) -> None:
    company.change("ultimate", 3)
    for name in ("ann", "bob"):
        company.assign(company.hire(f"{name}@example.com"))
    with pytest.raises(Refusal) as caught:
        company.change("ultimate", 2)
    assert caught.value.code == "seats.in_use"
    assert caught.value.detail == (
        "3 licenses are in use (ann@example.com, bob@example.com, owner@example.com), 2 would be left."
    )
    with pytest.raises(Refusal):
        company.change("hobby", 1)
    company.change("ultimate", 12)
    company.change("ultimate", 3)
    company.change("ultimate", 5)
    with company.database.snapshot() as session:
        rows = session.execute(select(License.status, func.count(License.id)).group_by(License.status)).all()
    assert {row[0]: row[1] for row in rows} == {"ACTIVE": 5, "INACTIVE": 7}


@pytest.mark.parametrize(
    ("plan", "seats", "code"),
    [
        ("nonsense", 1, "plan.unknown"),
        ("trial", 1, "plan.not_offered"),
        ("base", 0, "seats.range"),
        ("base", 10_001, "seats.range"),
        ("hobby", 2, "seats.range"),
    ],
)
def test_what_cannot_be_chosen_is_refused(company: Company, plan: str, seats: int, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        company.change(plan, seats)
    assert caught.value.code == code


def test_older_names_of_plans_are_known(company: Company) -> None:
    company.change("Teams", 2)
    with company.database.snapshot() as session:
        holding = license_of(session, company.owner)
    assert holding is not None
    assert holding.plan.code == "ultimate"


def test_admins_and_billing_are_warned_once_of_each_step_to_the_end(company: Company) -> None:
    company.hire("pay@example.com", role="billing")
    company.hire("member@example.com")
    company.change("base", 1)
    company.later(days=1)
    assert company.mails() == []
    company.cancel()
    for _ in range(31):
        company.later(days=1)
        company.later(seconds=60)
    addresses = [address for address, _ in company.mails()]
    assert addresses == ["owner@example.com", "pay@example.com"] * 4
    assert [subject for _, subject in company.mails()][::2] == [
        "Base of Acme ends in 14 days",
        "Base of Acme ends in 7 days",
        "Base of Acme ends in 1 day",
        "Base of Acme has ended",
    ]
    assert company.actions().count("license.expiring") == 3
    assert company.actions().count("license.expired") == 1


def test_warnings_that_were_missed_together_are_one_mail_and_a_new_trial_is_not_warned(company: Company) -> None:
    company.trial()
    company.later(seconds=60)
    assert company.mails() == []
    company.later(days=13, hours=12)
    assert [subject for _, subject in company.mails()] == ["Trial of Acme ends in 1 day"]
    company.later(minutes=5)
    assert len(company.mails()) == 1


def test_pages_tell_of_the_end_before_and_after_it(company: Company) -> None:
    def notice() -> str:
        with company.database.snapshot() as session:
            found = ending_notice(session, company.platform, company.id)
        return "" if found is None else "over" if found.is_over else f"{found.days_left} days"

    assert notice() == ""
    company.trial()
    assert notice() == ""
    company.later(days=9)
    assert notice() == "5 days"
    company.later(days=6)
    assert notice() == "over"
    company.change("base", 1)
    assert notice() == ""


# --- the page


@pytest.fixture
def admin(platform: RunningPlatform, email: str) -> Iterator[httpx.Client]:
    """Of a workspace whose trial has just begun."""
    found = platform.bootstrap(email, workspace=f"Company of {email}")
    with platform.client() as client:
        assert post(client, found.sign_in_link.removeprefix(found.web_url)).status_code == 303
        client.headers["x-test-email"] = email
        yield client


def test_the_page_compares_plans_and_changes_them(platform: RunningPlatform, admin: httpx.Client, email: str) -> None:
    page = admin.get(PATH).text
    for name in ("Trial", "Hobby", "Base", "Ultimate", "Enterprise"):
        assert f'aria-label="{name}"' in page
    assert re.search(r"\d+ more AWS services", page)
    answer = post(admin, PATH + "/change", at=PATH, plan="base", seats="4")
    assert answer.status_code == 303
    page = admin.get(answer.headers["location"]).text
    assert "Saved." in page
    assert "renews on" in page
    refused = post(admin, PATH + "/change", at=PATH, plan="base", seats="many")
    assert refused.status_code == 422
    assert "whole number" in refused.text
    assert 'value="many"' in refused.text
    post(admin, PATH + "/cancel", at=PATH)
    assert "Canceled, ends soon" in admin.get(PATH).text
    post(admin, PATH + "/resume", at=PATH)
    assert "Canceled, ends soon" not in admin.get(PATH).text
    assert post(admin, PATH + "/trial", at=PATH).status_code == 409


def test_the_next_activation_follows_the_new_plan(platform: RunningPlatform, new_email) -> None:
    found: BootstrapResult = platform.bootstrap(new_email())
    assert platform.request_license(found.token).json()["license_type"] == "trial"
    with platform.client() as client:
        post(client, found.sign_in_link.removeprefix(found.web_url))
        post(client, PATH + "/change", at=PATH, plan="base", seats="1")
    license_ = platform.request_license(found.token).json()
    assert license_["license_type"] == "base"
    names = {product["name"] for product in license_["products"]}
    assert "aws/rds" in names
    assert "aws/*" not in names
