"""Reading many items in key order: the part that Query and Scan have in common.

A `Source` is a table or one of its indexes. A page ends after `Limit` items, or with the item that makes it 1 MB; the
sizes that count are those of the items as they are stored in the source, before filter and projection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from orjson import Fragment

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.dynamodb.arguments import Guard
from cloudlet.emulator.services.dynamodb.capacity import consumed, read_units
from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.expressions.projections import Projection
from cloudlet.emulator.services.dynamodb.keys import empty_key, hash_bytes, scalar_bytes
from cloudlet.emulator.services.dynamodb.records import (
    INDEX_ITEMS,
    ITEMS,
    IndexItemRecord,
    IndexRecord,
    ItemRecord,
    TableRecord,
)
from cloudlet.emulator.services.dynamodb.values import Item, decode_item, encode_item, measure_item
from cloudlet.emulator.services.dynamodb.writes import projected_names

PAGE_BYTES: Final = 1024 * 1024

Entries = Iterator[ItemRecord] | Iterator[IndexItemRecord]


class Source:
    """A table or one of its indexes, as something to read from."""

    __slots__ = ("hash_name", "hash_type", "index", "key_names", "range_name", "range_type", "storage", "table")

    def __init__(self, table: TableRecord, index: IndexRecord | None) -> None:
        schema = table if index is None else index
        self.table = table
        self.index = index
        self.storage = schema.storage
        self.hash_name, self.hash_type = schema.hash_name, schema.hash_type
        self.range_name, self.range_type = schema.range_name, schema.range_type or "S"
        names = [self.hash_name, self.range_name]
        if index is not None:
            names += [table.hash_name, table.range_name]
        self.key_names = tuple(dict.fromkeys(name for name in names if name is not None))

    def scan(self, call: Call, *prefix: bytes, **bounds: Any) -> Entries:
        """The entries in key order; `prefix` and `bounds` as in `Table.scan`, below the storage number."""
        if self.index is None:
            return ITEMS.scan(call.tx, self.storage, *prefix, **bounds)
        return INDEX_ITEMS.scan(call.tx, self.storage, *prefix, **bounds)

    def key_of(self, item: Item) -> Item:
        """The attributes of LastEvaluatedKey."""
        return {name: item[name] for name in self.key_names}

    def position(self, start: Item, message: str) -> tuple[bytes, ...]:
        """Where an ExclusiveStartKey lies, as key parts. Raises ValidationException that begins with `message`."""
        measure_item(start)
        if start.keys() != set(self.key_names):
            raise ValidationException(message)
        table = self.table
        own = self.parts(start, self.hash_name, self.hash_type, self.range_name, self.range_type, message)
        if self.index is None:
            return own
        base = self.parts(start, table.hash_name, table.hash_type, table.range_name, table.range_type or "S", message)
        return (*own, *base)

    def parts(
        self, start: Item, hash_name: str, hash_type: str, range_name: str | None, range_type: str, message: str
    ) -> tuple[bytes, bytes]:
        found = []
        for name, kind in ((hash_name, hash_type), (range_name, range_type)):
            if name is None:
                found.append(b"")
                continue
            if kind not in start[name]:
                raise ValidationException(message)
            raw = scalar_bytes(kind, start[name][kind])
            if not raw:
                raise empty_key(name, kind)
            found.append(raw)
        return hash_bytes(found[0]), found[1]


class Wanted:
    """What of the items a Query or Scan returns.

    `count_only`: nothing. `fetch`: the whole item of a local index's entry has to be read from the table.
    """

    __slots__ = ("count_only", "fetch", "projection")

    def __init__(self, count_only: bool, projection: Projection | None, fetch: bool) -> None:
        self.count_only = count_only
        self.projection = projection
        self.fetch = fetch


def wanted_attributes(request: dict[str, Any], source: Source, projection: Projection | None) -> Wanted:
    """Judge Select against projection and index. Raises ValidationException."""
    select = request.get("Select")
    member = "ProjectionExpression" if "ProjectionExpression" in request else "AttributesToGet"
    index = source.index
    if projection is not None and select not in (None, "SPECIFIC_ATTRIBUTES"):
        what = "only the Count" if select == "COUNT" else select
        prefix = "1 validation error detected: " if is_query(request) and member == "ProjectionExpression" else ""
        raise ValidationException(f"{prefix}Cannot specify the {member} when choosing to get {what}")
    if select == "SPECIFIC_ATTRIBUTES" and projection is None:
        raise ValidationException(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise ValidationException("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if index is None or index.projection == "ALL":
        return Wanted(select == "COUNT", projection, fetch=False)
    if select == "ALL_ATTRIBUTES" and index.is_global:
        raise invalid_parameter(
            f"Select type ALL_ATTRIBUTES is not supported for global secondary index {index.name} because its "
            "projection type is not ALL"
        )
    fetch = select == "ALL_ATTRIBUTES"
    if projection is not None:
        missing = projection.roots - projected_names(source.table, index)
        if missing and index.is_global:
            raise invalid_parameter(
                f"Global secondary index {index.name} does not project [{', '.join(sorted(missing))}]"
            )
        fetch = bool(missing)
    return Wanted(select == "COUNT", projection, fetch)


def is_query(request: dict[str, Any]) -> bool:
    return "KeyConditionExpression" in request or "KeyConditions" in request


def read_page(
    call: Call,
    request: dict[str, Any],
    source: Source,
    entries: Entries,
    guard: Guard | None,
    wanted: Wanted,
) -> dict[str, Any]:
    """The answer of a Query or Scan that reads these entries."""
    limit = request.get("Limit", 0)
    plain = wanted.projection is None and not wanted.fetch and not wanted.count_only and guard is None
    found: list[bytes] = []
    count = scanned = size = 0
    last: ItemRecord | IndexItemRecord | None = None
    for entry in entries:
        scanned += 1
        size += entry.size
        if plain:
            found.append(entry.item)
        else:
            count += select_entry(call, source, entry, guard, wanted, found)
        if scanned == limit or size >= PAGE_BYTES:
            last = entry
            break
    result: dict[str, Any] = {"Count": len(found) if plain else count, "ScannedCount": scanned}
    if not wanted.count_only:
        result["Items"] = Fragment(b"[" + b",".join(found) + b"]")
    if last is not None:
        result["LastEvaluatedKey"] = Fragment(encode_item(source.key_of(decode_item(last.item))))
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode != "NONE":
        result["ConsumedCapacity"] = page_capacity(request, source, mode, size)
    return result


def select_entry(
    call: Call,
    source: Source,
    entry: ItemRecord | IndexItemRecord,
    guard: Guard | None,
    wanted: Wanted,
    found: list[bytes],
) -> int:
    """Add what is wanted of the entry to `found`; 1 where the filter lets it pass, 0 where not."""
    raw = entry.item
    if wanted.fetch:
        assert isinstance(entry, IndexItemRecord)
        whole = ITEMS.get(call.tx, source.table.storage, entry.table_hash, entry.table_range)
        raw = raw if whole is None else whole.item
    if guard is None and wanted.projection is None:
        if not wanted.count_only:
            found.append(raw)
        return 1
    item = decode_item(raw)
    if guard is not None and not guard.allows(item):
        return 0
    if wanted.count_only:
        return 1
    found.append(raw if wanted.projection is None else encode_item(wanted.projection.apply(item)))
    return 1


def page_capacity(request: dict[str, Any], source: Source, mode: str, size: int) -> dict[str, Any]:
    units = read_units(size, request.get("ConsistentRead", False))
    index = source.index
    if index is None:
        return consumed(request["TableName"], mode, units, source.table)
    return consumed(request["TableName"], mode, 0.0, source.table, {index.name: units})
