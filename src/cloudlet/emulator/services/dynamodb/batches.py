"""BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from typing import Any, Final, cast

from orjson import Fragment

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    BatchGetItemInput,
    BatchGetItemOutput,
    BatchWriteItemInput,
    BatchWriteItemOutput,
)
from cloudlet.emulator.services.dynamodb.arguments import Placeholders, check_parameters, projection_of
from cloudlet.emulator.services.dynamodb.capacity import consumed, item_collection, read_units
from cloudlet.emulator.services.dynamodb.catalog import find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.projections import Projection
from cloudlet.emulator.services.dynamodb.items import (
    Changed,
    carry_out_delete,
    carry_out_put,
    prepare_put,
    written_units,
)
from cloudlet.emulator.services.dynamodb.keys import SCHEMA_MISMATCH, KeyBytes, item_key, key_of_item, read_key
from cloudlet.emulator.services.dynamodb.records import ITEMS, TableRecord
from cloudlet.emulator.services.dynamodb.values import Item, decode_item, encode_item

MAX_GETS: Final = 100
MAX_WRITES: Final = 25
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
DUPLICATES: Final = "Provided list of item keys contains duplicates"


@read_only
def batch_get_item(call: Call, request: BatchGetItemInput) -> BatchGetItemOutput:
    wanted: dict[str, Any] = cast("dict[str, Any]", request)["RequestItems"]
    if sum(len(part["Keys"]) for part in wanted.values()) > MAX_GETS:
        raise ValidationException("Too many items requested for the BatchGetItem call")
    projections = {name: prepare_get(part) for name, part in wanted.items()}
    responses: dict[str, Any] = {}
    unprocessed: dict[str, Any] = {}
    capacities = []
    mode = request.get("ReturnConsumedCapacity", "NONE")
    room = MAX_ANSWER_BYTES
    for name, part in wanted.items():
        table = find_table(call, name)
        keys = distinct_keys(table, part["Keys"])
        found: list[bytes] = []
        units = 0.0
        for place, key in enumerate(keys):
            record = ITEMS.get(call.tx, table.storage, *key)
            size = 0 if record is None else record.size
            if room < size:
                unprocessed[name] = {**part, "Keys": part["Keys"][place:]}
                break
            room -= size
            units += read_units(size, part.get("ConsistentRead", False))
            if record is not None:
                found.append(projected(record.item, projections[name]))
        responses[name] = Fragment(b"[" + b",".join(found) + b"]")
        if mode != "NONE":
            capacities.append(consumed(name, mode, units, table))
    result: dict[str, Any] = {"Responses": responses, "UnprocessedKeys": unprocessed}
    if mode != "NONE":
        result["ConsumedCapacity"] = capacities
    return cast(BatchGetItemOutput, result)


def prepare_get(part: dict[str, Any]) -> Projection | None:
    """The projection of one table's part of the request. Raises ValidationException."""
    check_parameters(part, ("ProjectionExpression",), ("AttributesToGet",))
    placeholders = Placeholders(part)
    projection = projection_of(part, placeholders)
    placeholders.refuse_unused()
    return projection


def distinct_keys(table: TableRecord, keys: list[Item]) -> list[KeyBytes]:
    found = [read_key(table, key) for key in keys]
    if len(set(found)) != len(found):
        raise ValidationException(DUPLICATES)
    return found


def projected(raw: bytes, projection: Projection | None) -> bytes:
    return raw if projection is None else encode_item(projection.apply(decode_item(raw)))


@read_write
def batch_write_item(call: Call, request: BatchWriteItemInput) -> BatchWriteItemOutput:
    wanted: dict[str, list[dict[str, Any]]] = cast("dict[str, Any]", request)["RequestItems"]
    if sum(map(len, wanted.values())) > MAX_WRITES:
        raise ValidationException("Too many items requested for the BatchWriteItem call")
    sizes = {name: [prepare_write(write) for write in writes] for name, writes in wanted.items()}
    tables = {name: find_table(call, name) for name in wanted}
    keys = {name: distinct_writes(tables[name], writes) for name, writes in wanted.items()}
    mode = request.get("ReturnConsumedCapacity", "NONE")
    capacities = []
    metrics: dict[str, Any] = {}
    for name, writes in wanted.items():
        table = tables[name]
        units = 0.0
        index_units: dict[str, float] = {}
        for write, key, size in zip(writes, keys[name], sizes[name], strict=True):
            changed = carry_out(call, table, write, key, size, wants_old=mode != "NONE")
            if mode != "NONE":
                taken, _, taken_by_indexes = written_units(table, changed, 1.0)
                units += taken
                for index, more in taken_by_indexes.items():
                    index_units[index] = index_units.get(index, 0.0) + more
            if request.get("ReturnItemCollectionMetrics") == "SIZE":
                metric = item_collection(table, key_of_write(table, write))
                if metric is not None:
                    metrics.setdefault(name, []).append(metric)
        if mode != "NONE":
            capacities.append(consumed(name, mode, units, table, index_units))
    result: dict[str, Any] = {"UnprocessedItems": {}}
    if mode != "NONE":
        result["ConsumedCapacity"] = capacities
    if metrics:
        result["ItemCollectionMetrics"] = metrics
    return cast(BatchWriteItemOutput, result)


def prepare_write(write: dict[str, Any]) -> int:
    """The size of what is to be put; 0 for a deletion. Raises ValidationException."""
    if len(write) != 1:
        if write:
            raise ValidationException(
                "Supplied WriteRequest has more than one operation set, must contain exactly one of the supported operations"
            )
        raise ValidationException(
            "Supplied WriteRequest is empty, must contain exactly one of the supported operations"
        )
    put = write.get("PutRequest")
    return 0 if put is None else prepare_put(put, put["Item"])[0]


def distinct_writes(table: TableRecord, writes: list[dict[str, Any]]) -> list[KeyBytes]:
    """The stored keys. Raises ValidationException."""
    found = []
    for write in writes:
        put = write.get("PutRequest")
        found.append(read_key(table, write["DeleteRequest"]["Key"]) if put is None else put_key(table, put["Item"]))
    if len(set(found)) != len(found):
        raise ValidationException(DUPLICATES)
    return found


def put_key(table: TableRecord, item: Item) -> KeyBytes:
    """The stored key of an item that is put; unlike PutItem, batches do not say what is wrong with it."""
    for name, kind in ((table.hash_name, table.hash_type), (table.range_name, table.range_type)):
        if name is not None and kind not in item.get(name, {}):
            raise ValidationException(SCHEMA_MISMATCH)
    return item_key(table, item)


def carry_out(
    call: Call, table: TableRecord, write: dict[str, Any], key: KeyBytes, size: int, *, wants_old: bool
) -> Changed:
    put = write.get("PutRequest")
    if put is None:
        return carry_out_delete(call, table, key, None, {})
    return carry_out_put(call, table, key, put["Item"], size, None, {}, wants_old=wants_old)


def key_of_write(table: TableRecord, write: dict[str, Any]) -> Item:
    put = write.get("PutRequest")
    if put is None:
        return cast(Item, write["DeleteRequest"]["Key"])
    return key_of_item(table, put["Item"])
