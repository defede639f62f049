"""When a schedule is due: one job a schedule, replaced whenever the schedule changes.

A job that comes too late (the emulator was stopped, the machine slept) runs its target once, and what was missed in
between is not made up for. Time that is advanced through `/_cloudlet/clock` passes: each occurrence runs, in order.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from cloudlet.emulator.effects.jobs import cancel_key, enqueue
from cloudlet.emulator.eventing.expressions import Once, Rate, next_occurrence, parse_expression
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.scheduler.records import ScheduleRecord

FIRE = "scheduler.fire"
LATE_SECONDS = 60.0  # "60 second precision": what is later than this is missed


def start(call: Call, schedule: ScheduleRecord, after: float | None = None) -> bool:
    """Set the timer to the first occurrence strictly after a moment, or to the very first one. False: there is none."""
    due = occurrence_after(schedule, after)
    if due is None:
        stop(call, schedule)
        return False
    enqueue(
        call.tx,
        FIRE,
        {"group": schedule.group, "name": schedule.name, "revision": schedule.revision, "occurrence": due},
        due + call.ids.random() * window_seconds(schedule.definition),
        call.ids,
        key=key_of(schedule),
        account_id=schedule.account_id,
        region=schedule.region,
    )
    return True


def stop(call: Call, schedule: ScheduleRecord) -> None:
    cancel_key(call.tx, FIRE, key_of(schedule))


def key_of(schedule: ScheduleRecord) -> str:
    return f"{schedule.account_id}/{schedule.region}/{schedule.group}/{schedule.name}"


def occurrence_after(schedule: ScheduleRecord, after: float | None) -> float | None:
    """Seconds since the epoch. `after` None: the very first one, which of a rate is the moment that it counts from."""
    definition = schedule.definition
    when = parse_expression(definition["ScheduleExpression"], strict_units=False)
    zone = zone_of(definition["ScheduleExpressionTimezone"])
    if isinstance(when, Once):  # has neither a start nor an end
        return next_occurrence(when, schedule.modified if after is None else after, 0.0, zone)
    due: float | None = schedule.anchor
    if not isinstance(when, Rate):
        begin = (definition.get("StartDate") or 0.0) - 0.001  # an occurrence at the start counts
        due = next_occurrence(when, max(schedule.modified if after is None else after, begin), 0.0, zone)
    elif after is not None and after >= schedule.anchor:
        due = next_occurrence(when, after, schedule.anchor)
    end = definition.get("EndDate")
    return None if due is None or (end is not None and due > end) else due


def next_after(schedule: ScheduleRecord, occurrence: float, now: float) -> float:
    """The moment behind which the next occurrence is looked for: missed ones are left out."""
    on_time = now <= occurrence + window_seconds(schedule.definition) + LATE_SECONDS
    return occurrence if on_time else now


def window_seconds(definition: dict[str, Any]) -> float:
    window = definition["FlexibleTimeWindow"]
    return 60.0 * window.get("MaximumWindowInMinutes", 0) if window["Mode"] == "FLEXIBLE" else 0.0


def zone_of(name: str) -> tzinfo:
    """Raises ZoneInfoNotFoundError, ValueError for names that are none."""
    return UTC if name == "UTC" else ZoneInfo(name)
