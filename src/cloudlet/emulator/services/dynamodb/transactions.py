"""TransactGetItems and TransactWriteItems.

The request's own store transaction makes them atomic: an action that fails raises, and nothing of the others is kept.

Source: "Amazon DynamoDB Transactions: How it works", "TransactWriteItems" (API reference: cancellation reasons).
"""

from __future__ import annotations

from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

import orjson
from orjson import Fragment

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    ConditionalCheckFailedException,
    IdempotentParameterMismatchException,
    TransactGetItemsInput,
    TransactGetItemsOutput,
    TransactionCanceledException,
    TransactWriteItemsInput,
    TransactWriteItemsOutput,
)
from cloudlet.emulator.services.dynamodb.arguments import (
    Guard,
    Placeholders,
    check_parameters,
    projection_of,
)
from cloudlet.emulator.services.dynamodb.capacity import consumed, item_collection, read_units, write_units
from cloudlet.emulator.services.dynamodb.catalog import find_table
from cloudlet.emulator.services.dynamodb.errors import EmptyKey, ValidationException
from cloudlet.emulator.services.dynamodb.expressions.projections import Projection
from cloudlet.emulator.services.dynamodb.items import (
    Changed,
    PreparedUpdate,
    carry_out_delete,
    carry_out_put,
    carry_out_update,
    judge,
    prepare_condition,
    prepare_put,
    prepare_update,
    written_units,
)
from cloudlet.emulator.services.dynamodb.keys import KeyBytes, item_key, read_key
from cloudlet.emulator.services.dynamodb.records import ITEMS, TOKENS, TableRecord, TokenRecord
from cloudlet.emulator.services.dynamodb.values import Item, decode_item, encode_item

MAX_BYTES: Final = 4 * 1024 * 1024
TOKEN_SECONDS: Final = 600
SWEPT_EVERY: Final = 16  # of 256 requests sweep up old tokens,
SWEPT: Final = 48  # three times as many as there are new ones
SAME_ITEM: Final = "Transaction request cannot include multiple operations on one item"
NO_REASON: Final = "None"
REASONS: Final = MappingProxyType(
    {"ConditionalCheckFailedException": "ConditionalCheckFailed", "DuplicateItemException": "DuplicateItem"}
)


class Action(NamedTuple):
    """One action of a TransactWriteItems, judged without the store."""

    kind: str
    request: dict[str, Any]
    size: int
    guard: Guard | None
    update: PreparedUpdate | None


class Target(NamedTuple):
    """The item of an action."""

    table: TableRecord
    key: KeyBytes


@read_write
def transact_write_items(call: Call, request: TransactWriteItemsInput) -> TransactWriteItemsOutput:
    raw_request = cast("dict[str, Any]", request)
    actions = [prepare(entry) for entry in raw_request["TransactItems"]]
    token = request.get("ClientRequestToken")
    if token is not None and done_before(call, token, raw_request["TransactItems"]):
        return cast(TransactWriteItemsOutput, repeated(call, raw_request, actions))
    reasons: list[AwsError | None] = [None] * len(actions)
    targets = [find_target(call, action, reasons, place) for place, action in enumerate(actions)]
    present = [target for target in targets if target is not None]
    if len({(target.table.storage, target.key) for target in present}) != len(present):
        raise ValidationException(SAME_ITEM)
    changes = []
    for place, (action, target) in enumerate(zip(actions, targets, strict=True)):
        if target is not None:
            try:
                changes.append(carry_out(call, action, target))
            except EmptyKey:
                raise
            except (ConditionalCheckFailedException, ValidationException) as error:
                reasons[place] = error
    if any(reasons):
        raise cancelled(reasons)
    return cast(TransactWriteItemsOutput, describe(raw_request, actions, present, changes))


def prepare(entry: dict[str, Any]) -> Action:
    """Judge one action. Raises ValidationException."""
    if len(entry) != 1:
        raise ValidationException("TransactItems can only contain one of Check, Put, Update or Delete")
    kind, request = next(iter(entry.items()))
    if kind == "Put":
        size, guard = prepare_put(request, request["Item"])
        return Action(kind, request, size, guard, None)
    if kind == "Update":
        update = prepare_update(request)
        return Action(kind, request, 0, update.guard, update)
    return Action(kind, request, 0, prepare_condition(request), None)


def find_target(call: Call, action: Action, reasons: list[AwsError | None], place: int) -> Target | None:
    """The action's item; None where its key is wrong, which cancels the transaction."""
    table = find_table(call, action.request["TableName"])
    try:
        if action.kind == "Put":
            return Target(table, item_key(table, action.request["Item"]))
        return Target(table, read_key(table, action.request["Key"]))
    except EmptyKey:
        raise
    except ValidationException as error:
        reasons[place] = error
        return None


def carry_out(call: Call, action: Action, target: Target) -> Changed:
    table, key = target
    request = action.request
    if action.kind == "Put":
        return carry_out_put(call, table, key, request["Item"], action.size, action.guard, request)
    if action.kind == "Delete":
        return carry_out_delete(call, table, key, action.guard, request)
    if action.kind == "Update":
        assert action.update is not None
        return carry_out_update(call, table, request["Key"], key, action.update, request)
    old = ITEMS.get(call.tx, table.storage, *key)
    assert action.guard is not None
    judge(action.guard, old, request)
    return Changed(old, old)


def cancelled(reasons: list[AwsError | None]) -> TransactionCanceledException:
    """The error that lists a reason for each action."""
    codes = []
    listed = []
    for error in reasons:
        if error is None:
            codes.append(NO_REASON)
            listed.append({"Code": NO_REASON})
            continue
        code = REASONS.get(error.code, "ValidationError")
        codes.append(code)
        listed.append({"Code": code, "Message": error.message, **error.members})
    return TransactionCanceledException(
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]",
        CancellationReasons=listed,
    )


# --- the client request token


def done_before(call: Call, token: str, actions: list[dict[str, Any]]) -> bool:
    """Whether this very request was carried out in the last ten minutes; otherwise it is noted now.

    Raises IdempotentParameterMismatchException where the token was another request's.
    """
    period = int(call.now) // TOKEN_SECONDS
    digest = digest_of(actions)
    for one in (period, period - 1):
        found = TOKENS.get(call.tx, one, call.account_id, call.region, token)
        if found is not None and found.done_at > call.now - TOKEN_SECONDS:
            if found.digest != digest:
                raise IdempotentParameterMismatchException(
                    "Provided idempotency token already used with different parameters"
                )
            return True
    if digest[0] < SWEPT_EVERY:
        for old in TOKENS.scan(call.tx, to=(period - 1,), limit=SWEPT):
            TOKENS.delete(call.tx, old.period, old.account_id, old.region, old.token)
    TOKENS.put(call.tx, TokenRecord(period, call.account_id, call.region, token, call.now, digest))
    return False


def digest_of(actions: list[dict[str, Any]]) -> bytes:
    return blake2b(orjson.dumps(actions, option=orjson.OPT_SORT_KEYS, default=plain), digest_size=16).digest()


def plain(value: Any) -> Any:
    """Binaries of keys, which nobody has brought into the stored shape yet."""
    return bytes(value).hex()


def repeated(call: Call, request: dict[str, Any], actions: list[Action]) -> dict[str, Any]:
    """The answer to a request that was carried out before: it consumes reads."""
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode == "NONE":
        return {}
    units: dict[str, float] = {}
    tables: dict[str, TableRecord] = {}
    for action in actions:
        name = action.request["TableName"]
        table = tables.setdefault(name, find_table(call, name))
        key = (
            item_key(table, action.request["Item"]) if action.kind == "Put" else read_key(table, action.request["Key"])
        )
        record = ITEMS.get(call.tx, table.storage, *key)
        units[name] = units.get(name, 0.0) + 2 * read_units(record.size if record else 0, True)
    return {
        "ConsumedCapacity": [
            consumed(name, mode, total, tables[name], None, "ReadCapacityUnits") for name, total in units.items()
        ]
    }


def describe(
    request: dict[str, Any], actions: list[Action], targets: list[Target], changes: list[Changed]
) -> dict[str, Any]:
    """The answer: capacity and collections, where they were asked for."""
    result: dict[str, Any] = {}
    mode = request.get("ReturnConsumedCapacity", "NONE")
    metrics_wanted = request.get("ReturnItemCollectionMetrics") == "SIZE"
    if mode == "NONE" and not metrics_wanted:
        return result
    units: dict[str, float] = {}
    index_units: dict[str, dict[str, float]] = {}
    tables: dict[str, TableRecord] = {}
    metrics: dict[str, list[dict[str, Any]]] = {}
    for action, target, changed in zip(actions, targets, changes, strict=True):
        name = action.request["TableName"]
        tables[name] = target.table
        if action.kind == "ConditionCheck":
            taken = 2 * write_units(changed.old.size if changed.old else 0)
            by_index: dict[str, float] = {}
        else:
            taken, _, by_index = written_units(target.table, changed, 2.0)
        units[name] = units.get(name, 0.0) + taken
        for index, more in by_index.items():
            of_table = index_units.setdefault(name, {})
            of_table[index] = of_table.get(index, 0.0) + more
        metric = item_collection(target.table, action.request.get("Key") or action.request["Item"])
        if metrics_wanted and metric is not None and action.kind != "ConditionCheck":
            metrics.setdefault(name, []).append(metric)
    if mode != "NONE":
        result["ConsumedCapacity"] = [
            consumed(name, mode, total, tables[name], index_units.get(name), "WriteCapacityUnits")
            for name, total in units.items()
        ]
    if metrics:
        result["ItemCollectionMetrics"] = metrics
    return result


# --- reads


@read_only
def transact_get_items(call: Call, request: TransactGetItemsInput) -> TransactGetItemsOutput:
    gets: list[dict[str, Any]] = [entry["Get"] for entry in cast("dict[str, Any]", request)["TransactItems"]]
    projections = [prepare_get(get) for get in gets]
    reasons: list[AwsError | None] = [None] * len(gets)
    responses: list[dict[str, Any]] = []
    units: dict[str, float] = {}
    tables: dict[str, TableRecord] = {}
    seen = set()
    for place, (get, projection) in enumerate(zip(gets, projections, strict=True)):
        table = tables[get["TableName"]] = find_table(call, get["TableName"])
        try:
            key = read_key(table, get["Key"])
        except EmptyKey:
            raise
        except ValidationException as error:
            reasons[place] = error
            continue
        if (table.storage, key) in seen:
            raise ValidationException(SAME_ITEM)
        seen.add((table.storage, key))
        record = ITEMS.get(call.tx, table.storage, *key)
        size = 0 if record is None else record.size
        units[get["TableName"]] = units.get(get["TableName"], 0.0) + 2 * read_units(size, True)
        responses.append({} if record is None else {"Item": Fragment(projected(record.item, projection))})
    if any(reasons):
        raise cancelled(reasons)
    result: dict[str, Any] = {"Responses": responses}
    mode = request.get("ReturnConsumedCapacity", "NONE")
    if mode != "NONE":
        result["ConsumedCapacity"] = [
            consumed(name, mode, total, tables[name], None, "ReadCapacityUnits") for name, total in units.items()
        ]
    return cast(TransactGetItemsOutput, result)


def prepare_get(get: dict[str, Any]) -> Projection | None:
    check_parameters(get, ("ProjectionExpression",), ())
    placeholders = Placeholders(get)
    projection = projection_of(get, placeholders)
    placeholders.refuse_unused()
    return projection


def projected(raw: bytes, projection: Projection | None) -> bytes:
    if projection is None:
        return raw
    item: Item = projection.apply(decode_item(raw))
    return encode_item(item)
