"""The credits of the current period: used, left, by day and by project."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloudlet.control.activations.grants import subscription_of
from cloudlet.control.ci.credits import find_period, policy_of, quota_of, span_of
from cloudlet.control.ci.tables import CiCharge
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Workspace

PROJECTS_SHOWN = 10
CHART_WIDTH, CHART_HEIGHT, CHART_FOOT, CHART_HEAD = 640, 150, 20, 16
GAP = 0.28  # of a day's width


class DayView(msgspec.Struct, frozen=True):
    day: date
    used: int


class ProjectView(msgspec.Struct, frozen=True):
    """`name` is "" for runs that named none."""

    name: str
    used: int


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """Credits from `start` until `end`. `quota` None: no limit. `forecast`: what it comes to if it goes on like this."""

    plan: str
    start: datetime
    end: datetime
    quota: int | None
    used: int
    policy: str
    forecast: int
    days: tuple[DayView, ...]
    projects: tuple[ProjectView, ...]

    @property
    def left(self) -> int | None:
        return None if self.quota is None else max(0, self.quota - self.used)

    @property
    def percent(self) -> int:
        """Of the quota, rounded down; 0 where there is none."""
        return self.used * 100 // self.quota if self.quota else 0


def usage_view(session: Session, platform: Platform, workspace_id: str) -> UsageView | None:
    """None without a subscription."""
    found = subscription_of(session, platform, workspace_id)
    if found is None:
        return None
    subscription, plan = found
    now = platform.now()
    span = span_of(subscription, now)
    period = find_period(session, workspace_id, span.start)
    used = period.used if period else 0
    elapsed = max((min(now, span.end) - span.start).total_seconds(), 86400.0)
    return UsageView(
        plan=plan.display,
        start=span.start,
        end=span.end,
        quota=quota_of(plan),
        used=used,
        policy=policy_of(session.get_one(Workspace, workspace_id)),
        forecast=max(used, round(used * max(1.0, (span.end - span.start).total_seconds() / elapsed))),
        days=days_of(span.start, span.end, used_by_day(session, period.id) if period else {}),
        projects=used_by_project(session, period.id) if period else (),
    )


def used_by_day(session: Session, period_id: str) -> dict[str, int]:
    """Days in UTC, as 2026-11-24."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    day = func.date(CiCharge.at if is_sqlite else func.timezone("UTC", CiCharge.at))
    rows = session.execute(select(day, func.count(CiCharge.id)).where(CiCharge.period_id == period_id).group_by(day))
    return {str(found): int(count) for found, count in rows}


def days_of(start: datetime, end: datetime, used: Mapping[str, int]) -> tuple[DayView, ...]:
    """Every day of the period, also those without a run."""
    first = start.astimezone(UTC).date()
    last = (end.astimezone(UTC) - timedelta(seconds=1)).date()
    count = max(1, (last - first).days + 1)
    days = [first + timedelta(days=number) for number in range(count)]
    return tuple(DayView(day, used.get(day.isoformat(), 0)) for day in days)


def used_by_project(session: Session, period_id: str) -> tuple[ProjectView, ...]:
    rows = session.execute(
        select(CiCharge.project, func.count(CiCharge.id).label("used"))
        .where(CiCharge.period_id == period_id)
        .group_by(CiCharge.project)
        .order_by(func.count(CiCharge.id).desc(), CiCharge.project)
        .limit(PROJECTS_SHOWN)
    ).all()
    return tuple(ProjectView(project or "", int(used)) for project, used in rows)


class Bar(msgspec.Struct, frozen=True):
    """A day's bar in the chart's own units; `label` is "" where a day of the month has no room."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    day: date
    used: int
    is_future: bool


class Chart(msgspec.Struct, frozen=True):
    width: int
    height: int
    base: int
    top: int
    bars: tuple[Bar, ...]


def chart_of(usage: UsageView, today: date) -> Chart:
    """Bars for an SVG without any style or script; the highest day reaches the top."""
    highest = max((day.used for day in usage.days), default=0)
    step = CHART_WIDTH / len(usage.days)
    room = CHART_HEIGHT - CHART_FOOT - CHART_HEAD
    base = CHART_HEIGHT - CHART_FOOT
    every = 1 if len(usage.days) <= 16 else 5
    bars = []
    for number, day in enumerate(usage.days):
        height = max(3.0, room * day.used / highest) if day.used else 0.0
        bars.append(
            Bar(
                x=round(number * step + step * GAP / 2, 1),
                y=round(base - height, 1),
                width=round(step * (1 - GAP), 1),
                height=round(height, 1),
                middle=round(number * step + step / 2, 1),
                label=str(day.day.day) if number % every == 0 else "",
                day=day.day,
                used=day.used,
                is_future=day.day > today,
            )
        )
    return Chart(CHART_WIDTH, CHART_HEIGHT, base, highest, tuple(bars))
