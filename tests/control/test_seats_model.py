"""Anything that gives or takes seats, in any order: never more are taken than there are, and nobody takes two."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.service import create_user
from cloudlet.control.accounts.tables import User
from cloudlet.control.credentials.legacy_keys import create_legacy_key, delete_legacy_key, migrate_legacy_key
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.licenses import renewals, subscriptions
from cloudlet.control.licenses.periods import LIVING
from cloudlet.control.licenses.seats import seated_members, seats_of
from cloudlet.control.licenses.service import license_of
from cloudlet.control.licenses.subscriptions import current_subscription
from cloudlet.control.licenses.tables import License
from cloudlet.control.members import invitations, service
from cloudlet.control.members.forms import InviteForm
from cloudlet.control.members.tables import Invitation
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import create_workspace
from cloudlet.control.workspaces.tables import Membership
from cloudlet.license.effects import SystemEffects
from cloudlet.settings import read_platform_settings

PEOPLE = st.integers(0, 5)
LIMIT = 40


class MovableTime(SystemEffects):
    moment = datetime.fromisoformat("2026-01-31T12:00:00+00:00").timestamp()

    def now(self) -> float:
        return self.moment


class Seats(RuleBasedStateMachine):
    """Each step foretells its outcome from what is taken before it; afterwards the sums must be right."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cloudlet-seats-"))
        self.time = MovableTime()
        found = read_platform_settings({"PLATFORM_STATE_DIR": str(self.folder), "PLATFORM_LEGACY_API_KEYS": "1"})
        self.platform = Platform(found, self.time)
        self.database = Database(found)
        prepare(self.database, self.platform)
        with self.database.transaction() as session:
            owner = create_user(session, self.platform, "owner@example.com")
            member = create_workspace(session, self.platform, "Acme", owner)
            self.users = [create_user(session, self.platform, f"p{number}@example.com").id for number in range(6)]
            self.workspace, self.owner = member.workspace_id, member.id
        self.viewer = Viewer(
            session_id="s",
            user_id=owner.id,
            email=owner.email,
            name="",
            is_verified=True,
            has_password=True,
            has_sudo=True,
            workspace_id=self.workspace,
            workspace_name="Acme",
            membership_id=self.owner,
            role="admin",
            permissions=None,
        )

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)

    def attempt(self, run: Callable[..., object], *arguments: object, **named: object) -> str:
        """ "ok", or the refusal's code; a refusal changes nothing."""
        before = self.taken()
        try:
            with self.database.transaction() as session:
                run(session, self.platform, self.viewer, *arguments, **named)
        except Refusal as error:
            assert self.taken() == before
            return error.code
        return "ok"

    def taken(self) -> tuple[int, frozenset[str]]:
        with self.database.snapshot() as session:
            return seats_of(session, self.workspace).total, seated_members(session, self.workspace)

    def member(self, person: int) -> str | None:
        """The active membership."""
        with self.database.snapshot() as session:
            return session.scalar(
                select(Membership.id).where(
                    Membership.workspace_id == self.workspace,
                    Membership.user_id == self.users[person],
                    Membership.status == "active",
                )
            )

    def has_good_license(self, member: str) -> bool:
        with self.database.snapshot() as session:
            held = license_of(session, member)
            return held is not None and held.license.status == "ACTIVE"

    def settle(self) -> None:
        """What time did is done, so that the outcome of the next step can be foretold."""
        renewals.run(self.database, self.platform)

    @rule(person=PEOPLE, with_license=st.booleans())
    def invite_and_join(self, person: int, with_license: bool) -> None:
        self.settle()
        total, seated = self.taken()
        form = InviteForm(email=f"p{person}@example.com", assign_license=with_license)
        outcome = self.attempt(invitations.invite, form)
        assert outcome == ("member.exists" if self.member(person) else "ok")
        if outcome != "ok":
            return
        with self.database.transaction() as session:
            joined = self.join(session, person)
        assert joined == ("" if not with_license else "assigned" if len(seated) < total else "none_free")

    def join(self, session: Session, person: int) -> str:
        """As the link's page does; the link itself was in the mail."""
        invitation, member = session.execute(
            select(Invitation, Membership)
            .join(Membership, Membership.id == Invitation.membership_id)
            .where(Membership.invited_email == f"p{person}@example.com", Membership.status == "invited")
        ).one()
        return invitations.join(
            session, self.platform, invitation, member, session.get_one(User, self.users[person])
        ).license

    @rule(person=PEOPLE)
    def assign(self, person: int) -> None:
        self.settle()
        member = self.member(person)
        total, seated = self.taken()
        was_good = member is not None and self.has_good_license(member)
        outcome = self.attempt(service.assign_license, member or "mem_none")
        if member is None:
            assert outcome == "not_found"
        elif was_good:
            assert outcome == "license.already_assigned"
        elif total and member in seated:
            assert outcome == "ok"  # the seat that the key takes
        elif len(seated) < total:
            assert outcome == "ok"
        else:
            assert outcome == ("seats.exhausted" if total else "subscription.none")
        if outcome == "ok":
            assert self.has_good_license(str(member))

    @rule(person=PEOPLE)
    def unassign(self, person: int) -> None:
        member = self.member(person)
        if member is not None:
            assert self.attempt(service.unassign_license, member) == "ok"
            assert not self.has_good_license(member)

    @rule(person=PEOPLE)
    def remove(self, person: int) -> None:
        member = self.member(person)
        if member is not None:
            assert self.attempt(service.remove_member, member) == "ok"
            assert member not in self.taken()[1]

    @rule(person=PEOPLE)
    def make_key(self, person: int) -> None:
        self.settle()
        member = self.member(person)
        if member is None:
            return
        total, seated = self.taken()
        outcome = self.attempt(create_legacy_key, member, name="old")
        fits = total > 0 and (member in seated or len(seated) < total)
        assert outcome == ("ok" if fits else "seats.exhausted" if total else "subscription.none")

    def keys_of(self, person: int) -> list[str]:
        with self.database.snapshot() as session:
            return list(
                session.scalars(
                    select(Credential.id).where(
                        Credential.membership_id == self.member(person),
                        Credential.kind == "legacy_api",
                        Credential.revoked_at.is_(None),
                    )
                )
            )

    @rule(person=PEOPLE, migrate=st.booleans())
    def end_keys(self, person: int, migrate: bool) -> None:
        self.settle()
        total, _ = self.taken()
        for key in self.keys_of(person):
            outcome = self.attempt(migrate_legacy_key if migrate else delete_legacy_key, key)
            assert outcome == ("ok" if total or not migrate else "subscription.none")

    @rule()
    def begin_trial(self) -> None:
        self.attempt(subscriptions.begin_trial)

    @rule(plan=st.sampled_from(["hobby", "base", "ultimate"]), seats=st.integers(0, 6))
    def change(self, plan: str, seats: int) -> None:
        self.settle()
        outcome = self.attempt(subscriptions.change_subscription, plan_code=plan, seats=seats)
        fits = 1 <= seats <= (1 if plan == "hobby" else LIMIT)
        assert outcome in (("ok", "seats.in_use") if fits else ("seats.range",))
        if outcome == "ok":
            assert self.taken()[0] == seats

    @rule(back=st.booleans())
    def cancel(self, back: bool) -> None:
        self.attempt(subscriptions.resume if back else subscriptions.cancel)

    @rule(days=st.sampled_from([1, 10, 20, 40, 400]), worker=st.booleans())
    def wait(self, days: int, worker: bool) -> None:
        self.time.moment += timedelta(days=days).total_seconds()
        if worker:
            self.settle()

    @invariant()
    def no_more_are_taken_than_there_are(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.snapshot() as session:
            current = current_subscription(session, self.workspace)
            seats = seats_of(session, self.workspace)
            active = session.scalar(select(func.count(License.id)).where(License.status == "ACTIVE"))
            holders = session.scalars(
                select(License.assigned_membership_id).where(License.assigned_membership_id.is_not(None))
            ).all()
            present = set(session.scalars(select(Membership.id).where(Membership.status == "active")))
        assert len(holders) == len(set(holders))
        assert set(holders) <= present
        if current is not None and current.status in LIVING:
            assert seats.total == current.seats == active
            assert seats.used <= seats.total
        else:
            assert seats.total == 0


Seats.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=LIMIT,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
test_seats_in_any_order = Seats.TestCase
