"""Jobs: everything that happens later or outside, written in the request's transaction and run under a lease.

    enqueue(call.tx, "sns.deliver", {"MessageId": …}, call.now, call.ids, account_id=call.account_id, region=call.region)

    async def deliver(call: Call, payload: dict[str, Any]) -> None:      # no open transaction, like any `async def`
        …                                                                # raise: again later; raise GiveUp: never again

    SERVICE = Service("sns", modules=(…), jobs=(JobHandler("sns.deliver", deliver, RetryPolicy.exponential(5)),))

A job runs at least once: a handler may have done its work in a process that was killed before it could say so.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.store.kv import Store, Transaction
from cloudlet.emulator.store.table import Index, Record, Table
from cloudlet.emulator.store.transact import run

if TYPE_CHECKING:
    from cloudlet.emulator.effects.delivery import HttpDelivery
    from cloudlet.emulator.kernel.call import Call

LOG = logging.getLogger("cloudlet.jobs")

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
PARALLEL = 16  # jobs that one emulator runs at a time
PARALLEL_LONG = 32  # and those of handlers that are `long`
LONGEST_SLEEP_SECONDS = 3600.0
UNKNOWN_KIND_SECONDS = 300.0  # until a job is looked at again whose handler this emulator does not have
STOP_SECONDS = (
    5.0  # how long running jobs may go on when the emulator stops; what is cut off runs again at the next start
)
MOST_DUE_RUNS = 1_000_000  # in one `run_due`; a job that enqueues itself without delay would never end

T = TypeVar("T")


class GiveUp(Exception):
    """Raised by a handler: this job will never succeed, drop it."""


class RetryAfter(Exception):
    """Raised by a handler: run this job again in `seconds`, whatever the policy says (attempts still count)."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class Refused(Exception):
    """Raised by a handler: somebody outside did not take it; again as the policy says. One line in the log tells why."""


class RetryPolicy(msgspec.Struct, frozen=True):
    """When a job that raised runs again: `delays_seconds[n]` after failure n + 1; after the last one it is dropped."""

    delays_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)

    @classmethod
    def exponential(
        cls, attempts: int, *, first_seconds: float = 1.0, factor: float = 2.0, longest_seconds: float = 300.0
    ) -> RetryPolicy:
        """At most `attempts` runs, with delays that grow by `factor`."""
        return cls(tuple(min(longest_seconds, first_seconds * factor**n) for n in range(attempts - 1)))

    def delay(self, failures: int) -> float | None:
        """Seconds until the next run after this many failures; None when it is over."""
        return self.delays_seconds[failures - 1] if failures <= len(self.delays_seconds) else None


class JobHandler(msgspec.Struct, frozen=True):
    """How jobs of one kind are run.

    - `kind`: `service.verb`; the service that has the handler is the part before the dot.
    - `run(call, payload)`: `call` has the job's account and region, its service, and the kind as the operation.
    - `delivers`: it calls the outside world: `run(call, payload, http)` gets an `effects.delivery.HttpDelivery` too.
    - `retry`: the policy, or a function of the payload that gives it.
    - `gave_up(call, payload, reason)`: the last attempt failed, or `run` raised GiveUp. Runs inside the transaction that
      drops the job (`call.tx` is open), so a dead letter and the end of the job are one. It must not raise.
    - `long`: it may take minutes, most of them waiting (a function that a user wrote). Such jobs do not keep others back.
    - `lease_seconds`: how long until another worker may think that this one died; renewed while it runs.
    """

    kind: str
    run: Callable[..., Awaitable[None]]
    retry: RetryPolicy | Callable[[dict[str, Any]], RetryPolicy] = RetryPolicy()
    gave_up: Callable[[Call, dict[str, Any], str], None] | None = None
    delivers: bool = False
    long: bool = False
    lease_seconds: float = 60.0


class JobRecord(Record, frozen=True):
    """A job that is to be run. Times are seconds since the epoch.

    `due`: when it is next to be looked at: its time, the time of its next attempt, or, while somebody runs it, the end of
    the lease. `attempts` counts the runs that were begun. `lease` names who runs it, empty while nobody does.
    """

    job_id: str
    kind: str
    payload: dict[str, Any]
    due: float
    account_id: str
    region: str
    key: str | None = None
    attempts: int = 0
    lease: str = ""

    @property
    def holder(self) -> str | None:
        return self.lease or None


JOBS = Table(
    "cloudlet.jobs",
    JobRecord,
    version=1,
    key=("job_id",),
    indexes={
        "by_due": ("due",),
        "by_key": Index(("kind", "key"), unique=True, sparse=True),
        "by_holder": Index(("holder",), sparse=True),
    },
)


def enqueue(
    tx: Transaction,
    kind: str,
    payload: dict[str, Any],
    due: float,
    ids: Ids,
    *,
    key: str | None = None,
    account_id: str = DEFAULT_ACCOUNT,
    region: str = DEFAULT_REGION,
) -> str:
    """Write a job in the caller's transaction, to be run at `due` (seconds since the epoch; now or earlier: at once).

    `payload` holds what msgpack can: str, bytes, numbers, bool, None, list, dict. A job of the same kind with the same
    `key` is replaced (one that is running is let finish and does not run again). The job's id.
    """
    if key is not None:
        before = JOBS.find(tx, "by_key", kind, key)
        if before is not None:
            JOBS.delete(tx, before.job_id)
    job_id = ids.hex(32)
    JOBS.put(tx, JobRecord(job_id, kind, payload, due, account_id, region, key))
    return job_id


def cancel(tx: Transaction, job_id: str) -> bool:
    """Take a job back; False when it is done or was never there. One that is running is let finish."""
    return JOBS.delete(tx, job_id)


def cancel_key(tx: Transaction, kind: str, key: str) -> bool:
    """Take the job with this key back; False when there is none."""
    job = JOBS.find(tx, "by_key", kind, key)
    return job is not None and JOBS.delete(tx, job.job_id)


class MakeCall(Protocol):
    """Makes the call that a job runs with; `gateway.dispatch.Dispatcher.service_call`."""

    def __call__(self, service: str, account_id: str, region: str, operation: str = "job") -> Call: ...


class JobRunner:
    """Runs jobs, up to `PARALLEL` at a time, as tasks of the event loop. One instance per emulator.

    Several emulators on one store share the work: who leases a job runs it. Nothing that a handler raises ends the
    runner; it is logged, and the job's policy says what becomes of the job.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        make_call: MakeCall,
        delivery: HttpDelivery | None = None,
        load_service: Callable[[str], object] | None = None,
    ) -> None:
        """`load_service(name)` is called for a job whose service has registered nothing yet; it may register now."""
        self._store = store
        self._load_service = load_service
        self._clock = clock
        self._make_call = make_call
        self._delivery = delivery
        self._leases = Ids()  # never seeded: two emulators must not take the same name, and nobody sees it
        self._handlers: dict[str, JobHandler] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._long: set[str] = set()  # those of _running whose handlers are long
        self._loop_task: asyncio.Task[None] | None = None
        self._stepping = False  # `run_due` is at work, the loop keeps off
        self._steps = asyncio.Lock()  # of two that move the clock, one waits for the other
        clock.on_change.append(store.watch.wake_all)

    def register(self, handler: JobHandler) -> None:
        """From now on jobs of this kind are run."""
        self._handlers[handler.kind] = handler
        self._store.watch.notify((JOBS.prefix(),))

    def start(self) -> None:
        """Begin, in the running event loop. Jobs that a killed emulator was running are due at once."""
        if not self._store.worker_threads:  # nobody but a dead emulator can hold a lease
            run(self._store, _release_all)
        self._loop_task = asyncio.get_running_loop().create_task(self._loop(), name="jobs")

    async def stop(self) -> None:
        """End. Running jobs get a little time to finish; the others run at the next start."""
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.wait([self._loop_task])
            self._loop_task = None
        running = list(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if self._delivery is not None:
            await self._delivery.close()

    async def run_due(self, until: float) -> int:
        """Run everything that is due up to `until`, in order, one after the other, and set the clock to each due time.

        Includes what those jobs enqueue. The clock is at `until` afterwards, unless it was later before. How many ran.
        """
        async with self._steps:
            self._stepping = True
            try:
                return await self._step_through(until)
            finally:
                self._stepping = False
                self._store.watch.wake_all()

    async def _step_through(self, until: float) -> int:
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=STOP_SECONDS)
        count = 0
        while count < MOST_DUE_RUNS:
            job = await self._transact(lambda tx: self._take_next(tx, until))
            if job is None:
                break
            count += 1
            await self._run(job)
        if until > self._clock.now():
            self._clock.set(until)
        return count

    # --- the loop

    async def _loop(self) -> None:
        while True:
            pause = 0.0
            try:
                pause = await self._begin_due()
            except Exception:  # survives: the store refused; the jobs are still there, and the next look may be luckier
                LOG.exception("The jobs could not be read")
                await asyncio.sleep(1.0)
            if pause > 0:
                await self._store.watch.changed(JOBS.prefix(), pause)
            else:
                await asyncio.sleep(0)

    async def _begin_due(self) -> float:
        """Start what is due. Seconds to wait for more."""
        free = self._free()
        if self._stepping or free <= 0:
            return LONGEST_SLEEP_SECONDS  # the end of a job, or of the stepping, wakes the loop
        now = self._clock.now()
        for job in await self._transact(lambda tx: self._take_due(tx, now, free)):
            task = asyncio.get_running_loop().create_task(self._run(job), name=f"job {job.kind} {job.job_id}")
            self._running[job.job_id] = task
            if self._handlers[job.kind].long:
                self._long.add(job.job_id)
            task.add_done_callback(lambda _, job_id=job.job_id: self._ended(job_id))  # type: ignore[misc]
        following = await self._transact(_first_due)
        if following is None:
            return LONGEST_SLEEP_SECONDS
        if self._free() <= 0:
            return LONGEST_SLEEP_SECONDS
        return min(max(following - self._clock.now(), 0.0), LONGEST_SLEEP_SECONDS)

    def _free(self) -> int:
        """How many more may be begun. When all places for long ones are taken, they take the others'."""
        return PARALLEL - len(self._running) + min(len(self._long), PARALLEL_LONG)

    def _ended(self, job_id: str) -> None:
        del self._running[job_id]
        self._long.discard(job_id)
        self._store.watch.notify((JOBS.prefix(),))

    def _take_due(self, tx: Transaction, now: float, most: int) -> list[JobRecord]:
        """Lease up to `most` jobs that are due.

        One that failed and is due again at once may be written while its task is not yet over: the task's end, which is
        near, wakes the loop again.
        """
        taken = []
        due = JOBS.lookup(tx, "by_due", to=(now + 1e-6,), limit=most + len(self._running))
        for job in [job for job in due if job.job_id not in self._running][:most]:
            leased = self._lease(tx, job, now, now)
            if leased is not None:
                taken.append(leased)
        return taken

    def _take_next(self, tx: Transaction, until: float) -> JobRecord | None:
        """Lease the first job that is due up to `until`, at its time."""
        for job in JOBS.lookup(tx, "by_due"):
            if job.due > until:
                return None
            if job.job_id in self._running:
                continue
            now = max(job.due, self._clock.now())
            leased = self._lease(tx, job, now, until)
            if leased is not None:
                tx.on_commit(partial(self._step_to, now))
                return leased
        return None

    def _step_to(self, moment: float) -> None:
        if moment > self._clock.now():
            self._clock.set(moment)

    def _lease(self, tx: Transaction, job: JobRecord, now: float, until: float) -> JobRecord | None:
        """The job with a lease of ours; None when it cannot be run here now, then it is put off beyond `until`."""
        handler = self._handlers.get(job.kind)
        if handler is None and self._load_service is not None:
            self._load_service(job.kind.partition(".")[0])
            handler = self._handlers.get(job.kind)
        if handler is None:
            JOBS.put(tx, msgspec.structs.replace(job, due=until + UNKNOWN_KIND_SECONDS))
            return None
        leased = msgspec.structs.replace(
            job, due=now + handler.lease_seconds, attempts=job.attempts + 1, lease=self._leases.hex(24)
        )
        JOBS.put(tx, leased)
        return leased

    # --- one job

    async def _run(self, job: JobRecord) -> None:
        """Run a leased job and write down what came of it."""
        handler = self._handlers[job.kind]
        work = asyncio.ensure_future(self._carry_out(handler, job))
        try:
            while not (await asyncio.wait([work], timeout=handler.lease_seconds / 2))[0]:
                await self._transact(lambda tx: self._renew(tx, handler, job))
            failure = work.result()
        except asyncio.CancelledError:
            work.cancel()
            raise
        try:
            await self._transact(lambda tx: self._settle(tx, handler, job, failure))
        except Exception as error:  # survives: the lease ends and the job runs again
            LOG.exception("Job %s of kind %s: its end could not be written: %s", job.job_id, job.kind, error)

    async def _carry_out(self, handler: JobHandler, job: JobRecord) -> Exception | None:
        """What the handler raised."""
        service = job.kind.partition(".")[0]
        try:
            call = self._make_call(service, job.account_id, job.region, job.kind)
            if handler.delivers:
                await handler.run(call, job.payload, self._http())
            else:
                await handler.run(call, job.payload)
        except (GiveUp, RetryAfter) as error:
            LOG.debug("Job %s of kind %s: %s", job.job_id, job.kind, error)
            return error
        except Refused as error:
            LOG.info("Job %s of kind %s was refused (attempt %d): %s", job.job_id, job.kind, job.attempts, error)
            return error
        except Exception as error:  # survives: the policy says when it runs again
            LOG.warning("Job %s of kind %s failed (attempt %d)", job.job_id, job.kind, job.attempts, exc_info=True)
            return error
        return None

    def _settle(self, tx: Transaction, handler: JobHandler, job: JobRecord, failure: Exception | None) -> None:
        """Drop a finished job, or write when it is to run again. A job that was replaced or cancelled meanwhile is gone."""
        current = JOBS.get(tx, job.job_id)
        if current is None or current.lease != job.lease:
            return
        delay = None
        if isinstance(failure, RetryAfter):
            delay = failure.seconds
        elif failure is not None and not isinstance(failure, GiveUp):
            policy = handler.retry if isinstance(handler.retry, RetryPolicy) else handler.retry(job.payload)
            delay = policy.delay(job.attempts)
        if delay is not None:
            JOBS.put(tx, msgspec.structs.replace(current, due=self._clock.now() + delay, lease=""))
            return
        JOBS.delete(tx, job.job_id)
        if failure is not None and handler.gave_up is not None:
            call = self._make_call(job.kind.partition(".")[0], job.account_id, job.region, job.kind)
            call.tx = tx
            handler.gave_up(call, job.payload, str(failure))

    def _renew(self, tx: Transaction, handler: JobHandler, job: JobRecord) -> None:
        current = JOBS.get(tx, job.job_id)
        if current is not None and current.lease == job.lease:
            JOBS.put(tx, msgspec.structs.replace(current, due=self._clock.now() + handler.lease_seconds))

    def _http(self) -> HttpDelivery:
        if self._delivery is None:
            module: Any = importlib.import_module("cloudlet.emulator.effects.delivery")  # its HTTP client is heavy
            self._delivery = module.HttpxDelivery()
        delivery: HttpDelivery = self._delivery
        return delivery

    async def _transact(self, function: Callable[[Transaction], T]) -> T:
        """`transact.run`, off the event loop where the store waits for a server."""
        if self._store.worker_threads:
            return await asyncio.to_thread(run, self._store, function)
        return run(self._store, function)


def _first_due(tx: Transaction) -> float | None:
    for job in JOBS.lookup(tx, "by_due", limit=1):
        return job.due
    return None


def _release_all(tx: Transaction) -> None:
    """Give up the leases of an emulator that is gone."""
    for job in list(JOBS.lookup(tx, "by_holder")):
        JOBS.put(tx, msgspec.structs.replace(job, due=0.0, lease=""))
