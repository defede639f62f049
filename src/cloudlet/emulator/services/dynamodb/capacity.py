"""What an operation consumes, and what it says about item collections.

Source: "DynamoDB throughput capacity": a read unit is 4 KB, half of it when eventually consistent, a write unit 1 KB;
transactions take twice as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.services.dynamodb.keys import index_key
from cloudlet.emulator.services.dynamodb.records import IndexRecord, TableRecord
from cloudlet.emulator.services.dynamodb.values import Item, measure_item
from cloudlet.emulator.services.dynamodb.writes import projected_names


def read_units(size: int, consistent: bool) -> float:
    """Read units for so many bytes."""
    units = max(1, -(-size // 4096))
    return float(units) if consistent else units / 2


def write_units(size: int) -> float:
    """Write units for an item of so many bytes."""
    return float(max(1, -(-size // 1024)))


def consumed(
    name: str,
    mode: str,
    table_units: float,
    table: TableRecord,
    index_units: Mapping[str, float] | None = None,
    member: str | None = None,
) -> dict[str, Any]:
    """ConsumedCapacity. `mode` is TOTAL or INDEXES, `member` ReadCapacityUnits or WriteCapacityUnits or neither."""
    index_units = index_units or {}
    total = table_units + sum(index_units.values())
    answer: dict[str, Any] = {"TableName": name, "CapacityUnits": total}
    if member:
        answer[member] = total
    if mode == "INDEXES":
        answer["Table"] = capacity(table_units, member)
        for index in table.indexes:
            if index.name in index_units:
                group = "GlobalSecondaryIndexes" if index.is_global else "LocalSecondaryIndexes"
                answer.setdefault(group, {})[index.name] = capacity(index_units[index.name], member)
    return answer


def capacity(units: float, member: str | None) -> dict[str, float]:
    return {"CapacityUnits": units, member: units} if member else {"CapacityUnits": units}


def index_write_units(table: TableRecord, before: Item | None, after: Item | None, factor: float) -> dict[str, float]:
    """Write units that the indexes take when an item changes."""
    found = {}
    for index in table.indexes:
        units = entry_units(table, index, before, after)
        if units:
            found[index.name] = units * factor
    return found


def entry_units(table: TableRecord, index: IndexRecord, before: Item | None, after: Item | None) -> float:
    old_key = None if before is None else index_key(index, before)
    new_key = None if after is None else index_key(index, after)
    old = entry(table, index, before) if old_key is not None else None
    new = entry(table, index, after) if new_key is not None else None
    if old == new:
        return 0.0
    if old_key == new_key and old is not None and new is not None:
        return write_units(max(measure_item(old), measure_item(new)))
    return sum(write_units(measure_item(part)) for part in (old, new) if part is not None)


def entry(table: TableRecord, index: IndexRecord, item: Item | None) -> Item:
    assert item is not None
    if index.projection == "ALL":
        return item
    names = projected_names(table, index)
    return {name: value for name, value in item.items() if name in names}


def item_collection(table: TableRecord, key: Item) -> dict[str, Any] | None:
    """ItemCollectionMetrics; only tables with local indexes have item collections."""
    if all(index.is_global for index in table.indexes):
        return None
    return {"ItemCollectionKey": {table.hash_name: key[table.hash_name]}, "SizeEstimateRangeGB": [0.0, 1.0]}
