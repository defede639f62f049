"""When something is to happen: `rate(5 minutes)`, `cron(0 12 * * ? *)`, `at(2026-11-24T18:00:00)`.

    schedule = parse_expression("cron(0 9 ? * MON-FRI *)", strict_units=True)      # ValueError: not one
    due = next_occurrence(schedule, after, anchor, zone)                            # seconds since the epoch, or None

A rate counts from its anchor (when the schedule was made, or its start date), so it never drifts. Cron and `at` mean the
local time of a zone: a time that a spring change leaves out is skipped, one that an autumn change repeats counts once.
Sources: "Schedule types on EventBridge Scheduler" and "Rate expressions" in AWS's user guides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType

import msgspec

from cloudlet.emulator.eventing.cron import LAST_YEAR, Cron, parse_cron

FORM = re.compile(r"(rate|cron|at)\((.*)\)", re.S)
RATE = re.compile(r"([1-9]\d{0,9}) (minute|hour|day)(s?)")
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
UNIT_SECONDS = MappingProxyType({"minute": 60, "hour": 3600, "day": 86400})


class Rate(msgspec.Struct, frozen=True):
    """Every so many seconds."""

    seconds: int


class Once(msgspec.Struct, frozen=True):
    """A local time, once."""

    local: datetime


Schedule = Rate | Cron | Once


def parse_expression(text: str, *, strict_units: bool) -> Schedule:
    """`strict_units`: one of a unit has no s, several have one (rules of EventBridge). Raises ValueError."""
    form = FORM.fullmatch(text)
    if form is None:
        raise ValueError("neither rate(…) nor cron(…) nor at(…)")
    kind, inner = form[1], form[2]
    if kind == "cron":
        return parse_cron(inner)
    if kind == "at":
        if AT.fullmatch(inner) is None:
            raise ValueError("at(yyyy-mm-ddThh:mm:ss)")
        return Once(datetime.fromisoformat(inner))
    rate = RATE.fullmatch(inner)
    if rate is None or (strict_units and (rate[1] == "1") == (rate[3] == "s")):
        raise ValueError("rate(value unit)")
    return Rate(int(rate[1]) * UNIT_SECONDS[rate[2]])


def next_occurrence(schedule: Schedule, after: float, anchor: float, zone: tzinfo = UTC) -> float | None:
    """The first moment strictly after `after`; None when there is none. A rate's are anchor + n times its period."""
    if isinstance(schedule, Rate):
        return anchor + schedule.seconds * (math.floor((after - anchor) / schedule.seconds) + 1)
    if isinstance(schedule, Once):
        moment = moment_of(schedule.local, zone)
        if moment is None:  # an hour that does not exist: what the clocks show then
            moment = schedule.local.replace(tzinfo=zone).timestamp()
        return moment if moment > after else None
    begin = datetime.fromtimestamp(after, UTC).astimezone(zone).replace(tzinfo=None)
    for local in local_times(schedule, begin):
        moment = moment_of(local, zone)
        if moment is not None and moment > after:
            return moment
    return None


def moment_of(local: datetime, zone: tzinfo) -> float | None:
    """Seconds since the epoch of a local time, of the first where there are two; None where there is none."""
    aware = local.replace(tzinfo=zone)
    moment = aware.timestamp()
    if zone is not UTC and datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0) != local:
        return None
    return moment


def local_times(cron: Cron, begin: datetime) -> Iterator[datetime]:
    """All local times from the minute of `begin` on, in order."""
    begin = begin.replace(second=0, microsecond=0)
    for year, month in months_of(cron, begin):
        for day in cron.days(year, month):
            if datetime(year, month, day) + timedelta(days=1) <= begin:  # noqa: DTZ001 - a local time, zone apart
                continue
            for hour in cron.hours:
                for minute in cron.minutes:
                    local = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - a local time, zone apart
                    if local >= begin:
                        yield local


def months_of(cron: Cron, begin: datetime) -> Iterator[tuple[int, int]]:
    for year in cron.years:
        if begin.year <= year <= LAST_YEAR:
            for month in cron.months:
                if (year, month) >= (begin.year, begin.month):
                    yield year, month
