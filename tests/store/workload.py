"""Requests whose every effect is known: request n of a seed does the same to the store and to a model in memory."""

from __future__ import annotations

import random
from collections import Counter

import msgspec

from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.blob_files import DOOMED
from cloudlet.emulator.store.blobs import BLOBS
from cloudlet.emulator.store.kv import Store, Transaction
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.table import Index, Record, Table
from cloudlet.emulator.store.transact import run

SLOTS = 10
ACCOUNTS = 4
JOINED_BYTES = 400_000


class Thing(Record, frozen=True):
    name: str
    size: int
    label: str | None
    request: int


class Balance(Record, frozen=True):
    account: int
    amount: int


class Held(Record, frozen=True):
    """A slot that holds a blob."""

    slot: int
    blob_id: str


class Progress(Record, frozen=True):
    name: str
    requests: int


THINGS = Table(
    "crash.things",
    Thing,
    key=("name",),
    indexes={
        "by_size": ("size",),
        "by_label": Index(("label",), sparse=True),
        "by_request": Index(("request", "name"), unique=True),
    },
)
BALANCES = Table("crash.balances", Balance, key=("account",))
HELD = Table("crash.held", Held, key=("slot",))
PROGRESS = Table("crash.progress", Progress, key=("name",), cached=True)


def name_of(slot: int) -> str:
    return f"thing {slot}" + "/long" * (150 * (slot % 3))


def content_of(request: int) -> bytes:
    return b"%09d" % request * 8000


class Model:
    """What the store must hold after `requests` requests."""

    def __init__(self) -> None:
        self.requests = 0
        self.things: dict[str, Thing] = {}
        self.balances = dict.fromkeys(range(ACCOUNTS), 0)
        self.held: dict[int, bytes] = {}

    def apply(self, seed: int) -> None:
        """Do the next request."""
        self.requests += 1
        n = self.requests
        chance = random.Random(f"{seed}:{n}")
        for _ in range(chance.randint(1, 3)):
            slot = chance.randrange(SLOTS)
            if chance.random() < 0.7:
                self.things[name_of(slot)] = Thing(
                    name_of(slot), chance.randrange(5), chance.choice([None, "a", "b"]), n
                )
            else:
                self.things.pop(name_of(slot), None)
        source, target, amount = chance.randrange(ACCOUNTS), chance.randrange(ACCOUNTS), chance.randrange(100)
        self.balances[source] -= amount
        self.balances[target] += amount
        what, slot, other = chance.random(), chance.randrange(SLOTS), chance.randrange(SLOTS)
        if what < 0.25:
            self.held[slot] = content_of(n)
        elif what < 0.35:
            self.held.pop(slot, None)
        elif what < 0.45 and slot in self.held and other in self.held:
            joined = self.held[slot] + b"glue" + self.held[other]
            if len(joined) <= JOINED_BYTES:
                self.held[slot] = joined


def next_request(store: Store, seed: int) -> int:
    """Do the next request in the store, as one transaction; its number."""
    progress = run(store, lambda tx: PROGRESS.get(tx, "p"), read_only=True)
    n = progress.requests + 1 if progress else 1
    body = None
    if n % 2:  # received whether or not the operation will want it
        writer = store.blobs.writer(("crc32",))
        writer.write(content_of(n))
        body = writer.finish()
    run(store, lambda tx: carry_out(tx, seed, n, body))
    if body is not None:
        body.discard()
    return n


def carry_out(tx: Transaction, seed: int, n: int, body: blobs.SpooledBody | None) -> None:
    chance = random.Random(f"{seed}:{n}")
    for _ in range(chance.randint(1, 3)):
        slot = chance.randrange(SLOTS)
        if chance.random() < 0.7:
            THINGS.put(tx, Thing(name_of(slot), chance.randrange(5), chance.choice([None, "a", "b"]), n))
        else:
            THINGS.delete(tx, name_of(slot))
    source, target, amount = chance.randrange(ACCOUNTS), chance.randrange(ACCOUNTS), chance.randrange(100)
    move(tx, source, -amount)
    move(tx, target, amount)
    what, slot, other = chance.random(), chance.randrange(SLOTS), chance.randrange(SLOTS)
    if what < 0.25:
        hold(tx, slot, blobs.link(tx, body if body is not None else content_of(n)))
    elif what < 0.35:
        hold(tx, slot, None)
    elif what < 0.45:
        join(tx, slot, other)
    PROGRESS.put(tx, Progress("p", n))


def move(tx: Transaction, account: int, amount: int) -> None:
    balance = BALANCES.get(tx, account) or Balance(account, 0)
    BALANCES.put(tx, msgspec.structs.replace(balance, amount=balance.amount + amount))


def hold(tx: Transaction, slot: int, blob_id: str | None) -> None:
    before = HELD.get(tx, slot)
    if before is not None:
        blobs.unlink(tx, before.blob_id)
        HELD.delete(tx, slot)
    if blob_id is not None:
        HELD.put(tx, Held(slot, blob_id))


def join(tx: Transaction, slot: int, other: int) -> None:
    first, second = HELD.get(tx, slot), HELD.get(tx, other)
    if first is None or second is None:
        return
    if blobs.size(tx, first.blob_id) + 4 + blobs.size(tx, second.blob_id) <= JOINED_BYTES:
        hold(tx, slot, blobs.join(tx, [first.blob_id, b"glue", second.blob_id]))


def check(store: Store, model: Model) -> None:
    """The store holds exactly what the model says, and nothing else."""
    run(store, lambda tx: _check_records(tx, model), read_only=True)
    run(store, lambda tx: _check_blobs(tx, store), read_only=True)


def _check_records(tx: Transaction, model: Model) -> None:
    assert {thing.name: thing for thing in THINGS.scan(tx)} == model.things
    stored, wanted = THINGS.index_entries(tx)
    assert stored == wanted
    assert {balance.account: balance.amount for balance in BALANCES.scan(tx)} == {
        account: amount for account, amount in model.balances.items() if BALANCES.exists(tx, account)
    }
    assert sum(balance.amount for balance in BALANCES.scan(tx)) == 0
    assert {held.slot: blobs.read(tx, held.blob_id) for held in HELD.scan(tx)} == model.held


def _check_blobs(tx: Transaction, store: Store) -> None:
    """Each blob has as many links as things that hold it; each has its file; no other file is there."""
    links = Counter(held.blob_id for held in HELD.scan(tx))
    records = {record.blob_id: record for record in BLOBS.scan(tx)}
    for record in records.values():
        links.update(part_id for part_id, _ in record.parts or ())
    assert {blob_id: record.links for blob_id, record in records.items()} == dict(links)
    if isinstance(store, LmdbStore):
        root = store.home.current
        leaves = {blob_id for blob_id, record in records.items() if record.parts is None}
        doomed = {record.blob_id for record in DOOMED.scan(tx)}
        assert {path.name for path in (root / "blobs").glob("*/*")} - doomed == leaves
        assert list((root / "spool").iterdir()) == []
        for path in (root / "blobs").glob("*/*"):
            assert path.name in doomed or path.stat().st_size == records[path.name].size
