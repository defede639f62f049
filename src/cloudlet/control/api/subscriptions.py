"""Plan, seats, trial."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudlet.control.api.operation import Body, Call, operation
from cloudlet.control.errors import NotFound
from cloudlet.control.licenses import subscriptions as service
from cloudlet.control.licenses.errors import (
    NoSubscription,
    NotChangeable,
    PlanNotOffered,
    SeatsInUse,
    SeatsOutOfRange,
    SubscriptionExists,
    TrialUsed,
)
from cloudlet.control.licenses.subscription_views import SubscriptionView, offer_view

SUBSCRIPTION = "/workspaces/{workspace_id}/subscription"


class PlanOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that can be chosen (`is_offered`), and what it opens."""

    code: str
    name: str
    seats: int
    most_seats: int
    opens: tuple[str, ...]
    is_current: bool
    is_offered: bool


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: trial, active, ending (canceled, good until `period_end`), past_due, canceled or expired."""

    id: str
    plan: str
    state: str
    seats: int
    used: int
    started_at: datetime
    period_end: datetime
    renews: bool


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """`subscription` is null before the first one."""

    subscription: Subscription | None
    may_start_trial: bool
    trial_days: int
    plans: tuple[PlanOffer, ...]


class Change(Body, frozen=True, kw_only=True):
    """The plan's code and the number of seats."""

    plan: str
    seats: int


@operation("GET", SUBSCRIPTION, "subscription.read")
def get_subscription(call: Call) -> Subscriptions:
    """The subscription, and the plans there are."""
    return shape(call)


@operation(
    "POST",
    SUBSCRIPTION + "/start-trial",
    "subscription.manage",
    status=201,
    once=True,
    refuses=(TrialUsed, SubscriptionExists),
)
def begin_trial(call: Call) -> Subscriptions:
    """Start the trial: once per workspace; who starts it gets the first license."""
    service.begin_trial(call.session, call.platform, call.viewer)
    return shape(call)


@operation(
    "POST",
    SUBSCRIPTION + "/change",
    "subscription.manage",
    once=True,
    refuses=(PlanNotOffered, SeatsOutOfRange, SeatsInUse, NotChangeable, NotFound),
)
def change_subscription(call: Call, body: Change) -> Subscriptions:
    """Another plan or number of seats; the first subscription, too. Who holds a license keeps it."""
    service.change_subscription(call.session, call.platform, call.viewer, plan_code=body.plan, seats=body.seats)
    return shape(call)


@operation("POST", SUBSCRIPTION + "/cancel", "subscription.manage", once=True, refuses=(NoSubscription, NotChangeable))
def cancel_subscription(call: Call) -> Subscriptions:
    """Cancel at the end of the period."""
    service.cancel(call.session, call.platform, call.viewer)
    return shape(call)


@operation("POST", SUBSCRIPTION + "/resume", "subscription.manage", once=True, refuses=(NoSubscription, NotChangeable))
def resume_subscription(call: Call) -> Subscriptions:
    """Take a cancellation back while there is time."""
    service.resume(call.session, call.platform, call.viewer)
    return shape(call)


def shape(call: Call) -> Subscriptions:
    call.session.flush()
    found = offer_view(call.session, call.platform, call.viewer.workspace_id)
    return Subscriptions(
        subscription=subscription_shape(found.current) if found.current else None,
        may_start_trial=found.may_try,
        trial_days=found.trial_days,
        plans=tuple(
            PlanOffer(
                code=plan.code,
                name=plan.display,
                seats=plan.seats,
                most_seats=plan.max_seats,
                opens=plan.opens,
                is_current=plan.is_current,
                is_offered=plan.is_offered,
            )
            for plan in found.plans
        ),
    )


def subscription_shape(found: SubscriptionView) -> Subscription:
    return Subscription(
        id=found.id,
        plan=found.plan_code,
        state=found.state,
        seats=found.seats,
        used=found.used,
        started_at=found.started,
        period_end=found.period_end,
        renews=found.renews,
    )


OPERATIONS = (
    get_subscription,
    begin_trial,
    change_subscription,
    cancel_subscription,
    resume_subscription,
)
