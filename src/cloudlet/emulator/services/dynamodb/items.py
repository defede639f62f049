"""One item: GetItem, PutItem, UpdateItem, DeleteItem.

The parts that TransactWriteItems and BatchWriteItem share with them are the `prepare_…` and `carry_out_…` functions:
the first judge a request without the store, the second change the store.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from orjson import Fragment

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    ConditionalCheckFailedException,
    DeleteItemInput,
    DeleteItemOutput,
    GetItemInput,
    GetItemOutput,
    PutItemInput,
    PutItemOutput,
    UpdateItemInput,
    UpdateItemOutput,
)
from cloudlet.emulator.services.dynamodb.arguments import (
    Guard,
    Placeholders,
    check_parameters,
    condition_of,
    projection_of,
)
from cloudlet.emulator.services.dynamodb.capacity import (
    consumed,
    index_write_units,
    item_collection,
    read_units,
    write_units,
)
from cloudlet.emulator.services.dynamodb.catalog import find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.expressions.legacy import LegacyUpdate
from cloudlet.emulator.services.dynamodb.expressions.projections import project
from cloudlet.emulator.services.dynamodb.expressions.updates import Update, compile_update
from cloudlet.emulator.services.dynamodb.keys import KeyBytes, check_index_keys, item_key, key_of_item, read_key
from cloudlet.emulator.services.dynamodb.records import ITEMS, ItemRecord, TableRecord
from cloudlet.emulator.services.dynamodb.values import (
    MAX_ITEM_BYTES,
    Item,
    Value,
    decode_item,
    encode_item,
    measure_item,
)
from cloudlet.emulator.services.dynamodb.writes import needs_old_item, remove_item, store_item

PLAIN_WRITE: Final = 2  # members of a request that has a table name and an item (or key), and nothing else


class PreparedUpdate(NamedTuple):
    """An update as the request asks for it; `values` are the placeholders' of the update itself."""

    update: Update | LegacyUpdate | None
    values: dict[str, Value]
    guard: Guard | None


class Changed(NamedTuple):
    """What a write did; `old` and `new` are None where there is no item."""

    old: ItemRecord | None
    new: ItemRecord | None


@read_only
def get_item(call: Call, request: GetItemInput) -> GetItemOutput:
    projection = None
    if len(request) > PLAIN_WRITE:
        raw_request = cast("dict[str, Any]", request)
        check_parameters(raw_request, ("ProjectionExpression",), ("AttributesToGet",))
        placeholders = Placeholders(raw_request)
        projection = projection_of(raw_request, placeholders)
        placeholders.refuse_unused()
    table = find_table(call, request["TableName"])
    record = ITEMS.get(call.tx, table.storage, *read_key(table, request["Key"]))  # type: ignore[arg-type]
    result: dict[str, Any] = {}
    if record is not None:
        if projection is None:
            result["Item"] = Fragment(record.item)
        else:
            result["Item"] = Fragment(encode_item(projection.apply(decode_item(record.item))))
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode != "NONE":
        units = read_units(record.size if record else 0, request.get("ConsistentRead", False))
        result["ConsumedCapacity"] = consumed(request["TableName"], mode, units, table)
    return cast(GetItemOutput, result)


@read_write
def put_item(call: Call, request: PutItemInput) -> PutItemOutput:
    raw_request = cast("dict[str, Any]", request)
    item: Item = raw_request["Item"]
    size, guard = prepare_put(raw_request, item)
    return_values = request.get("ReturnValues", "NONE")
    if return_values not in ("NONE", "ALL_OLD"):
        raise ValidationException("ReturnValues can only be ALL_OLD or NONE")
    table = find_table(call, request["TableName"])
    key = item_key(table, item)
    wants_old = return_values == "ALL_OLD" or "ReturnConsumedCapacity" in request
    changed = carry_out_put(call, table, key, item, size, guard, raw_request, wants_old=wants_old)
    result: dict[str, Any] = {}
    if len(request) > PLAIN_WRITE:
        if return_values == "ALL_OLD" and changed.old is not None:
            result["Attributes"] = Fragment(changed.old.item)
        describe_write(raw_request, table, changed, key_of_item(table, item), result)
    return cast(PutItemOutput, result)


@read_write
def delete_item(call: Call, request: DeleteItemInput) -> DeleteItemOutput:
    raw_request = cast("dict[str, Any]", request)
    guard = prepare_condition(raw_request)
    return_values = request.get("ReturnValues", "NONE")
    if return_values not in ("NONE", "ALL_OLD"):
        raise ValidationException("ReturnValues can only be ALL_OLD or NONE")
    table = find_table(call, request["TableName"])
    key: Item = raw_request["Key"]
    changed = carry_out_delete(call, table, read_key(table, key), guard, raw_request)
    result: dict[str, Any] = {}
    if len(request) > PLAIN_WRITE:
        if return_values == "ALL_OLD" and changed.old is not None:
            result["Attributes"] = Fragment(changed.old.item)
        describe_write(raw_request, table, changed, key, result)
    return cast(DeleteItemOutput, result)


@read_write
def update_item(call: Call, request: UpdateItemInput) -> UpdateItemOutput:
    raw_request = cast("dict[str, Any]", request)
    prepared = prepare_update(raw_request)
    table = find_table(call, request["TableName"])
    key: Item = raw_request["Key"]
    key_bytes = read_key(table, key)
    changed = carry_out_update(call, table, key, key_bytes, prepared, raw_request)
    result: dict[str, Any] = {}
    attributes = returned_attributes(request.get("ReturnValues", "NONE"), prepared, changed)
    if attributes is not None:
        result["Attributes"] = attributes
    describe_write(raw_request, table, changed, key, result)
    return cast(UpdateItemOutput, result)


def returned_attributes(return_values: str, prepared: PreparedUpdate, changed: Changed) -> Fragment | None:
    if return_values == "NONE":
        return None
    record = changed.old if return_values.endswith("OLD") else changed.new
    if record is None:
        return None
    if return_values.startswith("ALL"):
        return Fragment(record.item)
    if prepared.update is None:
        return None
    part = project(prepared.update.tree, decode_item(record.item))
    return Fragment(encode_item(part)) if part else None


# --- shared with transactions and batches


def prepare_put(request: dict[str, Any], item: Item) -> tuple[int, Guard | None]:
    """The item's size, and the condition. Raises ValidationException."""
    guard = prepare_condition(request) if len(request) > PLAIN_WRITE else None
    size = measure_item(item)
    if size > MAX_ITEM_BYTES:
        raise ValidationException("Item size has exceeded the maximum allowed size")
    return size, guard


def prepare_condition(request: dict[str, Any]) -> Guard | None:
    """The condition of a request that has no other expression. Raises ValidationException."""
    if len(request) <= PLAIN_WRITE:
        return None
    check_parameters(request, ("ConditionExpression",), ("Expected", "ConditionalOperator"))
    placeholders = Placeholders(request)
    guard = condition_of(request, placeholders)
    placeholders.refuse_unused()
    return guard


def prepare_update(request: dict[str, Any]) -> PreparedUpdate:
    """The update and its condition. Raises ValidationException."""
    check_parameters(
        request,
        ("UpdateExpression", "ConditionExpression"),
        ("AttributeUpdates", "Expected", "ConditionalOperator"),
    )
    placeholders = Placeholders(request)
    update: Update | LegacyUpdate | None = None
    text = request.get("UpdateExpression")
    if text is not None:
        update = compile_update(text, placeholders.key)
        update.check(placeholders.values)
        placeholders.use(update.names_used, update.values_used)
    elif "AttributeUpdates" in request:
        update = LegacyUpdate(request["AttributeUpdates"])
    guard = condition_of(request, placeholders)
    placeholders.refuse_unused()
    return PreparedUpdate(update, placeholders.values, guard)


def carry_out_put(
    call: Call,
    table: TableRecord,
    key: KeyBytes,
    item: Item,
    size: int,
    guard: Guard | None,
    request: dict[str, Any],
    *,
    wants_old: bool = False,
) -> Changed:
    """Write the item. Raises ConditionalCheckFailedException."""
    if table.indexes:
        check_index_keys(table, item)
    old = None
    if guard is not None or wants_old or needs_old_item(table):
        old = ITEMS.get(call.tx, table.storage, *key)
        if guard is not None:
            judge(guard, old, request)
    record = ItemRecord(table.storage, *key, size, encode_item(item))
    store_item(call, table, record, item, old)
    return Changed(old, record)


def carry_out_delete(
    call: Call, table: TableRecord, key: KeyBytes, guard: Guard | None, request: dict[str, Any]
) -> Changed:
    """Delete the item where there is one. Raises ConditionalCheckFailedException."""
    old = ITEMS.get(call.tx, table.storage, *key)
    if guard is not None:
        judge(guard, old, request)
    if old is not None:
        remove_item(call, table, old)
    return Changed(old, None)


def carry_out_update(
    call: Call, table: TableRecord, key: Item, key_bytes: KeyBytes, prepared: PreparedUpdate, request: dict[str, Any]
) -> Changed:
    """Change the item, or make it. Raises ConditionalCheckFailedException and ValidationException."""
    update = prepared.update
    if update is not None:
        for name in (table.hash_name, table.range_name):
            if name in update.roots:
                raise invalid_parameter(f"Cannot update attribute {name}. This attribute is part of the key")
    old = ITEMS.get(call.tx, table.storage, *key_bytes)
    item = None if old is None else decode_item(old.item)
    if prepared.guard is not None and not prepared.guard.allows(item or {}):
        raise condition_failed(old, request)
    if item is None:
        if update is not None and not update.creates:
            return Changed(None, None)
        item = dict(key)
    if update is not None:
        update.apply(item, prepared.values)
    size = measure_item(item)
    if size > MAX_ITEM_BYTES:
        raise ValidationException("Item size to update has exceeded the maximum allowed size")
    if table.indexes:
        check_index_keys(table, item)
    record = ItemRecord(table.storage, *key_bytes, size, encode_item(item))
    store_item(call, table, record, item, old)
    return Changed(old, record)


def judge(guard: Guard, old: ItemRecord | None, request: dict[str, Any]) -> None:
    """Raises ConditionalCheckFailedException where the condition does not hold."""
    if not guard.allows({} if old is None else decode_item(old.item)):
        raise condition_failed(old, request)


def condition_failed(old: ItemRecord | None, request: dict[str, Any]) -> ConditionalCheckFailedException:
    if old is not None and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        return ConditionalCheckFailedException("The conditional request failed", Item=Fragment(old.item))
    return ConditionalCheckFailedException("The conditional request failed")


def describe_write(
    request: dict[str, Any], table: TableRecord, changed: Changed, key: Item, result: dict[str, Any]
) -> None:
    """Add the ConsumedCapacity and ItemCollectionMetrics that the request asks for."""
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode != "NONE":
        result["ConsumedCapacity"] = consumed(request["TableName"], mode, *written_units(table, changed, 1.0))
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = item_collection(table, key)
        if metrics is not None:
            result["ItemCollectionMetrics"] = metrics


def written_units(table: TableRecord, changed: Changed, factor: float) -> tuple[float, TableRecord, dict[str, float]]:
    """What `consumed` needs to know of a write."""
    sizes = [record.size for record in changed if record is not None]
    units = write_units(max(sizes, default=0)) * factor
    if not table.indexes:
        return units, table, {}
    before, after = (None if record is None else decode_item(record.item) for record in changed)
    return units, table, index_write_units(table, before, after, factor)
