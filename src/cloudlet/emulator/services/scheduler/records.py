"""What Scheduler keeps, and where.

GROUPS        groups of schedules; `default` is always there and only written once it is tagged
SCHEDULES     schedules by group and name
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.store.table import Record, Table


class Group(Record, frozen=True):
    """Times are seconds since the epoch. `token`: the ClientToken that made it."""

    account_id: str
    region: str
    name: str
    created: float
    modified: float
    tags: dict[str, str]
    token: str = ""


class ScheduleRecord(Record, frozen=True):
    """`definition` has AWS's members, defaults filled in. `anchor`: what a rate counts from. `revision`: of the timer."""

    account_id: str
    region: str
    group: str
    name: str
    created: float
    modified: float
    anchor: float
    revision: str
    definition: dict[str, Any]
    token: str = ""

    @property
    def is_enabled(self) -> bool:
        return bool(self.definition["State"] == "ENABLED")


GROUPS = Table("scheduler.groups", Group, version=1, key=("account_id", "region", "name"))
SCHEDULES = Table("scheduler.schedules", ScheduleRecord, version=1, key=("account_id", "region", "group", "name"))
