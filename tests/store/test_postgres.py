"""What only a shared database can get wrong: conflicts, other emulators, lost connections."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
import pytest

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.effects.jobs import JOBS, JobHandler, JobRunner, enqueue
from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.kv import Conflict, Store, StoreError, Transaction
from cloudlet.emulator.store.postgres import EVERYTHING, PostgresStore, write_note
from cloudlet.emulator.store.table import Record, Table
from cloudlet.emulator.store.transact import run
from tests.store.postgres_server import PostgresServer


class Count(Record, frozen=True):
    name: str
    value: int


COUNTS = Table("test.counts", Count, key=("name",), cached=True)


@pytest.fixture
def pair(postgres_server: PostgresServer) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    """Two emulators on one database."""
    url = postgres_server.new_database()
    one, other = PostgresStore(url), PostgresStore(url)
    yield one, other
    one.close()
    other.close()


def increase(tx: Transaction, name: str = "c") -> int:
    count = COUNTS.get(tx, name) or Count(name, 0)
    COUNTS.put(tx, msgspec.structs.replace(count, value=count.value + 1))
    return count.value + 1


def test_of_two_that_read_and_write_the_same_one_runs_again(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair
    first, second = one.begin(read_only=False), other.begin(read_only=False)
    increase(first)
    increase(second)
    one.commit(first)
    with pytest.raises(Conflict):
        other.commit(second)
    assert run(other, increase) == 2


def test_reads_are_serializable_not_only_writes(pair: tuple[PostgresStore, PostgresStore]) -> None:
    """Write skew: each reads what the other writes. Only one of two orders can be true."""
    one, other = pair
    first, second = one.begin(read_only=False), other.begin(read_only=False)
    assert COUNTS.get(first, "a") is None
    assert COUNTS.get(second, "b") is None
    COUNTS.put(first, Count("b", 1))
    COUNTS.put(second, Count("a", 1))
    one.commit(first)
    with pytest.raises(Conflict):
        other.commit(second)


def test_a_scan_conflicts_with_what_it_would_have_seen(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair
    first, second = one.begin(read_only=False), other.begin(read_only=False)
    for tx, name in ((first, "x"), (second, "y")):
        COUNTS.put(tx, Count(name, len(list(COUNTS.scan(tx)))))
    one.commit(first)
    with pytest.raises(Conflict):
        other.commit(second)


def test_many_threads_of_two_emulators_lose_no_update(pair: tuple[PostgresStore, PostgresStore]) -> None:
    failures: list[BaseException] = []

    def work(store: Store) -> None:
        try:
            for _ in range(25):
                run(store, increase)
        except BaseException as error:  # survives: told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(store,)) for store in pair for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for store in pair:
        assert run(store, lambda tx: COUNTS.get(tx, "c")) == Count("c", 100)


def test_a_commit_of_one_emulator_wakes_the_other(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair

    async def check() -> None:
        while not other.watch.active or run(other, lambda tx: COUNTS.get(tx, "c")) is None:
            waiting = asyncio.create_task(other.watch.changed(COUNTS.prefix("c"), 60.0))
            await asyncio.sleep(0.05)
            run(one, increase)
            assert await asyncio.wait_for(waiting, 10)
            if run(other, lambda tx: COUNTS.get(tx, "c")) is not None:
                return

    asyncio.run(check())


def test_a_long_list_of_changes_says_that_everything_changed() -> None:
    assert write_note({b"\x01\xff"}) == "01ff"
    assert write_note({b"%0100d" % number for number in range(100)}) == EVERYTHING


def test_a_transaction_that_writes_much_sends_it_on_the_way(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair

    def work(tx: Transaction) -> None:
        for number in range(60):
            tx.put(b"%02d" % number, b"x" * 400_000)
        tx.delete(b"05")
        assert tx.get(b"00") == b"x" * 400_000
        assert [key for key, _ in tx.scan(b"03", b"08")] == [b"03", b"04", b"06", b"07"]

    run(one, work)
    assert run(other, lambda tx: len(list(tx.scan(b"", b"\xff")))) == 59


def test_a_blob_of_one_emulator_is_read_by_the_other(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair
    writer = one.blobs.writer()
    writer.write(b"0123456789" * 100_000)
    body = writer.finish()
    blob_id = run(one, lambda tx: blobs.link(tx, body))
    body.discard()
    assert run(other, lambda tx: blobs.read(tx, blob_id, 262_140, 8)) == b"01234567"


def test_a_lost_connection_is_an_error_once(pair: tuple[PostgresStore, PostgresStore]) -> None:
    one, other = pair
    run(one, increase)
    tx = one.begin(read_only=False)
    increase(tx)
    process_id = tx.connection.info.backend_pid
    with psycopg.connect(other._url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (process_id,))
    with pytest.raises(StoreError, match="state database"):
        one.commit(tx)
    assert run(one, increase) == 2


def test_jobs_are_shared_and_run_once(pair: tuple[PostgresStore, PostgresStore]) -> None:
    done: list[tuple[int, str]] = []
    clock = Clock()

    def runner(number: int, store: Store) -> JobRunner:
        async def note(call: Any, payload: dict[str, Any]) -> None:
            await asyncio.sleep(0.01)
            done.append((number, payload["name"]))

        made = JobRunner(store, clock, Ids(), lambda *arguments: None)  # type: ignore[arg-type, return-value]
        made.register(JobHandler("test.note", note))
        return made

    def add(tx: Transaction) -> None:
        for number in range(40):
            enqueue(tx, "test.note", {"name": str(number)}, clock.now(), Ids())

    async def check() -> None:
        runners = [runner(number, store) for number, store in enumerate(pair)]
        for each in runners:
            each.start()
        run(pair[0], add)
        deadline = asyncio.get_running_loop().time() + 30
        while run(pair[1], lambda tx: list(JOBS.scan(tx))):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.02)
        for each in runners:
            await each.stop()

    asyncio.run(check())
    assert sorted(int(name) for _, name in done) == list(range(40))
