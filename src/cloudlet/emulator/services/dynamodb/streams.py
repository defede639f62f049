"""Streams: what changes in a table, in order, for 24 hours.

A change is written in the transaction of the write that made it. A stream has one shard; sequence numbers grow with time.
The three operations here are not AWS's: the service `dynamodbstreams` calls them, and nobody else can.

Source: "Change data capture for DynamoDB Streams", Developer Guide.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from cloudlet.emulator.effects.jobs import enqueue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.dynamodb.keys import key_of_item
from cloudlet.emulator.services.dynamodb.records import (
    CHANGES,
    STREAMS,
    ChangeRecord,
    ItemRecord,
    StreamRecord,
    TableRecord,
)
from cloudlet.emulator.services.dynamodb.values import Item, decode_item, encode_item, equal, measure_item

KEPT_SECONDS: Final = 24 * 3600
TRIMMED: Final = 64  # old changes that one write deletes
FORGET_KIND: Final = "dynamodb.forget_stream"
PAGE_BYTES: Final = 1024 * 1024


def open_stream(call: Call, table: TableRecord, storage: int) -> None:
    """The table has a new stream; its label is the table's."""
    STREAMS.put(
        call.tx,
        StreamRecord(
            account_id=table.account_id,
            region=table.region,
            table=table.name,
            label=table.stream_label,
            arn=f"{table.arn}/stream/{table.stream_label}",
            view=table.stream_view,
            created=call.now,
            storage=storage,
            hash_name=table.hash_name,
            range_name=table.range_name,
            first=sequence_at(call.now),
        ),
    )


def close_stream(call: Call, table: TableRecord) -> None:
    """No more changes come; those that are there can be read for a day."""
    stream = STREAMS.get(call.tx, table.account_id, table.region, table.name, table.stream_label)
    if stream is None or stream.closed is not None:
        return
    last = last_change(call, stream.storage)
    STREAMS.put(call.tx, replace(stream, closed=call.now, last=last.sequence if last else sequence_at(call.now)))
    enqueue(
        call.tx,
        FORGET_KIND,
        {"table": stream.table, "label": stream.label},
        call.now + KEPT_SECONDS,
        call.ids,
        account_id=stream.account_id,
        region=stream.region,
    )


def sequence_at(now: float) -> int:
    return int(now * 1_000_000)


def last_change(call: Call, storage: int) -> ChangeRecord | None:
    return next(CHANGES.scan(call.tx, storage, reverse=True, limit=1), None)


def note_change(
    call: Call, table: TableRecord, old: ItemRecord | None, new: ItemRecord | None, *, expired: bool = False
) -> None:
    """The item was written or deleted. A write that changes nothing is no change."""
    source = new or old
    if source is None:
        return
    item = decode_item(source.item)
    if old is not None and new is not None and same(old, new, item):
        return
    key: Item = key_of_item(table, item)
    wants_old = table.stream_view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES") and old is not None
    wants_new = table.stream_view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES") and new is not None
    size = measure_item(key)
    size += old.size if wants_old and old else 0
    size += new.size if wants_new and new else 0
    last = last_change(call, table.stream_storage)
    sequence = sequence_at(call.now)
    if last is not None and last.sequence >= sequence:
        sequence = last.sequence + 1
    CHANGES.put(
        call.tx,
        ChangeRecord(
            storage=table.stream_storage,
            sequence=sequence,
            event_id=call.ids.hex(32),
            event="INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            at=call.now,
            size=size,
            key=encode_item(key),
            old=old.item if wants_old and old else b"",
            new=new.item if wants_new and new else b"",
            expired=expired,
        ),
    )
    if sequence % 16 == 0:
        trim(call, table.stream_storage)


def same(old: ItemRecord, new: ItemRecord, item: Item) -> bool:
    return old.item == new.item or (old.size == new.size and equal({"M": decode_item(old.item)}, {"M": item}))


def trim(call: Call, storage: int) -> None:
    """Forget what is older than a day."""
    for change in list(CHANGES.scan(call.tx, storage, limit=TRIMMED)):
        if change.at > call.now - KEPT_SECONDS:
            return
        CHANGES.delete(call.tx, storage, change.sequence)


# --- for dynamodbstreams


@read_only
def find_streams(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Streams of the account, or of `TableName`; strictly behind (`AfterTable`, `AfterLabel`)."""
    prefix = (request["TableName"],) if "TableName" in request else ()
    after = None
    if "AfterLabel" in request:
        after = (request["AfterLabel"],) if prefix else (request["AfterTable"], request["AfterLabel"])
    found = STREAMS.scan(call.tx, call.account_id, call.region, *prefix, after=after, limit=request["Limit"])
    return {"Streams": [describe_stream(stream) for stream in found]}


@read_only
def find_stream(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The stream of `TableName` with this `Label`, if there is one; with the last sequence number (`Latest`), and the
    prefix (`Watch`) to give to `call.changed` by those who wait for changes."""
    stream = STREAMS.get(call.tx, call.account_id, call.region, request["TableName"], request["Label"])
    if stream is None:
        return {}
    last = last_change(call, stream.storage)
    return {
        "Stream": {
            **describe_stream(stream),
            "Latest": last.sequence if last else stream.first - 1,
            "Watch": CHANGES.prefix(stream.storage),
        }
    }


def describe_stream(stream: StreamRecord) -> dict[str, Any]:
    schema = [{"AttributeName": stream.hash_name, "KeyType": "HASH"}]
    if stream.range_name is not None:
        schema.append({"AttributeName": stream.range_name, "KeyType": "RANGE"})
    return {
        "Arn": stream.arn,
        "Table": stream.table,
        "Label": stream.label,
        "View": stream.view,
        "Created": stream.created,
        "Schema": schema,
        "First": stream.first,
        "Last": stream.last,
        "Storage": stream.storage,
    }


@read_only
def read_changes(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Up to `Limit` changes of the stream of a `Storage` number from the sequence number `From` on; at most 1 MB."""
    found = []
    size = 0
    for change in CHANGES.scan(call.tx, request["Storage"], from_=(request["From"],), limit=request["Limit"]):
        if change.at <= call.now - KEPT_SECONDS:
            continue
        found.append(
            {
                "Sequence": change.sequence,
                "Id": change.event_id,
                "Event": change.event,
                "At": change.at,
                "Size": change.size,
                "Key": change.key,
                "Old": change.old,
                "New": change.new,
                "Expired": change.expired,
            }
        )
        size += change.size
        if size > PAGE_BYTES:
            break
    return {"Changes": found}
