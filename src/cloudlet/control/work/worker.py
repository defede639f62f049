"""The tasks that nobody asks for, each run by one process at a time.

    Task("mail", seconds=5, run=send_due)          # run(database, platform) -> None, in a thread; may open transactions

A process that wants to run a task takes its lease in the database first; the lease of a process that died ends by itself.
What a task raises is logged and the task runs again at its next turn: nothing ends the worker but its stop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import msgspec
from anyio.to_thread import run_sync
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.work.tables import Lease

LOG = logging.getLogger("cloudlet.control.work")


class Task(msgspec.Struct, frozen=True):
    """`seconds` between two runs, over all processes; `lease_seconds`: when another process may think this one died.

    `has_work`, asked first, only reads: a task whose turn comes often writes nothing while there is nothing to do.
    """

    name: str
    seconds: float
    run: Callable[[Database, Platform], None]
    lease_seconds: float = 120.0
    has_work: Callable[[Database, Platform], bool] | None = None


class Worker:
    """Runs the tasks of one process. `wake(name)` makes a task run now instead of at its next turn."""

    def __init__(self, database: Database, platform: Platform, tasks: tuple[Task, ...]) -> None:
        self._database = database
        self._platform = platform
        self._tasks = tasks
        self._holder = platform.new_id("wrk")
        self._woken = {task.name: asyncio.Event() for task in tasks}
        self._running: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = False

    def start(self) -> None:
        """In the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._running = [self._loop.create_task(self._repeat(task), name=f"work {task.name}") for task in self._tasks]

    async def stop(self) -> None:
        """What is being run ends first: a thread cannot be stopped, and whoever cancels its task does not wait for it."""
        self._is_stopping = True
        for woken in self._woken.values():
            woken.set()
        await asyncio.gather(*self._running)

    def wake(self, name: str) -> None:
        """From any thread."""
        if self._loop is not None and name in self._woken:
            self._loop.call_soon_threadsafe(self._woken[name].set)

    async def _repeat(self, task: Task) -> None:
        woken = self._woken[task.name]
        while not self._is_stopping:
            was_woken = woken.is_set()
            woken.clear()
            try:
                await run_sync(self.run_once, task, was_woken)
            except Exception:  # survives: the next turn may go better
                LOG.exception("The task %s failed; it runs again in %g s", task.name, task.seconds)
            try:
                await asyncio.wait_for(woken.wait(), task.seconds)
            except TimeoutError:
                continue

    def run_once(self, task: Task, even_if_early: bool = False) -> bool:
        """Run a task if its turn has come, there is work, and no other process is at it. Whether it ran.

        Raises what it raises.
        """
        if task.has_work is not None and not task.has_work(self._database, self._platform):
            return False
        with self._database.transaction() as session:
            if not take_lease(session, self._platform, task, self._holder, even_if_early):
                return False
        try:
            task.run(self._database, self._platform)
        finally:
            with self._database.transaction() as session:
                give_up_lease(session, self._platform, task, self._holder)
        return True


def take_lease(session: Session, platform: Platform, task: Task, holder: str, even_if_early: bool) -> bool:
    """Is it ours now? No while another holds it, or while its last run is less than its period ago."""
    now = platform.now()
    until = now + timedelta(seconds=task.lease_seconds)
    due = now - timedelta(seconds=task.seconds)
    is_due = Lease.ran_at.is_(None) | (Lease.ran_at <= due)
    condition = (Lease.task == task.name) & (Lease.until <= now)
    if not even_if_early:
        condition &= is_due
    taken = session.execute(update(Lease).where(condition).values(holder=holder, until=until).returning(Lease.task))
    if taken.first() is not None:
        return True
    if session.get(Lease, task.name) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Lease(task=task.name, holder=holder, until=until))
    except IntegrityError:
        return False  # another process was first
    return True


def give_up_lease(session: Session, platform: Platform, task: Task, holder: str) -> None:
    now = platform.now()
    session.execute(update(Lease).where(Lease.task == task.name, Lease.holder == holder).values(until=now, ran_at=now))
