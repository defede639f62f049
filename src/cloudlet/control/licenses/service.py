"""Subscriptions and the assignment of licenses (seats) to members."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from cloudlet.control.audit.service import record
from cloudlet.control.licenses.errors import AlreadyAssigned, SeatsExhausted
from cloudlet.control.licenses.periods import valid_until
from cloudlet.control.licenses.plans import find_plan, seats_at_start
from cloudlet.control.licenses.renewals import settle
from cloudlet.control.licenses.seats import Seats, lock_seats, require_seat, seats_of
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.platform import Platform

__all__ = ("Holding", "Seats", "assign", "license_of", "seats_of", "start_trial", "subscribe", "unassign")


class Holding(msgspec.Struct, frozen=True):
    """A license with what it belongs to."""

    license: License
    subscription: Subscription
    plan: Plan

    @property
    def valid_until(self) -> datetime:
        return valid_until(self.license, self.subscription)

    def is_good(self, now: datetime) -> bool:
        """It opens emulators today."""
        is_active = self.license.status == "ACTIVE" and self.subscription.status in {"trialing", "active"}
        return is_active and self.valid_until > now


def start_trial(session: Session, platform: Platform, workspace_id: str, *, actor: str) -> Subscription:
    """The trial of `PLATFORM_TRIAL_DAYS` days with all features, and its seats."""
    ends = platform.later(days=platform.settings.trial_days)
    return subscribe(session, platform, workspace_id, plan_code="trial", ends=ends, actor=actor)


def subscribe(
    session: Session,
    platform: Platform,
    workspace_id: str,
    *,
    plan_code: str,
    ends: datetime,
    actor: str,
    seats: int | None = None,
) -> Subscription:
    """A subscription with one license a seat. Raises NoSuchPlan."""
    plan = find_plan(session, plan_code)
    count = seats if seats is not None else seats_at_start(plan)
    now = platform.now()
    is_trial = plan.code == "trial"
    subscription = Subscription(
        id=platform.new_id("sub"),
        workspace_id=workspace_id,
        plan_id=plan.id,
        status="trialing" if is_trial else "active",
        seats=count,
        starts_at=now,
        current_period_start=now,
        current_period_end=ends,
        trial_ends_at=ends if is_trial else None,
        source="manual",
    )
    session.add(subscription)
    session.flush()
    for number in range(1, count + 1):
        session.add(new_license(platform, subscription, number))
    session.flush()
    record(
        session,
        platform,
        workspace_id,
        actor=actor,
        action="subscription.started",
        target=subscription.id,
        data={"plan": plan.code, "seats": count},
    )
    return subscription


def new_license(platform: Platform, subscription: Subscription, seat_no: int) -> License:
    return License(
        id=platform.new_id("lic"),
        workspace_id=subscription.workspace_id,
        subscription_id=subscription.id,
        status="ACTIVE",
        seat_no=seat_no,
        issued_at=platform.now(),
        expires_at=subscription.current_period_end,
    )


def assign(session: Session, platform: Platform, workspace_id: str, membership_id: str, *, actor: str) -> License:
    """Give the member a free license. Of several at the same time, as many win as there are seats.

    A license of theirs that is over is given back for it. Raises AlreadyAssigned, SeatsExhausted, NoSubscription.
    """
    lock_seats(session, workspace_id)
    settle(session, platform, workspace_id)
    held = license_of(session, membership_id)
    if held is not None and held.license.status == "ACTIVE":
        raise AlreadyAssigned
    require_seat(session, workspace_id, membership_id)
    if held is not None:
        unassign(session, platform, workspace_id, membership_id, actor=actor)
    free = session.scalar(
        select(License.id)
        .where(
            License.workspace_id == workspace_id,
            License.assigned_membership_id.is_(None),
            License.status == "ACTIVE",
            License.expires_at > platform.now(),
        )
        .order_by(License.expires_at.desc(), License.seat_no)
        .limit(1)
    )
    if free is None:
        raise SeatsExhausted(f"All {seats_of(session, workspace_id).total} licenses are assigned.")
    try:
        with session.begin_nested():
            taken = session.scalar(take_seat(free, membership_id, platform.now()))
    except IntegrityError as error:  # the table's own last word
        raise AlreadyAssigned from error
    if taken is None:
        raise SeatsExhausted
    record(
        session,
        platform,
        workspace_id,
        actor=actor,
        action="license.assigned",
        target=taken,
        data={"membership": membership_id},
    )
    return session.get_one(License, taken, populate_existing=True)


def take_seat(license_id: str, membership_id: str, now: datetime) -> ReturningUpdate[str]:
    return (
        update(License)
        .where(License.id == license_id, License.assigned_membership_id.is_(None))
        .values(assigned_membership_id=membership_id, assigned_at=now)
        .returning(License.id)
        .execution_options(synchronize_session=False)
    )


def unassign(session: Session, platform: Platform, workspace_id: str, membership_id: str, *, actor: str) -> bool:
    """Free the member's license; False when they had none. What was issued for it is refused at the next contact."""
    freed = session.scalar(
        update(License)
        .where(License.workspace_id == workspace_id, License.assigned_membership_id == membership_id)
        .values(assigned_membership_id=None, assigned_at=None, revoke_epoch=License.revoke_epoch + 1)
        .returning(License.id)
        .execution_options(synchronize_session=False)
    )
    if freed is None:
        return False
    record(
        session,
        platform,
        workspace_id,
        actor=actor,
        action="license.unassigned",
        target=freed,
        data={"membership": membership_id},
    )
    return True


def license_of(session: Session, membership_id: str) -> Holding | None:
    """The license that a member holds, whatever its state."""
    row = session.execute(
        select(License, Subscription, Plan)
        .join(Subscription, Subscription.id == License.subscription_id)
        .join(Plan, Plan.id == Subscription.plan_id)
        .where(License.assigned_membership_id == membership_id)
    ).one_or_none()
    return Holding(row[0], row[1], row[2]) if row else None
