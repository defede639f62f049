"""What time does to subscriptions: they roll on or end, and whom it concerns is warned.

`settle` does it to one workspace, whenever its seats are about to change; the worker's task `subscriptions` to all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import record
from cloudlet.control.db import Database
from cloudlet.control.licenses.notices import ExpiryNotice
from cloudlet.control.licenses.periods import LIVING, period_after, renews, whole_days
from cloudlet.control.licenses.seats import lock_seats
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.mail.service import send_letter
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Membership, Workspace

WARN_DAYS = (14, 7, 1)
ACTOR = "system"


def run(database: Database, platform: Platform) -> None:
    """The worker's task: each workspace in a transaction of its own."""
    soon = platform.now() + timedelta(days=max(WARN_DAYS))
    with database.snapshot() as session:
        workspaces = session.scalars(
            select(Subscription.workspace_id)
            .join(Workspace, Workspace.id == Subscription.workspace_id)
            .where(
                Subscription.status.in_(LIVING),
                Subscription.current_period_end <= soon,
                Workspace.deleted_at.is_(None),
            )
            .distinct()
        ).all()
    for workspace_id in workspaces:
        with database.transaction() as session:
            lock_seats(session, workspace_id)
            settle(session, platform, workspace_id)
            for subscription in living(session, workspace_id):
                warn(session, platform, subscription)


def settle(session: Session, platform: Platform, workspace_id: str) -> None:
    """Roll on or end what is due. The workspace must be locked."""
    now = platform.now()
    for subscription in living(session, workspace_id):
        if subscription.current_period_end > now:
            continue
        if renews(subscription):
            roll_on(session, platform, subscription)
        else:
            end(session, platform, subscription)


def living(session: Session, workspace_id: str) -> list[Subscription]:
    return list(
        session.scalars(
            select(Subscription)
            .where(Subscription.workspace_id == workspace_id, Subscription.status.in_(LIVING))
            .execution_options(populate_existing=True)
        )
    )


def roll_on(session: Session, platform: Platform, subscription: Subscription) -> None:
    """Into the month that it is now, however long nobody looked."""
    start, period_end = period_after(subscription, platform.now())
    subscription.current_period_start, subscription.current_period_end = start, period_end
    set_end(session, subscription, period_end)
    record(
        session,
        platform,
        subscription.workspace_id,
        actor=ACTOR,
        action="subscription.renewed",
        target=subscription.id,
        data={"until": period_end.isoformat()},
    )


def set_end(session: Session, subscription: Subscription, period_end: datetime) -> None:
    session.flush()
    session.execute(
        update(License)
        .where(License.subscription_id == subscription.id)
        .values(expires_at=period_end)
        .execution_options(synchronize_session="fetch")
    )


def end(session: Session, platform: Platform, subscription: Subscription) -> None:
    """Its licenses open nothing any more. Who held one still does, so that a renewal finds everything as it was."""
    was_canceled = subscription.cancel_at is not None
    subscription.status = "canceled" if was_canceled else "expired"
    session.flush()
    ended = session.execute(
        update(License)
        .where(License.subscription_id == subscription.id, License.status == "ACTIVE")
        .values(status="EXPIRED", revoke_epoch=License.revoke_epoch + 1)
        .returning(License.id)
        .execution_options(synchronize_session="fetch")
    ).all()
    for action, data in (
        ("subscription.expired", {"canceled": was_canceled}),
        ("license.expired", {"licenses": len(ended)}),
    ):
        record(
            session,
            platform,
            subscription.workspace_id,
            actor=ACTOR,
            action=action,
            target=subscription.id,
            data=data,
        )
    notify(session, platform, subscription, days_left=0)


def warn(session: Session, platform: Platform, subscription: Subscription) -> None:
    """Once for each of WARN_DAYS that has come; of several that came together (a short trial, a stopped server) one mail.

    No warning covers a whole period: who starts a trial of 14 days is not told at once that 14 days are left.
    """
    now = platform.now()
    if renews(subscription):
        return
    left = subscription.current_period_end - now
    length = subscription.current_period_end - subscription.current_period_start
    come = [days for days in WARN_DAYS if left <= timedelta(days=days) < length]
    if not come:
        return
    known = sent_notices(session, subscription)
    if min(come) in known:
        return
    for days in come:
        if days not in known and days != min(come):
            remember(session, platform, subscription, days)
    record(
        session,
        platform,
        subscription.workspace_id,
        actor=ACTOR,
        action="license.expiring",
        target=subscription.id,
        data={"days": whole_days(left.total_seconds()), "until": subscription.current_period_end.isoformat()},
    )
    notify(session, platform, subscription, days_left=min(come))


def sent_notices(session: Session, subscription: Subscription) -> set[int]:
    return set(
        session.scalars(
            select(ExpiryNotice.days_left).where(
                ExpiryNotice.subscription_id == subscription.id,
                ExpiryNotice.period_end == subscription.current_period_end,
            )
        )
    )


def remember(session: Session, platform: Platform, subscription: Subscription, days_left: int) -> None:
    session.add(
        ExpiryNotice(
            subscription_id=subscription.id,
            period_end=subscription.current_period_end,
            days_left=days_left,
            sent_at=platform.now(),
        )
    )


def notify(session: Session, platform: Platform, subscription: Subscription, *, days_left: int) -> None:
    """Mail to admins and billing, and a row that keeps it from going out twice."""
    if days_left in sent_notices(session, subscription):
        return
    remember(session, platform, subscription, days_left)
    workspace = session.get_one(Workspace, subscription.workspace_id)
    plan = session.get_one(Plan, subscription.plan_id)
    ends = subscription.current_period_end
    days = whole_days((ends - platform.now()).total_seconds()) if days_left else 0
    for address in who_pays(session, workspace.id):
        send_letter(
            session,
            platform,
            "subscription_ending",
            address,
            plan=plan.display,
            workspace=workspace.name,
            days=days,
            ends=ends,
        )


def who_pays(session: Session, workspace_id: str) -> list[str]:
    """Addresses of admins and of the billing role."""
    return list(
        session.scalars(
            select(User.email)
            .join(Membership, Membership.user_id == User.id)
            .where(
                Membership.workspace_id == workspace_id,
                Membership.status == "active",
                Membership.role.in_(("admin", "billing")),
                User.disabled_at.is_(None),
            )
            .order_by(User.email)
        )
    )
