"""Jobs: at least once, in order, under leases, with back-off, over restarts and exceptions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.delivery import RecordedDelivery
from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.effects.jobs import (
    JOBS,
    UNKNOWN_KIND_SECONDS,
    GiveUp,
    JobHandler,
    JobRecord,
    JobRunner,
    Refused,
    RetryAfter,
    RetryPolicy,
    cancel,
    cancel_key,
    enqueue,
)
from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.kv import Store, Transaction
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.transact import run

START = 1_000_000.0
PATIENCE_SECONDS = 20


class JobCall:
    """What a handler gets here in the place of a `Call`."""

    def __init__(self, service: str, account_id: str, region: str, operation: str) -> None:
        self.service = service
        self.account_id = account_id
        self.region = region
        self.operation = operation
        self.tx: Any = None


class Bench:
    """A store, a frozen clock and a runner; `told` is what the jobs did."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = Clock()
        self.clock.freeze(START)
        self.ids = Ids(1)
        self.told: list[Any] = []
        self.delivery = RecordedDelivery(200)
        self.open()

    def open(self) -> None:
        self.store: Store = LmdbStore(StateHome(self.root))
        self.runner = self.new_runner()

    def new_runner(self) -> JobRunner:
        def make_call(service: str, account_id: str, region: str, operation: str = "job") -> Any:
            return JobCall(service, account_id, region, operation)

        return JobRunner(self.store, self.clock, self.ids, make_call, self.delivery)

    def handle(self, kind: str, **options: Any) -> None:
        """A handler that tells (payload's name, time)."""

        async def note(call: Any, payload: dict[str, Any]) -> None:
            self.told.append((payload["name"], self.clock.now() - START))

        self.runner.register(JobHandler(kind, note, **options))

    def add(
        self, name: str, after: float = 0.0, kind: str = "test.note", key: str | None = None, **options: Any
    ) -> str:
        return run(
            self.store,
            lambda tx: enqueue(tx, kind, {"name": name}, START + after, self.ids, key=key, **options),
        )

    def jobs(self) -> list[JobRecord]:
        return run(self.store, lambda tx: list(JOBS.scan(tx)), read_only=True)

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, self.told
            await asyncio.sleep(0.001)

    def started(self, body: Callable[[], Awaitable[None]]) -> None:
        """Run `body` while the runner runs."""

        async def main() -> None:
            self.runner.start()
            try:
                await body()
            finally:
                await self.runner.stop()

        asyncio.run(main())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "state")
    yield made
    made.store.close()


def test_a_job_runs_once_when_it_is_committed(bench: Bench) -> None:
    bench.handle("test.note")

    async def body() -> None:
        bench.add("a")
        await bench.until(lambda: bench.told == [("a", 0.0)] and not bench.jobs())

    bench.started(body)
    assert bench.told == [("a", 0.0)]


def test_a_rolled_back_job_never_runs(bench: Bench) -> None:
    bench.handle("test.note")

    def work(tx: Transaction) -> None:
        enqueue(tx, "test.note", {"name": "never"}, START, bench.ids)
        raise LookupError

    async def body() -> None:
        with pytest.raises(LookupError):
            run(bench.store, work)
        bench.add("a")
        await bench.until(lambda: not bench.jobs() and bool(bench.told))

    bench.started(body)
    assert bench.told == [("a", 0.0)]


def test_the_call_has_the_jobs_account_region_and_kind(bench: Bench) -> None:
    async def note(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append((call.service, call.account_id, call.region, call.operation, payload))

    bench.runner.register(JobHandler("sns.deliver", note))

    async def body() -> None:
        bench.add("a", kind="sns.deliver", account_id="1" * 12, region="eu-west-1")
        await bench.until(lambda: bool(bench.told))

    bench.started(body)
    assert bench.told == [("sns", "1" * 12, "eu-west-1", "sns.deliver", {"name": "a"})]


def test_a_job_that_delivers_gets_the_way_out(bench: Bench) -> None:
    async def send(call: Any, payload: dict[str, Any], http: Any) -> None:
        await http.send("POST", "http://there/", {}, payload["name"].encode())

    bench.runner.register(JobHandler("test.send", send, delivers=True))

    async def body() -> None:
        bench.add("a", kind="test.send")
        await bench.until(lambda: bool(bench.delivery.sent))

    bench.started(body)
    assert bench.delivery.sent == [("POST", "http://there/", {}, b"a")]


def test_a_job_waits_for_its_time(bench: Bench) -> None:
    bench.handle("test.note")

    async def body() -> None:
        bench.add("later", 60)
        bench.add("now")
        await bench.until(lambda: bench.told == [("now", 0.0)])
        bench.clock.advance(59)
        await asyncio.sleep(0.02)
        assert len(bench.told) == 1
        bench.clock.advance(1)
        await bench.until(lambda: not bench.jobs())

    bench.started(body)
    assert bench.told == [("now", 0.0), ("later", 60.0)]


def test_more_jobs_than_run_at_a_time_all_run(bench: Bench) -> None:
    running = 0
    most = 0

    async def slow(call: Any, payload: dict[str, Any]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        bench.told.append(payload["name"])

    bench.runner.register(JobHandler("test.slow", slow))

    async def body() -> None:
        for number in range(100):
            bench.add(str(number), kind="test.slow")
        await bench.until(lambda: not bench.jobs())

    bench.started(body)
    assert sorted(bench.told, key=int) == [str(number) for number in range(100)]
    assert most == 16


def test_advancing_runs_everything_due_in_order_at_its_time(bench: Bench) -> None:
    bench.handle("test.note")

    async def again(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append(("again", bench.clock.now() - START))
        bench.add("again", bench.clock.now() - START + 25, kind="test.again")

    bench.runner.register(JobHandler("test.again", again))

    async def body() -> None:
        for name, after in [("c", 30), ("a", 10), ("b", 10), ("d", 99), ("e", 101)]:
            bench.add(name, after)
        bench.add("again", 25, kind="test.again")
        assert await bench.runner.run_due(START + 100) == 8

    bench.started(body)
    assert sorted(bench.told[:2]) == [("a", 10.0), ("b", 10.0)]
    expected = [("again", 25.0), ("c", 30.0), ("again", 50.0), ("again", 75.0), ("d", 99.0), ("again", 100.0)]
    assert bench.told[2:] == expected
    assert bench.clock.now() == START + 100
    assert sorted(job.payload["name"] for job in bench.jobs()) == ["again", "e"]


def test_advancing_past_a_job_of_an_unknown_kind_ends(bench: Bench) -> None:
    bench.handle("test.note")
    bench.add("a", 10, kind="nobody.knows")
    bench.add("b", 20)
    assert asyncio.run(bench.runner.run_due(START + 1e6)) == 1
    assert bench.told == [("b", 20.0)]
    assert [job.due for job in bench.jobs()] == [START + 1e6 + UNKNOWN_KIND_SECONDS]


def test_a_job_that_raises_runs_again_by_its_policy(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append(bench.clock.now() - START)
        raise LookupError("no luck")

    bench.runner.register(JobHandler("test.fail", fail, retry=RetryPolicy((1.0, 10.0))))
    bench.add("a", kind="test.fail")
    with caplog.at_level(logging.WARNING, "cloudlet.jobs"):
        asyncio.run(bench.runner.run_due(START + 100))
    assert bench.told == [0.0, 1.0, 11.0]
    assert bench.jobs() == []
    assert caplog.text.count("no luck") >= 3


def test_a_job_that_is_due_again_at_once_is_not_put_off(bench: Bench) -> None:
    """Its end is written before its task is over; the loop, woken by the writing, must not take it for a lost one."""

    async def fail(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append(bench.clock.now() - START)
        await asyncio.sleep(0)
        raise LookupError("no luck")

    bench.runner.register(JobHandler("test.fail", fail, retry=RetryPolicy((0.0,) * 20)))

    async def body() -> None:
        bench.add("a", kind="test.fail")
        await bench.until(lambda: not bench.jobs())

    bench.started(body)
    assert bench.told == [0.0] * 21


def test_giving_up_and_asking_for_a_time_overrule_the_policy(bench: Bench) -> None:
    async def fail(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append(bench.clock.now() - START)
        if len(bench.told) < 3:
            raise RetryAfter(7)
        raise GiveUp("hopeless")

    gave_up: list[tuple[Any, str]] = []

    def note_end(call: Any, payload: dict[str, Any], reason: str) -> None:
        assert call.tx is not None
        assert not list(JOBS.scan(call.tx))
        gave_up.append((payload["name"], reason))

    bench.runner.register(JobHandler("test.fail", fail, retry=RetryPolicy(()), gave_up=note_end))
    bench.add("a", kind="test.fail")
    asyncio.run(bench.runner.run_due(START + 100))
    assert bench.told == [0.0, 7.0, 14.0]
    assert gave_up == [("a", "hopeless")]


def test_what_somebody_outside_refuses_is_tried_again_and_told_in_a_line(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append(bench.clock.now() - START)
        raise Refused("closed today")

    bench.runner.register(JobHandler("test.fail", fail, retry=RetryPolicy((1.0, 2.0))))
    bench.add("a", kind="test.fail")
    with caplog.at_level(logging.INFO, "cloudlet.jobs"):
        asyncio.run(bench.runner.run_due(START + 100))
    assert bench.told == [0.0, 1.0, 3.0]
    assert [record.exc_info for record in caplog.records] == [None] * 3
    assert "closed today" in caplog.text


def test_a_policy_may_depend_on_the_payload(bench: Bench) -> None:
    async def fail(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append(bench.clock.now() - START)
        raise LookupError

    def policy(payload: dict[str, Any]) -> RetryPolicy:
        return RetryPolicy.exponential(4, first_seconds=float(payload["name"]), factor=3, longest_seconds=20)

    bench.runner.register(JobHandler("test.fail", fail, retry=policy))
    bench.add("5", kind="test.fail")
    asyncio.run(bench.runner.run_due(START + 1000))
    assert bench.told == [0.0, 5.0, 20.0, 40.0]


def test_a_job_with_the_same_key_is_replaced(bench: Bench) -> None:
    bench.handle("test.note")
    bench.handle("test.other")
    bench.add("old", 10, key="k")
    bench.add("new", 20, key="k")
    bench.add("other kind", 30, kind="test.other", key="k")
    bench.add("other key", 40, key="l")
    asyncio.run(bench.runner.run_due(START + 100))
    assert bench.told == [("new", 20.0), ("other kind", 30.0), ("other key", 40.0)]


def test_a_job_that_enqueues_its_successor_is_followed_by_it(bench: Bench) -> None:
    async def period(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append(bench.clock.now() - START)
        bench.add("next", bench.clock.now() - START + 10, kind="test.period", key="k")

    bench.runner.register(JobHandler("test.period", period))
    bench.add("first", 10, kind="test.period", key="k")
    asyncio.run(bench.runner.run_due(START + 45))
    assert bench.told == [10.0, 20.0, 30.0, 40.0]
    assert len(bench.jobs()) == 1


def test_a_cancelled_job_does_not_run(bench: Bench) -> None:
    bench.handle("test.note")
    job_id = bench.add("a", 10)
    bench.add("b", 10, key="k")
    assert run(bench.store, lambda tx: cancel(tx, job_id))
    assert not run(bench.store, lambda tx: cancel(tx, job_id))
    assert run(bench.store, lambda tx: cancel_key(tx, "test.note", "k"))
    assert not run(bench.store, lambda tx: cancel_key(tx, "test.note", "k"))
    assert asyncio.run(bench.runner.run_due(START + 100)) == 0


def test_jobs_survive_a_restart_even_those_that_were_running(bench: Bench) -> None:
    async def hang(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append("begun")
        await asyncio.sleep(PATIENCE_SECONDS * 10)

    async def killed() -> None:
        bench.runner.register(JobHandler("test.note", hang))
        bench.add("running")
        bench.add("waiting", 10)
        bench.runner.start()
        await bench.until(lambda: bool(bench.told))
        # The process dies here: nothing of the runner is told to stop.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    asyncio.run(killed())
    bench.store.close()
    bench.told.clear()
    bench.open()
    bench.handle("test.note")

    async def body() -> None:
        await bench.until(lambda: len(bench.told) == 1)
        bench.clock.advance(10)
        await bench.until(lambda: not bench.jobs())

    bench.started(body)
    assert bench.told == [("running", 0.0), ("waiting", 10.0)]


def test_stopping_waits_for_running_jobs(bench: Bench) -> None:
    async def slow(call: Any, payload: dict[str, Any]) -> None:
        bench.told.append("begun")
        await asyncio.sleep(0.05)
        bench.told.append("ended")

    bench.runner.register(JobHandler("test.slow", slow))

    async def body() -> None:
        bench.add("a", kind="test.slow")
        await bench.until(lambda: bool(bench.told))

    bench.started(body)
    assert bench.told == ["begun", "ended"]
    assert bench.jobs() == []


def test_a_job_whose_handler_comes_later_runs_then(bench: Bench) -> None:
    async def body() -> None:
        bench.add("a")
        await asyncio.sleep(0.01)
        bench.handle("test.note")
        bench.clock.advance(UNKNOWN_KIND_SECONDS)
        await bench.until(lambda: not bench.jobs())

    bench.started(body)
    assert bench.told == [("a", UNKNOWN_KIND_SECONDS)]


def test_two_runners_share_the_jobs_and_run_none_twice(bench: Bench) -> None:
    other = bench.new_runner()

    async def slow(call: Any, payload: dict[str, Any]) -> None:
        await asyncio.sleep(0.001)
        bench.told.append(payload["name"])

    for runner in (bench.runner, other):
        runner.register(JobHandler("test.slow", slow))

    async def main() -> None:
        bench.runner.start()
        other.start()
        await asyncio.sleep(0.01)
        for number in range(60):
            bench.add(str(number), kind="test.slow")
        await bench.until(lambda: not bench.jobs())
        await bench.runner.stop()
        await other.stop()

    asyncio.run(main())
    assert sorted(bench.told, key=int) == [str(number) for number in range(60)]


def test_the_lease_of_a_long_job_is_renewed(bench: Bench) -> None:
    async def long(call: Any, payload: dict[str, Any]) -> None:
        first = bench.jobs()[0].due
        bench.clock.advance(0.04)
        await bench.until(lambda: bench.jobs()[0].due > first)
        bench.told.append("renewed")

    bench.runner.register(JobHandler("test.long", long, lease_seconds=0.05))

    async def body() -> None:
        bench.add("a", kind="test.long")
        await bench.until(lambda: not bench.jobs())

    bench.started(body)
    assert bench.told == ["renewed"]


def test_a_store_that_fails_for_a_while_does_not_end_the_runner(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.handle("test.note")
    begin = bench.store.begin
    failures = iter([True, True])

    def fail_at_first(*, read_only: bool) -> Any:
        if not read_only and next(failures, False):
            raise OSError("the disk is away")
        return begin(read_only=read_only)

    bench.add("a")

    async def main() -> None:
        bench.runner.start()
        monkeypatch.setattr(bench.store, "begin", fail_at_first)
        await bench.until(lambda: not bench.jobs())
        await bench.runner.stop()

    asyncio.run(main())
    assert bench.told == [("a", 0.0)]
    assert "the disk is away" in caplog.text
