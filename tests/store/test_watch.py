"""Waiting for a commit, on every back end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from cloudlet.emulator.store.kv import Store, Transaction
from cloudlet.emulator.store.transact import run
from tests.store.conftest import OpenStore

FOREVER = 100.0


def put(store: Store, *keys: bytes) -> None:
    def write(tx: Transaction) -> None:
        for key in keys:
            tx.put(key, b"")

    run(store, write)


async def until(store: Store, prefix: bytes, key: bytes, seconds: float = FOREVER) -> bool:
    """What waiters do: look, sleep, look again."""
    while run(store, lambda tx: tx.get(key)) is None:
        if not await store.watch.changed(prefix, seconds):
            return False
    return True


async def beside(store: Store, waiting: Coroutine[Any, Any, bool], *keys: bytes) -> bool:
    task = asyncio.create_task(waiting)
    await asyncio.sleep(0.02)
    assert not task.done()
    put(store, *keys)
    return await asyncio.wait_for(task, 10)


async def listening(store: Store) -> None:
    """Once a commit has been heard of, all later ones are; a listener of PostgreSQL needs a moment to connect."""
    for attempt in range(100):
        waiting = asyncio.create_task(store.watch.changed(b"warm", 0.2))
        await asyncio.sleep(0)
        put(store, b"warm%d" % attempt)
        if await waiting:
            return
    raise AssertionError("no commit is heard of")


def test_a_commit_wakes_those_who_wait_for_its_keys(store: Store) -> None:
    assert asyncio.run(beside(store, until(store, b"queue/1/", b"queue/1/a"), b"queue/1/a"))
    assert asyncio.run(beside(store, until(store, b"x" * 700, b"x" * 900), b"x" * 900))


def test_other_keys_do_not_wake(store: Store) -> None:
    async def check() -> None:
        waiting = asyncio.create_task(store.watch.changed(b"queue/1/", 0.15))
        await asyncio.sleep(0)
        put(store, b"queue/2/a", b"queue/1")
        assert not await waiting

    asyncio.run(check())


def test_a_rolled_back_write_does_not_wake(store: Store) -> None:
    async def check() -> None:
        waiting = asyncio.create_task(store.watch.changed(b"k", 0.15))
        await asyncio.sleep(0)
        tx = store.begin(read_only=False)
        tx.put(b"k", b"")
        store.abort(tx)
        assert not await waiting

    asyncio.run(check())


def test_a_deletion_wakes(store: Store) -> None:
    put(store, b"k")

    async def check() -> None:
        waiting = asyncio.create_task(store.watch.changed(b"k", FOREVER))
        await asyncio.sleep(0)
        run(store, lambda tx: tx.delete(b"k"))
        assert await asyncio.wait_for(waiting, 10)

    asyncio.run(check())


def test_nothing_is_left_when_a_waiter_goes(store: Store) -> None:
    async def check() -> None:
        waiting = asyncio.create_task(store.watch.changed(b"k", FOREVER))
        await asyncio.sleep(0)
        assert store.watch.active
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not store.watch.active
        assert not await store.watch.changed(b"k", 0.0)
        assert not store.watch.active

    asyncio.run(check())


def test_many_waiters_wake_together(store: Store) -> None:
    async def check() -> None:
        await listening(store)
        prefixes = [b"a", b"ab", b"ab", b"abc", b"abd"]
        waiting = [asyncio.create_task(store.watch.changed(prefix, 0.9)) for prefix in prefixes]
        await asyncio.sleep(0)
        put(store, b"abc")
        assert await asyncio.gather(*waiting) == [True, True, True, True, False]
        waiting = [asyncio.create_task(store.watch.changed(prefix, FOREVER)) for prefix in prefixes]
        await asyncio.sleep(0)
        store.watch.wake_all()
        assert all(await asyncio.gather(*waiting))

    asyncio.run(check())


def test_a_reset_wakes_everybody(store: Store) -> None:
    async def check() -> None:
        waiting = asyncio.create_task(store.watch.changed(b"k", FOREVER))
        await asyncio.sleep(0.02)
        store.clear()
        assert await asyncio.wait_for(waiting, 10)

    asyncio.run(check())


def test_group_commit_answers_after_one_flush(open_again: OpenStore) -> None:
    store = open_again()

    async def check() -> list[BaseException | None]:
        answers: list[BaseException | None] = []
        waits = []
        for number in range(5):
            put(store, b"%d" % number)
            waits.append(store.when_durable(answers.append))
        assert run(store, lambda tx: tx.get(b"4")) == b""
        expected = getattr(store, "durability", "process") == "disk"
        assert waits == [expected] * 5
        assert answers == []
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert answers == [None] * 5 * expected
        assert not store.when_durable(answers.append)
        return answers

    asyncio.run(check())
    store.close()
    store = open_again()
    assert run(store, lambda tx: len(list(tx.scan(b"", b"\xff")))) == 5
    store.close()
