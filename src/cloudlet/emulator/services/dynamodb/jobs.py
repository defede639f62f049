"""What DynamoDB does later: deleting what has expired, and sweeping up what deleted tables and indexes left."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from cloudlet.emulator.effects.jobs import JobHandler, enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.dynamodb.expirations import EXPIRE_KIND, schedule
from cloudlet.emulator.services.dynamodb.records import (
    CHANGES,
    EXPIRIES,
    INDEX_ITEMS,
    ITEMS,
    STREAMS,
    TABLES,
    TableRecord,
)
from cloudlet.emulator.services.dynamodb.streams import FORGET_KIND
from cloudlet.emulator.services.dynamodb.writes import remove_item

SWEEP_KIND: Final = "dynamodb.sweep"
PORTION: Final = 500  # records that one transaction deletes


async def expire(call: Call, payload: dict[str, Any]) -> None:
    """Delete the table's items that have expired, and come again for the next."""
    while True:
        with call.transaction() as tx:
            table = TABLES.get(tx, call.account_id, call.region, payload["table"])
            if table is None or not table.ttl_attribute:
                return
            due = list(EXPIRIES.scan(tx, table.storage, to=(int(call.now) + 1,), limit=PORTION))
            for expiry in due:
                old = ITEMS.get(tx, table.storage, expiry.hash, expiry.range)
                if old is not None:
                    remove_item(call, table, old, expired=True)
                EXPIRIES.delete(tx, expiry.storage, expiry.expires, expiry.hash, expiry.range)
            if len(due) < PORTION:
                first = next(EXPIRIES.scan(tx, table.storage, limit=1), None)
                if first is not None:
                    schedule(call, table, first.expires)
                return
        await asyncio.sleep(0)  # requests first


def sweep_later(call: Call, table: TableRecord, storages: list[int]) -> None:
    """Have the records of these storage numbers deleted."""
    enqueue(
        call.tx,
        SWEEP_KIND,
        {"storages": storages},
        call.now,
        call.ids,
        account_id=table.account_id,
        region=table.region,
    )


async def sweep(call: Call, payload: dict[str, Any]) -> None:
    """Delete what a deleted table or index has left, in portions."""
    for storage in payload["storages"]:
        more = True
        while more:
            more = sweep_portion(call, storage)
            await asyncio.sleep(0)  # requests first


def sweep_portion(call: Call, storage: int) -> bool:
    """Delete one portion; whether there may be more."""
    with call.transaction() as tx:
        items = list(ITEMS.scan(tx, storage, limit=PORTION))
        for item in items:
            ITEMS.delete(tx, storage, item.hash, item.range)
        entries = list(INDEX_ITEMS.scan(tx, storage, limit=PORTION))
        for entry in entries:
            INDEX_ITEMS.delete(tx, storage, entry.hash, entry.range, entry.table_hash, entry.table_range)
        expiries = list(EXPIRIES.scan(tx, storage, limit=PORTION))
        for expiry in expiries:
            EXPIRIES.delete(tx, storage, expiry.expires, expiry.hash, expiry.range)
    return PORTION in (len(items), len(entries), len(expiries))


async def forget_stream(call: Call, payload: dict[str, Any]) -> None:
    """Delete a stream that was closed a day ago, with its changes."""
    more = True
    while more:
        with call.transaction() as tx:
            stream = STREAMS.get(tx, call.account_id, call.region, payload["table"], payload["label"])
            if stream is None:
                return
            changes = list(CHANGES.scan(tx, stream.storage, limit=PORTION))
            for change in changes:
                CHANGES.delete(tx, change.storage, change.sequence)
            more = len(changes) == PORTION
            if not more:
                STREAMS.delete(tx, stream.account_id, stream.region, stream.table, stream.label)
        await asyncio.sleep(0)  # requests first


JOBS: Final = (
    JobHandler(EXPIRE_KIND, expire),
    JobHandler(SWEEP_KIND, sweep),
    JobHandler(FORGET_KIND, forget_stream),
)
