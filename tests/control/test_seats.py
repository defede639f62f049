from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cloudlet.control.accounts.service import create_user
from cloudlet.control.accounts.tables import User
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.licenses.errors import AlreadyAssigned, NoSubscription, SeatsExhausted
from cloudlet.control.licenses.service import assign, license_of, seats_of, subscribe, unassign
from cloudlet.control.licenses.tables import License
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.workspaces.service import add_member, create_workspace
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import read_platform_settings


class Company:
    """A workspace with many members."""

    def __init__(self, database: Database, platform: Platform, members: int) -> None:
        self.database = database
        self.platform = platform
        with database.transaction() as session:
            owner = create_user(session, platform, "owner@example.com")
            membership = create_workspace(session, platform, "Acme", owner)
            self.workspace_id = membership.workspace_id
            self.members = [
                add_member(
                    session,
                    platform,
                    self.workspace_id,
                    create_user(session, platform, f"m{number}@example.com"),
                    role="member",
                ).id
                for number in range(members)
            ]

    def buy(self, seats: int) -> None:
        with self.database.transaction() as session:
            subscribe(
                session,
                self.platform,
                self.workspace_id,
                plan_code="ultimate",
                ends=self.platform.later(days=30),
                actor="test",
                seats=seats,
            )

    def assign(self, member: str) -> str:
        """ "ok", or why not."""
        try:
            with self.database.transaction() as session:
                assign(session, self.platform, self.workspace_id, member, actor="test")
        except Refusal as error:
            return type(error).__name__
        return "ok"

    def assign_all(self, members: list[str]) -> list[str]:
        """All at the same moment."""
        barrier = threading.Barrier(len(members))

        def run(member: str) -> str:
            barrier.wait()
            return self.assign(member)

        with ThreadPoolExecutor(len(members)) as pool:
            return list(pool.map(run, members))


@pytest.fixture
def company(fresh_database_url: str, tmp_path: Path):
    settings = read_platform_settings(
        {"PLATFORM_STATE_DIR": str(tmp_path), "PLATFORM_DATABASE_URL": fresh_database_url}
    )
    platform = Platform(settings, SYSTEM)
    database = Database(settings)
    prepare(database, platform)
    yield Company(database, platform, members=12)
    database.close()


def test_of_many_who_want_the_last_seat_one_gets_it(company: Company) -> None:
    company.buy(seats=1)
    outcomes = company.assign_all(company.members)
    assert sorted(outcomes) == [*["SeatsExhausted"] * 11, "ok"]
    with company.database.snapshot() as session:
        assert seats_of(session, company.workspace_id).free == 0


def test_as_many_win_as_there_are_seats(company: Company) -> None:
    company.buy(seats=5)
    outcomes = company.assign_all(company.members)
    assert outcomes.count("ok") == 5
    assert outcomes.count("SeatsExhausted") == 7
    with company.database.snapshot() as session:
        holders = session.scalars(
            select(License.assigned_membership_id).where(License.assigned_membership_id.is_not(None))
        ).all()
    assert len(holders) == len(set(holders)) == 5


def test_one_member_gets_one_license_however_often_it_is_asked_for(company: Company) -> None:
    company.buy(seats=5)
    outcomes = company.assign_all([company.members[0]] * 6)
    assert outcomes.count("ok") == 1
    assert set(outcomes) == {"ok", "AlreadyAssigned"}
    with company.database.snapshot() as session:
        assert seats_of(session, company.workspace_id).used == 1


def test_a_seat_that_was_freed_can_be_given_again_and_its_epoch_rose(company: Company) -> None:
    company.buy(seats=1)
    first, second = company.members[:2]
    assert company.assign(first) == "ok"
    with company.database.transaction() as session:
        assert unassign(session, company.platform, company.workspace_id, first, actor="test")
        assert not unassign(session, company.platform, company.workspace_id, first, actor="test")
    assert company.assign(second) == "ok"
    with company.database.snapshot() as session:
        holding = license_of(session, second)
        assert holding is not None
        assert holding.license.revoke_epoch == 1
        assert license_of(session, first) is None


def test_without_a_subscription_there_is_nothing_to_assign(company: Company) -> None:
    with company.database.transaction() as session, pytest.raises(NoSubscription):
        assign(session, company.platform, company.workspace_id, company.members[0], actor="test")


def test_another_workspaces_license_cannot_be_taken_away(company: Company) -> None:
    company.buy(seats=1)
    company.assign(company.members[0])
    with company.database.transaction() as session:
        owner = session.scalars(select(User).where(User.email == "owner@example.com")).one()
        other = create_workspace(session, company.platform, "Other", owner)
        assert not unassign(session, company.platform, other.workspace_id, company.members[0], actor="test")
        with pytest.raises(NoSubscription):
            assign(session, company.platform, other.workspace_id, other.id, actor="test")


def test_refusals_say_what_to_do(company: Company) -> None:
    company.buy(seats=1)
    company.assign(company.members[0])
    with company.database.transaction() as session:
        with pytest.raises(SeatsExhausted) as caught:
            assign(session, company.platform, company.workspace_id, company.members[1], actor="test")
        with pytest.raises(AlreadyAssigned):
            assign(session, company.platform, company.workspace_id, company.members[0], actor="test")
        assert session.scalar(select(func.count()).select_from(License)) == 1
    assert (caught.value.code, caught.value.detail) == ("seats.exhausted", "All 1 licenses are assigned.")
