"""Jobs: everything that happens later or outside, written in the request's transaction and run by `worker` under a lease.

    enqueue(call.tx, "sns.deliver", {"MessageId": …}, call.now, call.ids, account_id=call.account_id, region=call.region)

    async def deliver(call: Call, payload: dict[str, Any]) -> None:      # no open transaction, like any `async def`
        …                                                                # raise: again later; raise GiveUp: never again

    SERVICE = Service("sns", modules=(…), jobs=(JobHandler("sns.deliver", deliver, RetryPolicy.exponential(5)),))

A job runs at least once: a handler may have done its work in a process that was killed before it could say so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.store.kv import Transaction
from cloudlet.emulator.store.table import Index, Record, Table

if TYPE_CHECKING:
    from cloudlet.emulator.kernel.call import Call

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


class GiveUp(Exception):
    """Raised by a handler: this job will never succeed, drop it."""


class RetryAfter(Exception):
    """Raised by a handler: run this job again in `seconds`, whatever the policy says (attempts still count)."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


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
    - `run(call, payload)`: `call` has the job's account and region, its service, and kind as the operation.
    - `retry`: the policy, or a function of the payload that gives it.
    - `gave_up(call, payload, reason)`: the last attempt failed, or `run` raised GiveUp. Runs inside the transaction that
      drops the job (`call.tx` is open), so a dead letter and the end of the job are one. It must not raise.
    - `lease_seconds`: how long until another worker may think that this one died; renewed while it runs.
    """

    kind: str
    run: Callable[[Call, dict[str, Any]], Awaitable[None]]
    retry: RetryPolicy | Callable[[dict[str, Any]], RetryPolicy] = RetryPolicy()
    gave_up: Callable[[Call, dict[str, Any], str], None] | None = None
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


JOBS = Table(
    "cloudlet.jobs",
    JobRecord,
    version=1,
    key=("job_id",),
    indexes={"by_due": ("due",), "by_key": Index(("kind", "key"), unique=True, sparse=True)},
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
