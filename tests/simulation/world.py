"""A small queue service on the real store, jobs and clock, with a model of what it must answer."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.effects.jobs import JOBS, JobHandler, JobRunner, RetryPolicy, enqueue
from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.kv import Conflict, Store, Transaction
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.table import Record, Table
from cloudlet.emulator.store.transact import run

START = 1_000_000.0
T = TypeVar("T")


class Message(Record, frozen=True):
    """A message; it can be received from `visible` on, which its job writes."""

    number: int
    due: float
    visible: bool
    blob_id: str


class Counter(Record, frozen=True):
    name: str
    value: int


MESSAGES = Table("sim.messages", Message, key=("number",), indexes={"by_order": ("visible", "due")})
COUNTERS = Table("sim.counters", Counter, key=("name",), cached=True)


def body_of(number: int) -> bytes:
    return b"%06d" % number * 20_000


class Model:
    """What the service must hold: numbers of messages, hidden and visible, with the time from which they are visible."""

    def __init__(self) -> None:
        self.sent = 0
        self.received = 0
        self.messages: dict[int, float] = {}
        self.shown: set[int] = set()

    def copy(self) -> Model:
        other = Model()
        other.sent, other.received = self.sent, self.received
        other.messages, other.shown = dict(self.messages), set(self.shown)
        return other

    def pass_time(self, now: float) -> None:
        self.shown |= {number for number, due in self.messages.items() if due <= now}

    def next_visible(self) -> int | None:
        return min(self.shown, key=lambda number: (self.messages[number], number), default=None)


class World:
    """The service under a seed. Every answer is checked when it is given."""

    def __init__(self, root: Path, seed: int, durability: Literal["process", "disk"]) -> None:
        self.root = root
        self.durability = durability
        self.chance = random.Random(seed)
        self.clock = Clock()
        self.clock.freeze(START)
        self.ids = Ids(seed)
        self.model = Model()
        self.durable = self.model.copy()  # what a crash must leave at least
        self.saved: dict[str, Model] = {}
        self.conflicts = 0
        self.open()

    def open(self) -> None:
        self.store: Store = LmdbStore(StateHome(self.root), self.durability)
        self.runner = JobRunner(self.store, self.clock, self.ids, lambda *arguments: None)  # type: ignore[arg-type, return-value]
        self.runner.register(JobHandler("sim.show", self.show, RetryPolicy.exponential(50, longest_seconds=1.0)))

    # --- the service

    async def show(self, call: Any, payload: dict[str, Any]) -> None:
        """The job that makes a message visible: at least once, so it must not mind a second time."""

        def work(tx: Transaction) -> None:
            message = MESSAGES.get(tx, payload["number"])
            if message is not None:
                assert message.due <= self.clock.now()
                MESSAGES.put(tx, msgspec.structs.replace(message, visible=True))

        self.transact(work)
        if self.chance.random() < 0.2:  # its work is done, but it does not get to say so
            raise LookupError("killed after its work")

    def send(self, delay: float) -> None:
        due = self.clock.now() + delay
        body = None
        if self.chance.random() < 0.5:
            writer = self.store.blobs.writer()
            writer.write(body_of(self.model.sent + 1))
            body = writer.finish()

        def work(tx: Transaction) -> int:
            number = self.count(tx, "sent")
            content = body if body is not None else body_of(number)
            MESSAGES.put(tx, Message(number, due, False, blobs.link(tx, content)))
            enqueue(tx, "sim.show", {"number": number}, due, self.ids)
            return number

        assert self.transact(work) == self.model.sent + 1
        if body is not None:
            body.discard()
        self.model.sent += 1
        self.model.messages[self.model.sent] = due

    def receive(self) -> None:
        def work(tx: Transaction) -> int | None:
            for message in MESSAGES.lookup(tx, "by_order", True, limit=1):
                assert blobs.read(tx, message.blob_id) == body_of(message.number)
                blobs.unlink(tx, message.blob_id)
                MESSAGES.delete(tx, message.number)
                self.count(tx, "received")
                return message.number
            return None

        expected = self.model.next_visible()
        assert self.transact(work) == expected
        if expected is not None:
            del self.model.messages[expected]
            self.model.shown.discard(expected)
            self.model.received += 1

    def count(self, tx: Transaction, name: str) -> int:
        value = (COUNTERS.get(tx, name) or Counter(name, 0)).value + 1
        COUNTERS.put(tx, Counter(name, value))
        return value

    def transact(self, function: Any) -> Any:
        """`transact.run`, with conflicts at random places: before anything is done, and after all of it."""

        def work(tx: Transaction) -> Any:
            if self.chance.random() < 0.1:
                self.conflicts += 1
                raise Conflict
            result = function(tx)
            if self.chance.random() < 0.2:
                self.conflicts += 1
                raise Conflict
            return result

        return run(self.store, work)

    # --- what happens to it

    async def pass_time(self, seconds: float) -> None:
        target = self.clock.now() + seconds
        await self.runner.run_due(target)
        self.model.pass_time(target)
        assert self.clock.now() == target

    def acknowledge(self) -> None:
        """All answers so far go out."""
        assert isinstance(self.store, LmdbStore)
        self.store.flush()
        self.durable = self.model.copy()

    def crash(self) -> None:
        """The process dies: what is open is lost, with what nobody was told of. A transaction is half done."""
        assert isinstance(self.store, LmdbStore)
        tx = self.store.begin(read_only=False)
        MESSAGES.put(tx, Message(10**6, 0.0, True, "none"))
        blobs.link(tx, b"half")
        writer = self.store.blobs.writer()
        writer.write(b"half")
        tx._txn.abort()
        if self.store._group is not None:
            self.store._group.abort()
        self.store._env.close()
        self.store.home.ephemeral = False
        self.store.home.close()
        if self.durability == "disk":
            self.model = self.durable.copy()
        self.open()

    def save(self, name: str) -> None:
        self.acknowledge()
        self.store.snapshots.save(name)
        self.saved[name] = self.model.copy()

    async def restore(self, name: str) -> None:
        self.store.snapshots.restore(name)
        self.model = self.saved[name].copy()
        await self.pass_time(0.0)
        self.acknowledge()

    def clear(self) -> None:
        self.store.clear()
        self.model = Model()
        self.acknowledge()

    def check(self) -> None:
        def work(tx: Transaction) -> None:
            assert {message.number: message.due for message in MESSAGES.scan(tx)} == self.model.messages
            assert {message.number for message in MESSAGES.scan(tx) if message.visible} == self.model.shown
            for table in (MESSAGES, JOBS):
                stored, wanted = table.index_entries(tx)
                assert stored == wanted
            hidden = set(self.model.messages) - self.model.shown
            assert hidden <= {job.payload["number"] for job in JOBS.scan(tx)}
            held = {message.blob_id for message in MESSAGES.scan(tx)}
            assert {record.blob_id for record in blobs.BLOBS.scan(tx)} == held
            counters = {counter.name: counter.value for counter in COUNTERS.scan(tx)}
            assert counters.get("sent", 0) == self.model.sent
            assert counters.get("received", 0) == self.model.received

        run(self.store, work, read_only=True)

    async def step(self) -> str:
        """One random thing."""
        what = self.chance.random()
        if what < 0.35:
            self.send(self.chance.choice([0.0, 1.0, 5.0, 60.0, 3600.0]))
            name = "send"
        elif what < 0.6:
            self.receive()
            name = "receive"
        elif what < 0.78:
            await self.pass_time(self.chance.choice([0.0, 0.5, 1.0, 10.0, 100.0, 86400.0]))
            name = "pass time"
        elif what < 0.88:
            self.acknowledge()
            name = "acknowledge"
        elif what < 0.95:
            self.crash()
            name = "crash"
        elif what < 0.97:
            self.save(self.chance.choice("ab"))
            name = "save"
        elif what < 0.99 and self.saved:
            await self.restore(self.chance.choice(sorted(self.saved)))
            name = "restore"
        else:
            self.clear()
            name = "clear"
        self.check()
        await asyncio.sleep(0)
        return name

    def close(self) -> None:
        self.store.close()
