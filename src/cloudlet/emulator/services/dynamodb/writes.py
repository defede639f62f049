"""The one way an item gets into a table or out of it: with its index entries and its expiry, in one transaction."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.dynamodb.expirations import forget_expiry, note_expiry
from cloudlet.emulator.services.dynamodb.keys import index_key
from cloudlet.emulator.services.dynamodb.records import (
    INDEX_ITEMS,
    ITEMS,
    IndexItemRecord,
    IndexRecord,
    ItemRecord,
    TableRecord,
)
from cloudlet.emulator.services.dynamodb.streams import note_change
from cloudlet.emulator.services.dynamodb.values import Item, decode_item, encode_item, measure_item
from cloudlet.emulator.store.kv import Transaction


def needs_old_item(table: TableRecord) -> bool:
    """A write has to know what it replaces."""
    return bool(table.indexes or table.ttl_attribute or table.stream_view)


def store_item(call: Call, table: TableRecord, record: ItemRecord, item: Item, old: ItemRecord | None) -> None:
    """Write an item; `old` is what it replaces, needed where `needs_old_item` says so."""
    tx = call.tx
    ITEMS.put(tx, record)
    if table.stream_view:
        note_change(call, table, old, record)
    if table.indexes or table.ttl_attribute:
        before = None if old is None else decode_item(old.item)
        for index in table.indexes:
            update_index(tx, table, index, record, item, before)
        if table.ttl_attribute:
            if before is not None:
                forget_expiry(tx, table, record.hash, record.range, before)
            note_expiry(call, table, record.hash, record.range, item)


def remove_item(call: Call, table: TableRecord, old: ItemRecord, *, expired: bool = False) -> None:
    """Delete an item that is there. `expired`: time to live does it."""
    tx = call.tx
    ITEMS.delete(tx, old.storage, old.hash, old.range)
    if table.stream_view:
        note_change(call, table, old, None, expired=expired)
    if table.indexes or table.ttl_attribute:
        before = decode_item(old.item)
        for index in table.indexes:
            key = index_key(index, before)
            if key is not None:
                INDEX_ITEMS.delete(tx, index.storage, *key, old.hash, old.range)
        if table.ttl_attribute:
            forget_expiry(tx, table, old.hash, old.range, before)


def update_index(
    tx: Transaction, table: TableRecord, index: IndexRecord, record: ItemRecord, item: Item, before: Item | None
) -> None:
    old_key = None if before is None else index_key(index, before)
    new_key = index_key(index, item)
    if old_key is not None and old_key != new_key:
        INDEX_ITEMS.delete(tx, index.storage, *old_key, record.hash, record.range)
    if new_key is not None:
        INDEX_ITEMS.put(tx, index_entry(table, index, new_key, record, item))


def index_entry(
    table: TableRecord, index: IndexRecord, key: tuple[bytes, bytes], record: ItemRecord, item: Item
) -> IndexItemRecord:
    """The item as the index holds it."""
    if index.projection == "ALL":
        size, raw = record.size, record.item
    else:
        names = projected_names(table, index)
        part = {name: value for name, value in item.items() if name in names}
        size, raw = measure_item(part), encode_item(part)
    return IndexItemRecord(index.storage, *key, record.hash, record.range, size, raw)


def projected_names(table: TableRecord, index: IndexRecord) -> frozenset[str]:
    """The attributes that an index of KEYS_ONLY or INCLUDE holds."""
    names = {table.hash_name, table.range_name, index.hash_name, index.range_name, *index.non_key_attributes}
    return frozenset(name for name in names if name is not None)


def fill_index(call: Call, table: TableRecord, index: IndexRecord) -> None:
    """Put a new index's entries in for the items that are there."""
    tx = call.tx
    for record in ITEMS.scan(tx, table.storage):
        item = decode_item(record.item)
        key = index_key(index, item)
        if key is not None:
            INDEX_ITEMS.put(tx, index_entry(table, index, key, record, item))
