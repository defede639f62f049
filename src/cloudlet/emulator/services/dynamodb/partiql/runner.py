"""Carries statements out: finds the keys that a WHERE clause names, and hands over to `items` and `pages`."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Any, Final

import orjson
from orjson import Fragment

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.dynamodb.api import ConditionalCheckFailedException, DuplicateItemException
from cloudlet.emulator.services.dynamodb.arguments import Guard
from cloudlet.emulator.services.dynamodb.catalog import find_index, find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.checks import check_node
from cloudlet.emulator.services.dynamodb.expressions.conditions import Condition, compile_test
from cloudlet.emulator.services.dynamodb.expressions.key_conditions import KeyCondition
from cloudlet.emulator.services.dynamodb.expressions.nodes import (
    And,
    Between,
    Comparison,
    Function,
    Literal,
    Node,
    Path,
)
from cloudlet.emulator.services.dynamodb.expressions.paths import reader
from cloudlet.emulator.services.dynamodb.expressions.projections import Projection
from cloudlet.emulator.services.dynamodb.expressions.updates import Update
from cloudlet.emulator.services.dynamodb.items import (
    Changed,
    PreparedUpdate,
    carry_out_delete,
    carry_out_put,
    carry_out_update,
    prepare_put,
    returned_attributes,
)
from cloudlet.emulator.services.dynamodb.keys import KeyBytes, hash_bytes, item_key, read_key, scalar_bytes
from cloudlet.emulator.services.dynamodb.pages import Entries, Source, read_page, wanted_attributes
from cloudlet.emulator.services.dynamodb.partiql.nodes import Change, Delete, Exists, Insert, Select, Statement
from cloudlet.emulator.services.dynamodb.queries import range_bounds
from cloudlet.emulator.services.dynamodb.records import ITEMS, TableRecord
from cloudlet.emulator.services.dynamodb.values import Item, Value, decode_item, encode_item

NO_KEY: Final = "Where clause does not contain a mandatory equality on all key attributes"
OPERATORS: Final = (("=", "EQ"), ("<", "LT"), ("<=", "LE"), (">", "GT"), (">=", "GE"))


class Columns(Projection):
    """The paths of a SELECT: each is a column with the name of its last step."""

    __slots__ = ("_columns",)

    def __init__(self, paths: tuple[Path, ...]) -> None:
        super().__init__((), frozenset())
        self._columns = tuple((column_name(path), reader(path)) for path in paths)
        self.roots = frozenset(path.root for path in paths)

    def apply(self, item: Item) -> Item:
        found = ((name, read(item)) for name, read in self._columns)
        return {name: value for name, value in found if value is not None}


def column_name(path: Path) -> str:
    return next(step for step in reversed(path.steps) if isinstance(step, str))


def conjuncts(node: Node | None) -> list[Node]:
    """The conditions that AND connects at the top."""
    if node is None:
        return []
    if isinstance(node, And):
        return [inner for member in node.members for inner in conjuncts(member)]
    return [node]


def equalities(where: Node | None, values: dict[str, Value]) -> dict[str, Value]:
    """The attributes that the clause says are equal to a value."""
    found = {}
    for node in conjuncts(where):
        if isinstance(node, Comparison) and node.operator == "=":
            left, right = node.left, node.right
            if isinstance(left, Literal):
                left, right = right, left
            if isinstance(left, Path) and len(left.steps) == 1 and isinstance(right, Literal):
                found[left.root] = values[right.reference]
    return found


def full_key(table: TableRecord, where: Node | None, values: dict[str, Value], message: str = NO_KEY) -> Item:
    """The primary key that the clause names. Raises ValidationException where it names none."""
    equal = equalities(where, values)
    names = [name for name in (table.hash_name, table.range_name) if name is not None]
    if any(name not in equal for name in names):
        raise ValidationException(message)
    return {name: equal[name] for name in names}


def guard_of(where: Node, values: dict[str, Value]) -> Guard:
    """The clause as a condition on items."""
    checks: list[Any] = []
    roots: set[str] = set()
    check_node("Where clause", where, checks, roots, as_condition=True)
    condition = Condition("Where clause", compile_test(where), frozenset(), frozenset(), frozenset(roots), ())
    return Guard(condition, values)


# --- reading


def run_select(call: Call, select: Select, request: dict[str, Any]) -> dict[str, Any]:
    """One page. `request` is ExecuteStatement's."""
    table = find_table(call, select.table)
    index = None if select.index_name is None else find_index(table, select.index_name)
    source = Source(table, index)
    if index is not None and index.is_global and request.get("ConsistentRead"):
        raise ValidationException("Consistent reads are not supported on global secondary indexes")
    projection = None if select.paths is None else Columns(select.paths)
    guard = None if select.where is None else guard_of(select.where, select.values)
    page: dict[str, Any] = {"TableName": select.table}
    page |= {name: request[name] for name in ("Limit", "ConsistentRead", "ReturnConsumedCapacity") if name in request}
    wanted = wanted_attributes({}, source, projection)
    entries = select_entries(call, select, source, request.get("NextToken"))
    answer = read_page(call, page, source, entries, guard, wanted)
    result = {"Items": answer["Items"]}
    if "LastEvaluatedKey" in answer:
        result["LastEvaluatedKey"] = answer["LastEvaluatedKey"]
        result["NextToken"] = urlsafe_b64encode(orjson.dumps(answer["LastEvaluatedKey"])).decode()
    if "ConsumedCapacity" in answer:
        result["ConsumedCapacity"] = answer["ConsumedCapacity"]
    return result


def select_entries(call: Call, select: Select, source: Source, token: str | None) -> Entries:
    """The entries of one hash key where the clause names one, all others else."""
    by_hash = equalities(select.where, select.values).get(source.hash_name)
    bounds: dict[str, Any] = {}
    if select.order is not None:
        if by_hash is None:
            raise ValidationException(
                "Must have WHERE clause in the statement when using ORDER BY clause."
                if select.where is None
                else "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
            )
        if select.order[0] not in (source.range_name, source.hash_name):
            raise ValidationException(
                f"Variable reference {select.order[0]} in ORDER BY clause must be part of the primary key"
            )
        bounds["reverse"] = select.order[1] and select.order[0] == source.range_name
    position = None if token is None else source.position(token_key(token), "The provided NextToken is invalid")
    if by_hash is None or source.hash_type not in by_hash:
        if position is not None:
            bounds["after"] = position
        return source.scan(call, **bounds)
    by_range = range_condition(select, source)
    if by_range is not None:
        bounds |= range_bounds(by_range, source.range_type)
    if position is not None:
        bounds["after"] = position[1:]
    return source.scan(call, hash_bytes(scalar_bytes(source.hash_type, by_hash[source.hash_type])), **bounds)


def range_condition(select: Select, source: Source) -> KeyCondition | None:
    """The first condition on the range key that narrows the reading down."""
    for node in conjuncts(select.where):
        operands: tuple[Node, ...] = ()
        operator = ""
        subject: Node | None = None
        if isinstance(node, Comparison):
            subject, operands, operator = node.left, (node.right,), dict(OPERATORS).get(node.operator, "")
        elif isinstance(node, Between):
            subject, operands, operator = node.operand, (node.low, node.high), "BETWEEN"
        elif isinstance(node, Function) and node.name == "begins_with":
            subject, operands, operator = node.arguments[0], node.arguments[1:], "BEGINS_WITH"
        if not operator or not isinstance(subject, Path) or subject.steps != (source.range_name,):
            continue
        found = [select.values[operand.reference] for operand in operands if isinstance(operand, Literal)]
        fits = all(source.range_type in value for value in found) and len(found) == len(operands)
        if fits and not (operator == "BEGINS_WITH" and source.range_type == "N"):
            return KeyCondition(subject.root, operator, tuple(found))
    return None


def token_key(token: str) -> Item:
    try:
        key = orjson.loads(urlsafe_b64decode(token))
    except (ValueError, Base64Error):
        key = None
    if not isinstance(key, dict) or not all(isinstance(value, dict) for value in key.values()):
        raise ValidationException("The provided NextToken is invalid")
    return key


def get_selected(call: Call, select: Select, message: str) -> Fragment | None:
    """The one item that a SELECT with a whole key means."""
    table = find_table(call, select.table)
    key = full_key(table, select.where, select.values, message)
    record = ITEMS.get(call.tx, table.storage, *read_key(table, key))
    if record is None or select.where is None:
        return None
    item = decode_item(record.item)
    if not guard_of(select.where, select.values).allows(item):
        return None
    return Fragment(record.item if select.paths is None else encode_item(Columns(select.paths).apply(item)))


# --- writing


def target_of(call: Call, statement: Statement) -> tuple[TableRecord, KeyBytes]:
    """The item that a statement of a transaction is about."""
    if isinstance(statement, Exists):
        statement = statement.select
    table = find_table(call, statement.table)
    if isinstance(statement, Insert):
        return table, item_key(table, statement.item)
    return table, read_key(table, full_key(table, statement.where, statement.values))


def run_write(call: Call, statement: Statement, request: dict[str, Any]) -> Fragment | None:
    """Carry out INSERT, UPDATE or DELETE, or check EXISTS; what RETURNING asks for."""
    if isinstance(statement, Insert):
        insert(call, statement)
        return None
    if isinstance(statement, Change):
        return update(call, statement, request)
    if isinstance(statement, Delete):
        return delete(call, statement, request)
    assert isinstance(statement, Exists)
    if get_selected(call, statement.select, NO_KEY) is None:
        raise ConditionalCheckFailedException("The conditional request failed")
    return None


def insert(call: Call, statement: Insert) -> None:
    size, _ = prepare_put({}, statement.item)
    table = find_table(call, statement.table)
    key = item_key(table, statement.item)
    if ITEMS.exists(call.tx, table.storage, *key):
        if statement.quiet:
            return
        raise DuplicateItemException("Duplicate primary key exists in table")
    carry_out_put(call, table, key, statement.item, size, None, {})


def update(call: Call, statement: Change, request: dict[str, Any]) -> Fragment | None:
    table = find_table(call, statement.table)
    key = full_key(table, statement.where, statement.values)
    changes = Update(statement.update, frozenset(), frozenset())
    changes.check(statement.values)
    prepared = PreparedUpdate(changes, statement.values, guard_of(statement.where, statement.values))
    changed = carry_out_update(call, table, key, read_key(table, key), prepared, request)
    return returned_attributes(statement.returning or "NONE", prepared, changed)


def delete(call: Call, statement: Delete, request: dict[str, Any]) -> Fragment | None:
    table = find_table(call, statement.table)
    key = full_key(table, statement.where, statement.values)
    only_key = len(conjuncts(statement.where)) == len(key)
    guard = None if only_key else guard_of(statement.where, statement.values)
    changed: Changed = carry_out_delete(call, table, read_key(table, key), guard, request)
    return None if changed.old is None or not statement.returning else Fragment(changed.old.item)
