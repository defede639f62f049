"""Periods of subscriptions, and how long a license is good."""

from __future__ import annotations

import calendar
from datetime import datetime

from cloudlet.control.licenses.tables import License, Subscription

LIVING = frozenset({"trialing", "active", "past_due"})
DAY_SECONDS = 86_400


def add_months(moment: datetime, count: int) -> datetime:
    """The same day `count` months later, or that month's last one: from 31 January to 28 February."""
    year, month = divmod(moment.month - 1 + count, 12)
    year, month = moment.year + year, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def period_after(subscription: Subscription, now: datetime) -> tuple[datetime, datetime]:
    """The month of the subscription that `now` is in, counted from its start: nothing is lost in a short February."""
    start = subscription.starts_at
    months = max(0, (now.year - start.year) * 12 + now.month - start.month - 1)
    while add_months(start, months + 1) <= now:
        months += 1
    return add_months(start, months), add_months(start, months + 1)


def renews(subscription: Subscription) -> bool:
    """Nobody pays here, so a manual subscription goes on by itself until somebody cancels it. A trial does not."""
    return subscription.status == "active" and subscription.source == "manual" and subscription.cancel_at is None


def paid_until(subscription: Subscription) -> datetime:
    """When it ends if nothing is done. One that renews is good for the month after this period too."""
    period_end = subscription.current_period_end
    return add_months(period_end, 1) if renews(subscription) else period_end


def valid_until(license_: License, subscription: Subscription) -> datetime:
    """When the license ends: with its subscription, or before it."""
    if license_.expires_at < subscription.current_period_end:
        return license_.expires_at
    return paid_until(subscription)


def whole_days(seconds: float) -> int:
    """A begun day counts."""
    return max(0, -(-int(seconds) // DAY_SECONDS))
