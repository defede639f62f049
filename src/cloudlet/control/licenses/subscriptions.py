"""Starting, changing and ending a workspace's subscription.

There are no payments here: who has `subscription.manage` decides, and a subscription goes on until it is canceled. Each
change locks the workspace's row first, so that no seat is given away while seats are taken away.
"""

from __future__ import annotations

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.licenses.errors import (
    NoSubscription,
    NotChangeable,
    PlanNotOffered,
    SeatsInUse,
    SeatsOutOfRange,
    SubscriptionExists,
    TrialUsed,
)
from cloudlet.control.licenses.periods import LIVING, add_months
from cloudlet.control.licenses.plans import find_plan, most_seats, seats_at_start
from cloudlet.control.licenses.renewals import set_end, settle
from cloudlet.control.licenses.seats import key_holders, names_of, seats_of
from cloudlet.control.licenses.service import assign, license_of, new_license, start_trial, subscribe
from cloudlet.control.licenses.tables import License, Plan, Subscription
from cloudlet.control.members.service import lock_for
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer

NAMES_SHOWN = 8


def current_subscription(session: Session, workspace_id: str) -> Subscription | None:
    """The living one, or else the last one."""
    return session.scalar(
        select(Subscription)
        .where(Subscription.workspace_id == workspace_id)
        .order_by(
            case((Subscription.status.in_(LIVING), 0), else_=1),
            Subscription.current_period_end.desc(),
            Subscription.id.desc(),
        )
        .limit(1)
        .execution_options(populate_existing=True)
    )


def has_had_trial(session: Session, workspace_id: str) -> bool:
    found = session.scalar(
        select(Subscription.id)
        .where(Subscription.workspace_id == workspace_id, Subscription.trial_ends_at.is_not(None))
        .limit(1)
    )
    return found is not None


def begin_trial(session: Session, platform: Platform, viewer: Viewer) -> Subscription:
    """Once per workspace; who starts it gets the first license at once.

    Raises Forbidden, TrialUsed, SubscriptionExists, SeatsInUse.
    """
    actor = lock_for(session, viewer, "subscription.manage")
    settle(session, platform, viewer.workspace_id)
    current = current_subscription(session, viewer.workspace_id)
    if current is not None and current.status in LIVING:
        raise SubscriptionExists
    if has_had_trial(session, viewer.workspace_id):
        raise TrialUsed
    check_seated(session, key_holders(session, viewer.workspace_id), seats_at_start(find_plan(session, "trial")))
    started = start_trial(session, platform, viewer.workspace_id, actor=viewer.actor)
    give_first_license(session, platform, viewer, actor.id)
    return started


def give_first_license(session: Session, platform: Platform, viewer: Viewer, membership_id: str) -> None:
    """To who started it, when they have no license that is good and there is one."""
    holding = license_of(session, membership_id)
    if (holding is None or not holding.is_good(platform.now())) and seats_of(session, viewer.workspace_id).free:
        assign(session, platform, viewer.workspace_id, membership_id, actor=viewer.actor)


def change_subscription(
    session: Session, platform: Platform, viewer: Viewer, *, plan_code: str, seats: int
) -> Subscription:
    """Another plan or another number of seats; the first subscription, or the next one after an ended one, too.

    A change of a trial or an ended subscription begins a month now; else the period stays. Who holds a license keeps it.
    Raises Forbidden, NoSuchPlan, PlanNotOffered, SeatsOutOfRange, SeatsInUse, NotChangeable.
    """
    actor = lock_for(session, viewer, "subscription.manage")
    settle(session, platform, viewer.workspace_id)
    plan = find_plan(session, plan_code)
    current = current_subscription(session, viewer.workspace_id)
    check_offer(plan, current, seats)
    if current is None:
        ends = add_months(platform.now(), 1)
        current = subscribe(
            session, platform, viewer.workspace_id, plan_code=plan.code, ends=ends, actor=viewer.actor, seats=seats
        )
    else:
        keep_holders_seated(session, current, seats)
        rewrite(session, platform, viewer, current, plan, seats)
    give_first_license(session, platform, viewer, actor.id)
    return current


def check_offer(plan: Plan, current: Subscription | None, seats: int) -> None:
    """Raises PlanNotOffered, NotChangeable, SeatsOutOfRange."""
    if current is not None and current.source != "manual" and current.status in LIVING:
        raise NotChangeable
    is_kept = current is not None and plan.id == current.plan_id and plan.code != "trial"
    if not plan.is_public and not is_kept:
        raise PlanNotOffered(f"{plan.display} cannot be chosen here.")
    if not 1 <= seats <= most_seats(plan):
        most = most_seats(plan)
        raise SeatsOutOfRange(
            f"{plan.display} has one seat." if most == 1 else f"{plan.display} has from 1 to {most:,} seats."
        )


def keep_holders_seated(session: Session, subscription: Subscription, seats: int) -> None:
    """Raises SeatsInUse when more members hold a license or a legacy key than there would be seats."""
    holders = session.scalars(
        select(License.assigned_membership_id).where(
            License.subscription_id == subscription.id, License.assigned_membership_id.is_not(None)
        )
    )
    seated = frozenset(found for found in holders if found) | key_holders(session, subscription.workspace_id)
    check_seated(session, seated, seats)


def check_seated(session: Session, seated: frozenset[str], seats: int) -> None:
    """Raises SeatsInUse, with their names."""
    if len(seated) <= seats:
        return
    names = names_of(session, seated)
    shown = ", ".join(names[:NAMES_SHOWN]) + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > 8 else "")
    raise SeatsInUse(
        f"{len(seated)} licenses are in use ({shown}), {seats} would be left.",
        hint=f"Unassign {len(seated) - seats} of them first, or choose more seats.",
    )


def rewrite(
    session: Session, platform: Platform, viewer: Viewer, subscription: Subscription, plan: Plan, seats: int
) -> None:
    now = platform.now()
    before = session.get_one(Plan, subscription.plan_id)
    begins_again = subscription.status not in {"active", "past_due"}
    was_over = subscription.status not in LIVING
    if not begins_again and (before.id, subscription.seats) == (plan.id, seats):
        return
    data = {"plan": plan.code, "plan_before": before.code, "seats": seats, "seats_before": subscription.seats}
    subscription.plan_id, subscription.seats = plan.id, seats
    if begins_again:
        subscription.status, subscription.source, subscription.cancel_at = "active", "manual", None
        subscription.starts_at = subscription.current_period_start = now
        subscription.current_period_end = add_months(now, 1)
    set_seats(session, platform, subscription)
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="subscription.started" if was_over else "subscription.changed",
        target=subscription.id,
        data=data,
    )


def set_seats(session: Session, platform: Platform, subscription: Subscription) -> None:
    """As many active licenses as seats: those that somebody holds first, then the lowest numbers."""
    set_end(session, subscription, subscription.current_period_end)
    rows = session.scalars(
        select(License)
        .where(License.subscription_id == subscription.id)
        .order_by(License.seat_no)
        .execution_options(populate_existing=True)
    ).all()
    rows = sorted(rows, key=lambda row: (row.assigned_membership_id is None, row.seat_no))
    for index, row in enumerate(rows):
        if row.status != "SUSPENDED":
            row.status = "ACTIVE" if index < subscription.seats else "INACTIVE"
    last = max((row.seat_no for row in rows), default=0)
    for number in range(subscription.seats - len(rows)):
        session.add(new_license(platform, subscription, last + 1 + number))
    session.flush()


def cancel(session: Session, platform: Platform, viewer: Viewer) -> Subscription:
    """At the period's end; until then everything stays as it is. Raises Forbidden, NoSubscription, NotChangeable."""
    subscription = lock_living(session, platform, viewer)
    if subscription.cancel_at is None:
        subscription.cancel_at = subscription.current_period_end
        note_cancel(session, platform, viewer, subscription, "subscription.canceled")
    return subscription


def resume(session: Session, platform: Platform, viewer: Viewer) -> Subscription:
    """Undo `cancel` while there is time. Raises Forbidden, NoSubscription, NotChangeable."""
    subscription = lock_living(session, platform, viewer)
    if subscription.cancel_at is not None:
        subscription.cancel_at = None
        note_cancel(session, platform, viewer, subscription, "subscription.resumed")
    return subscription


def lock_living(session: Session, platform: Platform, viewer: Viewer) -> Subscription:
    lock_for(session, viewer, "subscription.manage")
    settle(session, platform, viewer.workspace_id)
    current = current_subscription(session, viewer.workspace_id)
    if current is None or current.status not in LIVING:
        raise NoSubscription
    if current.source != "manual":
        raise NotChangeable
    if current.status == "trialing":
        raise NotChangeable("A trial ends by itself.", hint="There is nothing to cancel.")
    return current


def note_cancel(session: Session, platform: Platform, viewer: Viewer, subscription: Subscription, action: str) -> None:
    session.flush()
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action=action,
        target=subscription.id,
        data={"ends": subscription.current_period_end.isoformat()},
    )
