"""Time to live: an index of the moments at which items expire, and the job that deletes what has expired.

The job of a table is due when its first item expires; it deletes all that have expired, in portions, and is enqueued
again for the next. A table without an item that will expire has no job.

Source: "Using time to live (TTL) in DynamoDB", Developer Guide.
"""

from __future__ import annotations

from typing import Final

from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.dynamodb.records import EXPIRIES, ITEMS, ExpiryRecord, TableRecord
from cloudlet.emulator.services.dynamodb.values import Item, decode_item
from cloudlet.emulator.store.kv import Transaction

EXPIRE_KIND: Final = "dynamodb.expire"
OLDEST_SECONDS: Final = 5 * 365 * 24 * 3600  # a time longer ago than this is no expiry


def expiry_of(table: TableRecord, item: Item) -> int | None:
    """The moment at which the item expires, in seconds since the epoch."""
    value = item.get(table.ttl_attribute)
    if value is None or "N" not in value:
        return None
    whole = value["N"].partition(".")[0]
    return int(whole) if len(whole) < 16 else None


def note_expiry(call: Call, table: TableRecord, hash_: bytes, range_: bytes, item: Item) -> None:
    """The item was written."""
    expires = expiry_of(table, item)
    if expires is None or expires < call.now - OLDEST_SECONDS:
        return
    first = next(EXPIRIES.scan(call.tx, table.storage, limit=1), None)
    EXPIRIES.put(call.tx, ExpiryRecord(table.storage, expires, hash_, range_))
    if first is None or expires < first.expires:
        schedule(call, table, expires)


def forget_expiry(tx: Transaction, table: TableRecord, hash_: bytes, range_: bytes, item: Item) -> None:
    """The item was replaced or deleted."""
    expires = expiry_of(table, item)
    if expires is not None:
        EXPIRIES.delete(tx, table.storage, expires, hash_, range_)


def schedule(call: Call, table: TableRecord, expires: int) -> None:
    """Have the table's job run when its first item expires."""
    enqueue(
        call.tx,
        EXPIRE_KIND,
        {"table": table.name},
        max(call.now, float(expires)),
        call.ids,
        key=str(table.storage),
        account_id=table.account_id,
        region=table.region,
    )


def fill_expiries(call: Call, table: TableRecord) -> None:
    """TTL was switched on: note what the items that are there say."""
    for record in ITEMS.scan(call.tx, table.storage):
        note_expiry(call, table, record.hash, record.range, decode_item(record.item))


def clear_expiries(tx: Transaction, table: TableRecord) -> None:
    """TTL was switched off."""
    for record in list(EXPIRIES.scan(tx, table.storage)):
        EXPIRIES.delete(tx, record.storage, record.expires, record.hash, record.range)
