"""Tasks that nobody asks for: one process at a time, by a lease; nothing that they raise ends the worker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.work.tables import Lease
from cloudlet.control.work.tasks import TASKS
from cloudlet.control.work.worker import Task, Worker
from cloudlet.license.effects import SystemEffects
from cloudlet.settings import PlatformSettings, read_platform_settings


class MovableTime(SystemEffects):
    def __init__(self) -> None:
        self.moment = 1_800_000_000.0

    def now(self) -> float:
        return self.moment


@pytest.fixture
def settings(fresh_database_url: str, tmp_path: Path) -> PlatformSettings:
    return read_platform_settings({"PLATFORM_STATE_DIR": str(tmp_path), "PLATFORM_DATABASE_URL": fresh_database_url})


@pytest.fixture
def effects() -> MovableTime:
    return MovableTime()


@pytest.fixture
def database(settings: PlatformSettings, effects: MovableTime) -> Iterator[Database]:
    opened = Database(settings)
    prepare(opened, Platform(settings, effects))
    yield opened
    opened.close()


@pytest.fixture
def platform(settings: PlatformSettings, effects: MovableTime) -> Platform:
    return Platform(settings, effects)


def test_a_task_runs_in_one_process_and_when_its_turn_comes(
    database: Database, platform: Platform, effects: MovableTime
) -> None:
    ran: list[str] = []
    task = Task("count", 60, lambda _database, _platform: ran.append("x"))
    one, other = (Worker(database, platform, (task,)) for _ in range(2))
    assert one.run_once(task)
    assert not other.run_once(task)
    effects.moment += 59
    assert not other.run_once(task)
    effects.moment += 1
    assert other.run_once(task)
    assert not one.run_once(task)
    assert one.run_once(task, even_if_early=True)
    assert len(ran) == 3


def test_the_lease_of_a_process_that_died_ends(database: Database, platform: Platform, effects: MovableTime) -> None:
    other = Worker(database, platform, ())
    idle = Task("long", 1, lambda _database, _platform: None)
    ran: list[bool] = []

    def take_long(_database: Database, _platform: Platform) -> None:
        ran.append(other.run_once(idle, even_if_early=True))
        effects.moment += 31
        ran.append(other.run_once(idle, even_if_early=True))

    Worker(database, platform, ()).run_once(Task("long", 1, take_long, lease_seconds=30))
    assert ran == [False, True]


def test_a_task_that_raises_runs_again(
    database: Database, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    ran = 0

    def fail(_database: Database, _platform: Platform) -> None:
        nonlocal ran
        ran += 1
        if ran == 1:
            raise LookupError("no luck")

    async def main() -> None:
        worker = Worker(database, platform, (Task("fail", 3600, fail),))
        worker.start()
        deadline = asyncio.get_running_loop().time() + 20
        while ran < 2:
            assert asyncio.get_running_loop().time() < deadline
            worker.wake("fail")
            await asyncio.sleep(0.01)
        await worker.stop()

    asyncio.run(main())
    assert "no luck" in caplog.text


def test_a_task_without_work_writes_nothing(database: Database, platform: Platform) -> None:
    ran: list[str] = []
    work: list[str] = []
    task = Task("seldom", 1, lambda _database, _platform: ran.append("x"), has_work=lambda *_: bool(work))
    worker = Worker(database, platform, (task,))
    assert not worker.run_once(task, even_if_early=True)
    with database.snapshot() as session:
        assert session.get(Lease, "seldom") is None
    work.append("something")
    assert worker.run_once(task)
    assert ran == ["x"]


def test_webhooks_are_asked_for_without_a_lease_while_nothing_is_due(database: Database, platform: Platform) -> None:
    task = next(task for task in TASKS if task.name == "webhooks")
    assert not Worker(database, platform, TASKS).run_once(task)
    with database.snapshot() as session:
        assert session.get(Lease, "webhooks") is None


def test_a_stop_waits_for_what_is_being_run(database: Database, platform: Platform) -> None:
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def run(_database: Database, _platform: Platform) -> None:
        began.set()
        may_end.wait(60)
        ended.set()

    async def live() -> bool:
        worker = Worker(database, platform, (Task("slow", 3600, run), Task("other", 3600, lambda *_: None)))
        worker.start()
        await asyncio.to_thread(began.wait, 60)
        stopping = asyncio.create_task(worker.stop())
        await asyncio.sleep(0)
        may_end.set()
        await stopping
        return ended.is_set()

    assert asyncio.run(live())
