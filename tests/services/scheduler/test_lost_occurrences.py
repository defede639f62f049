"""An occurrence that cannot be run does not end its schedule."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.effects.jobs import JOBS
from cloudlet.emulator.services.scheduler.jobs import fire_gave_up
from cloudlet.emulator.services.scheduler.records import SCHEDULES, ScheduleRecord
from cloudlet.emulator.services.scheduler.timers import FIRE
from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.transact import run


def schedule(state: str) -> ScheduleRecord:
    definition = {
        "ScheduleExpression": "rate(1 minute)",
        "ScheduleExpressionTimezone": "UTC",
        "State": state,
        "FlexibleTimeWindow": {"Mode": "OFF"},
    }
    return ScheduleRecord("1", "r", "g", "n", 1000.0, 1000.0, 1000.0, "rev", definition)


def lose(tx: Any, record: ScheduleRecord, revision: str) -> list[float]:
    """The times that the schedule's timer has afterwards."""
    SCHEDULES.put(tx, record)
    call: Any = SimpleNamespace(tx=tx, account_id="1", region="r", now=1090.0, ids=Ids())
    fire_gave_up(call, {"group": "g", "name": "n", "revision": revision, "occurrence": 1060.0}, "a fault")
    return [job.due for job in JOBS.scan(tx) if job.kind == FIRE]


def test_the_next_occurrence_is_still_to_come(tmp_path: Path) -> None:
    store = LmdbStore(StateHome(tmp_path))
    try:
        assert run(store, lambda tx: lose(tx, schedule("DISABLED"), "rev")) == []
        assert run(store, lambda tx: lose(tx, schedule("ENABLED"), "older")) == []
        assert run(store, lambda tx: lose(tx, schedule("ENABLED"), "rev")) == [1120.0]
    finally:
        store.close()
