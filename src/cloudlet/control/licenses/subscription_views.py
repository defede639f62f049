"""How plans and subscriptions look on pages."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.licenses.periods import LIVING, renews, whole_days
from cloudlet.control.licenses.plans import all_plans, most_seats, seats_at_start
from cloudlet.control.licenses.seats import seats_of
from cloudlet.control.licenses.subscriptions import current_subscription, has_had_trial
from cloudlet.control.licenses.tables import Plan, Subscription
from cloudlet.control.platform import Platform

NOTICE_DAYS = 14
FEATURES = (
    ("platform/persistence", "State survives restarts"),
    ("platform/pods", "Cloud Pods"),
    ("platform/iam-enforcement", "IAM enforcement"),
    ("platform/insights", "Stack Insights"),
    ("platform/ci", "CI credits"),
)


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """The workspace's subscription today. `state`: trial, active, ending (canceled), past_due, canceled or expired."""

    id: str
    plan: str
    plan_code: str
    state: str
    seats: int
    used: int
    started: datetime
    period_end: datetime
    renews: bool
    is_over: bool
    days_left: int
    is_manual: bool


class PlanCard(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the comparison. `services`: the single ones that are open, none where a pattern opens all."""

    code: str
    display: str
    summary: str
    seats: int
    max_seats: int
    offline: str
    opens: tuple[str, ...]
    services: tuple[str, ...]
    is_current: bool
    is_offered: bool


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    current: SubscriptionView | None
    plans: tuple[PlanCard, ...]
    trial_days: int
    may_try: bool


class EndingNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What pages say when a subscription ends soon, or has."""

    plan: str
    is_over: bool
    days_left: int
    ends: datetime


def offer_view(session: Session, platform: Platform, workspace_id: str) -> Offer:
    subscription = current_subscription(session, workspace_id)
    current = subscription_view(session, platform, subscription) if subscription else None
    return Offer(
        current=current,
        plans=tuple(
            plan_card(plan, current)
            for plan in all_plans(session)
            if plan.is_public or plan.code == "trial" or (current is not None and current.plan_code == plan.code)
        ),
        trial_days=platform.settings.trial_days,
        may_try=(current is None or current.is_over) and not has_had_trial(session, workspace_id),
    )


def subscription_view(session: Session, platform: Platform, found: Subscription) -> SubscriptionView:
    plan = session.get_one(Plan, found.plan_id)
    left = (found.current_period_end - platform.now()).total_seconds()
    goes_on = renews(found)
    is_over = found.status not in LIVING or (left <= 0 and not goes_on)
    state = {"trialing": "trial"}.get(found.status, found.status)
    if is_over and found.status in LIVING:
        state = "expired"  # the worker has not come by yet
    elif found.status == "active" and found.cancel_at is not None:
        state = "ending"
    return SubscriptionView(
        id=found.id,
        plan=plan.display,
        plan_code=plan.code,
        state=state,
        seats=found.seats,
        used=seats_of(session, found.workspace_id).used,
        started=found.starts_at,
        period_end=found.current_period_end,
        renews=goes_on,
        is_over=is_over,
        days_left=whole_days(left),
        is_manual=found.source == "manual",
    )


def plan_card(plan: Plan, current: SubscriptionView | None) -> PlanCard:
    opens_all = "aws/*" in plan.entitlements
    services = tuple(
        sorted(
            name.removeprefix("aws/")
            for name in plan.entitlements
            if name.startswith("aws/") and name not in {"aws/*", "aws/community"}
        )
    )
    first = (
        "All AWS services" if opens_all else "Community AWS services" if "aws/community" in plan.entitlements else ""
    )
    return PlanCard(
        code=plan.code,
        display=plan.display,
        summary=plan.summary,
        seats=seats_at_start(plan),
        max_seats=most_seats(plan),
        offline=hours_in_words(plan.offline_window_h),
        opens=tuple(line for line in (first, *platform_lines(plan)) if line),
        services=() if opens_all else services,
        is_current=current is not None and current.plan_code == plan.code and not current.is_over,
        is_offered=plan.is_public and plan.code != "trial",
    )


def platform_lines(plan: Plan) -> list[str]:
    """The features that are open, with their limits."""
    opens_all = "platform/*" in plan.entitlements
    lines = []
    for name, label in FEATURES:
        limit = plan.entitlements.get(name)
        if limit is not None:
            unit = {"platform/ci": f"{limit:,} CI credits a month", "platform/pods": f"{limit:,} MB of Cloud Pods"}
            lines.append(unit.get(name, f"{label}, {limit:,}"))
        elif opens_all or name in plan.entitlements:
            lines.append(label + (" without a limit" if name in {"platform/ci", "platform/pods"} else ""))
    if opens_all:
        lines.append("All other features")
    return lines


def hours_in_words(hours: int) -> str:
    days, rest = divmod(hours, 24)
    return f"{days} days" if not rest and days > 1 else f"{hours} hours"


def ending_notice(session: Session, platform: Platform, workspace_id: str) -> EndingNotice | None:
    """None while nothing ends within NOTICE_DAYS, and where there never was a subscription."""
    found = current_subscription(session, workspace_id)
    if found is None:
        return None
    view = subscription_view(session, platform, found)
    if not view.is_over and (view.renews or view.days_left > NOTICE_DAYS or view.state == "past_due"):
        return None
    is_new_trial = view.state == "trial" and view.days_left * 2 > platform.settings.trial_days
    if is_new_trial:
        return None
    return EndingNotice(plan=view.plan, is_over=view.is_over, days_left=view.days_left, ends=view.period_end)
