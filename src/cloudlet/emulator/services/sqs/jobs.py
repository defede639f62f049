"""What SQS does in the background: sweeping storages that nothing refers to any more, and dropping expired messages."""

from __future__ import annotations

import asyncio
from operator import attrgetter
from typing import Any

from cloudlet.emulator.effects.jobs import cancel_key, enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sqs import standard
from cloudlet.emulator.services.sqs.lookup import milliseconds
from cloudlet.emulator.services.sqs.records import (
    ATTEMPTS,
    DEDUPLICATIONS,
    FIFO_MESSAGES,
    GROUPS,
    MESSAGES,
    PLACES,
    QUEUES,
    Queue,
)

SWEEP = "sqs.sweep"
EXPIRE = "sqs.expire"
CHUNK = 500  # records deleted in one transaction, so that requests get in between
LONGEST_PERIOD_SECONDS = 6 * 3600
SHORTEST_PERIOD_SECONDS = 60
RUNS_PER_RETENTION = 4
SWEPT_TABLES = (MESSAGES, PLACES, FIFO_MESSAGES, GROUPS, DEDUPLICATIONS, ATTEMPTS)


def sweep_storage(call: Call, storage_id: int) -> None:
    """Delete, soon, everything in a storage that no queue uses any more."""
    enqueue(call.tx, SWEEP, {"storage_id": storage_id}, call.now, call.ids, key=str(storage_id))


async def sweep(call: Call, payload: dict[str, Any]) -> None:
    for table in SWEPT_TABLES:
        key_of = attrgetter(*table.key_fields)
        while True:
            with call.transaction() as tx:
                found = list(table.scan(tx, payload["storage_id"], limit=CHUNK))
                for record in found:
                    table.delete(tx, *key_of(record))
            if len(found) < CHUNK:
                break
            await asyncio.sleep(0)


def keep_retention(call: Call, queue: Queue) -> None:
    """From now on drop the queue's messages once they are older than its retention period."""
    if not call.settings.sqs_enable_message_retention_period:
        return
    period = queue.retention_seconds // RUNS_PER_RETENTION
    due = call.now + min(max(period, SHORTEST_PERIOD_SECONDS), LONGEST_PERIOD_SECONDS)
    payload = {"account_id": queue.account_id, "region": queue.region, "name": queue.name}
    enqueue(call.tx, EXPIRE, payload, due, call.ids, key=queue.arn)


def forget_retention(call: Call, queue: Queue) -> None:
    cancel_key(call.tx, EXPIRE, queue.arn)


async def expire(call: Call, payload: dict[str, Any]) -> None:
    """Delete what became visible longer ago than the retention period, so was certainly sent before that.

    What was received since lies further back; receiving drops it when it is its turn.
    """
    while True:
        with call.transaction() as tx:
            queue = QUEUES.get(tx, payload["account_id"], payload["region"], payload["name"])
            if queue is None:
                return
            oldest = milliseconds(call) - queue.retention_seconds * 1000
            expired = [] if queue.fifo else list(MESSAGES.scan(tx, queue.storage_id, to=(oldest,), limit=CHUNK))
            for message in expired:
                standard.remove(tx, message)
            if len(expired) < CHUNK:
                keep_retention(call, queue)
                return
        await asyncio.sleep(0)
