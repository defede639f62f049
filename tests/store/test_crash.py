"""A writer is killed with SIGKILL at random moments, again and again. After each restart every acknowledged request is
there, no half of one is, indexes are those of the records, and no blob is orphaned or missing.

CLOUDLET_CRASHES says how many kills (100 in `make test`), CLOUDLET_CRASH_SEED repeats a run's requests; the moments of
the kills are the machine's.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.transact import run
from tests.store.workload import PROGRESS, Model, check, content_of, next_request

CRASHES = int(os.environ.get("CLOUDLET_CRASHES", "100"))
SEED = int(os.environ.get("CLOUDLET_CRASH_SEED") or random.SystemRandom().randrange(10**9))
LIFETIMES = {
    "process": (0.001, 0.03),
    "direct": (0.001, 0.03),
    "disk": (0.02, 0.2),
}  # seconds from the moment at which the store is open
BATCH = 4  # requests that wait for one fsync


def open_state(root: Path, how: str) -> LmdbStore:
    return LmdbStore(StateHome(root), "disk" if how == "disk" else "process", direct=how == "direct")


def write_until_killed(root: Path, how: str, seed: int, told: multiprocessing.connection.Connection) -> None:
    """The victim: does requests and tells the number of each one that is acknowledged."""
    store = open_state(root, how)
    told.send_bytes(b"open")
    while True:
        for _ in range(BATCH if how == "disk" else 1):
            n = next_request(store, seed)
        store.flush()
        told.send_bytes(b"%d" % n)


def restore_until_killed(root: Path, told: multiprocessing.connection.Connection) -> None:
    """The victim of the second test: goes back and forth between two saved states, and saves one of them anew."""
    store = open_state(root, "process")
    told.send_bytes(b"open")
    while True:
        for name in ("one", "two"):
            store.snapshots.restore(name)
            store.snapshots.save(name)


def context() -> multiprocessing.context.ForkServerContext:
    """Processes that start in milliseconds: forked from one that has imported everything."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.store.test_crash"])
    return made


def kill_at_random(victim: Any, arguments: tuple[Any, ...], how: str) -> int:
    """Start a victim and kill it; the last number that it told, 0 for none."""
    chance = random.Random()
    made = context()
    receiver, sender = made.Pipe(duplex=False)
    process = made.Process(target=victim, args=(*arguments, sender))
    process.start()
    sender.close()
    if chance.random() < 0.9:  # else: killed while it starts or recovers
        receiver.poll(30)
    time.sleep(chance.uniform(*LIFETIMES[how]))
    process.kill()
    process.join()
    last = 0
    while True:
        try:
            message = receiver.recv_bytes()
        except (EOFError, OSError):
            break
        if message != b"open":
            last = int(message)
    receiver.close()
    process.close()
    return last


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["process", "direct", "disk"])
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(tmp_path: Path, how: str) -> None:
    print(f"CLOUDLET_CRASH_SEED={SEED}")
    model = Model()
    acknowledged = 0
    for _ in range(CRASHES // 4 if how == "disk" else CRASHES // 2):
        acknowledged = max(acknowledged, kill_at_random(write_until_killed, (tmp_path, how, SEED), how))
        store = open_state(tmp_path, how)
        progress = run(store, lambda tx: PROGRESS.get(tx, "p"))
        done = progress.requests if progress else 0
        assert acknowledged <= done <= acknowledged + BATCH
        assert done >= model.requests
        while model.requests < done:
            model.apply(SEED)
        check(store, model)
        acknowledged = done
        store.close()
    assert acknowledged > CRASHES // 4  # the victims lived long enough to be worth killing


@pytest.mark.timeout(600)
def test_a_state_is_restored_whole_or_not_at_all(tmp_path: Path) -> None:
    store = open_state(tmp_path, "process")
    for number, name in enumerate(("one", "two")):
        store.clear()
        run(store, lambda tx, name=name: tx.put(b"name", name.encode()))
        blob_ids = run(store, lambda tx, number=number: [blobs.link(tx, content_of(number)) for _ in range(5)])
        run(store, lambda tx, blob_ids=blob_ids: tx.put(b"blobs", " ".join(blob_ids).encode()))
        store.snapshots.save(name)
    store.close()
    for _ in range(CRASHES // 4):
        kill_at_random(restore_until_killed, (tmp_path,), "process")
        store = open_state(tmp_path, "process")
        found = run(store, lambda tx: (tx.get(b"name"), tx.get(b"blobs")))
        assert found[0] in (b"one", b"two")
        for blob_id in found[1].decode().split():
            assert run(store, lambda tx, blob_id=blob_id: blobs.read(tx, blob_id)) == content_of(
                (b"one", b"two").index(found[0])
            )
        assert [snapshot.name for snapshot in sorted(store.snapshots.list(), key=lambda one: one.name)] == [
            "one",
            "two",
        ]
        assert len(list(tmp_path.glob("generation-*"))) == 1
        store.close()
