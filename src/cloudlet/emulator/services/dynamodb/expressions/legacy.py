"""The parameters from before expressions: Expected, QueryFilter, ScanFilter, KeyConditions, AttributeUpdates.

Source: "Legacy DynamoDB conditional parameters", Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.expressions.conditions import Condition, Test, holds, in_order, starts
from cloudlet.emulator.services.dynamodb.expressions.key_conditions import KeyCondition
from cloudlet.emulator.services.dynamodb.expressions.projections import Tree
from cloudlet.emulator.services.dynamodb.numbers import add
from cloudlet.emulator.services.dynamodb.values import SETS, Item, Value, equal, kind_of, measure_value, sortable

KEY_OPERATORS: Final = frozenset({"EQ", "LE", "LT", "GE", "GT", "BEGINS_WITH", "BETWEEN"})
ARGUMENTS: Final[Mapping[str, tuple[int, int]]] = {  # never written: least and most operands
    "EQ": (1, 1),
    "NE": (1, 1),
    "LE": (1, 1),
    "LT": (1, 1),
    "GE": (1, 1),
    "GT": (1, 1),
    "CONTAINS": (1, 1),
    "NOT_CONTAINS": (1, 1),
    "BEGINS_WITH": (1, 1),
    "BETWEEN": (2, 2),
    "IN": (1, 100),
    "NULL": (0, 0),
    "NOT_NULL": (0, 0),
}
SCALARS: Final = frozenset({"S", "N", "B"})
TYPES: Final[Mapping[str, frozenset[str]]] = {  # never written: types of operands, where not all are taken
    "LE": SCALARS,
    "LT": SCALARS,
    "GE": SCALARS,
    "GT": SCALARS,
    "BETWEEN": SCALARS,
    "IN": SCALARS,
    "CONTAINS": SCALARS | {"BOOL", "NULL"},
    "NOT_CONTAINS": SCALARS | {"BOOL", "NULL"},
    "BEGINS_WITH": frozenset({"S", "B"}),
}
ORDER_OPERATORS: Final[Mapping[str, str]] = {"LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}  # never written


def filter_condition(parameter: str, conditions: Mapping[str, Any], operator: str) -> Condition:
    """QueryFilter or ScanFilter as a condition. Raises ValidationException."""
    tests = [
        attribute_test(
            name, *checked_operands(condition["ComparisonOperator"], condition.get("AttributeValueList", []))
        )
        for name, condition in conditions.items()
    ]
    return combined(parameter, frozenset(conditions), tests, operator)


def expected_condition(expected: Mapping[str, Any], operator: str) -> Condition:
    """Expected as a condition. Raises ValidationException."""
    tests = [expected_test(name, condition) for name, condition in expected.items()]
    return combined("Expected", frozenset(expected), tests, operator)


def combined(parameter: str, roots: frozenset[str], tests: list[Test], operator: str) -> Condition:
    join = any if operator == "OR" else all
    return Condition(
        parameter,
        lambda item, values: join(test(item, values) for test in tests),
        frozenset(),
        frozenset(),
        roots,
        (),
    )


def expected_test(name: str, condition: Mapping[str, Any]) -> Test:
    comparison = condition.get("ComparisonOperator")
    exists = condition.get("Exists")
    value = condition.get("Value")
    if comparison is not None:
        if exists is not None:
            raise invalid_parameter(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
        operands = condition.get("AttributeValueList")
        if value is not None:
            if operands is not None:
                raise invalid_parameter(f"Value and AttributeValueList cannot be used together for Attribute: {name}")
            operands = [value]
        return attribute_test(name, *checked_operands(comparison, operands or []))
    if condition.get("AttributeValueList") is not None:
        raise invalid_parameter(f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")
    if exists is False:
        if value is not None:
            raise invalid_parameter(f"Value cannot be used when Exists is false for Attribute: {name}")
        return attribute_test(name, "NULL", [])
    if value is None:
        raise invalid_parameter(
            f"Value must be provided when Exists is {'true' if exists else 'null'} for Attribute: {name}"
        )
    return attribute_test(name, *checked_operands("EQ", [value]))


def checked_operands(operator: str, operands: list[Value]) -> tuple[str, list[Value]]:
    """The operator with its operands, judged and in the stored shape. Raises ValidationException."""
    for operand in operands:
        measure_value(operand)
    least, most = ARGUMENTS.get(operator, (0, 100))
    if not least <= len(operands) <= most:
        raise invalid_parameter(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    kinds = {kind_of(operand) for operand in operands}
    allowed = TYPES.get(operator)
    if allowed is not None:
        for kind in kinds - allowed:
            raise invalid_parameter(f"ComparisonOperator {operator} is not valid for {kind} AttributeValue type")
    if len(kinds) > 1:
        raise invalid_parameter("AttributeValues inside AttributeValueList must be of same type")
    if operator == "BETWEEN" and sortable(operands[0]) > sortable(operands[1]):
        raise ValidationException(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )
    return operator, operands


def attribute_test(name: str, operator: str, operands: list[Value]) -> Test:
    judge = judgement(operator, operands)
    return lambda item, values: judge(item.get(name))


def judgement(operator: str, operands: list[Value]) -> Callable[[Value | None], bool]:
    """What the operator says of an attribute, None where it is missing."""
    if operator == "NULL":
        return lambda value: value is None
    if operator == "NOT_NULL":
        return lambda value: value is not None
    if operator == "IN":
        return lambda value: value is not None and any(equal(value, operand) for operand in operands)
    first = operands[0]
    if operator == "EQ":
        return lambda value: value is not None and equal(value, first)
    if operator == "NE":
        return lambda value: value is None or not equal(value, first)
    if operator == "CONTAINS":
        return lambda value: value is not None and holds(value, first)
    if operator == "NOT_CONTAINS":
        return lambda value: value is not None and not holds(value, first)
    if operator == "BEGINS_WITH":
        return lambda value: value is not None and starts(value, first)
    if operator == "BETWEEN":
        second = operands[1]
        return lambda value: value is not None and in_order(">=", value, first) and in_order("<=", value, second)
    symbol = ORDER_OPERATORS[operator]
    return lambda value: value is not None and in_order(symbol, value, first)


def key_conditions(conditions: Mapping[str, Any]) -> dict[str, KeyCondition]:
    """KeyConditions as comparisons by attribute. Raises ValidationException."""
    found = {}
    for name, condition in conditions.items():
        operator, operands = checked_operands(condition["ComparisonOperator"], condition.get("AttributeValueList", []))
        if operator not in KEY_OPERATORS:
            raise ValidationException("Attempted conditional constraint is not an indexable operation")
        found[name] = KeyCondition(name, operator, tuple(operands))
    return found


class LegacyUpdate:
    """AttributeUpdates in the form of `updates.Update`. Raises ValidationException."""

    __slots__ = ("_changes", "creates", "roots", "tree")

    def __init__(self, updates: Mapping[str, Any]) -> None:
        self._changes = tuple(checked_change(name, update) for name, update in updates.items())
        self.tree: Tree = dict.fromkeys(updates)
        self.roots = frozenset(updates)
        self.creates = not updates or any(action != "DELETE" for _, action, _ in self._changes)

    def apply(self, item: Item, values: Mapping[str, Value]) -> None:
        for name, action, value in self._changes:
            if value is None:
                item.pop(name, None)
            elif action == "PUT":
                item[name] = value
            elif action == "ADD":
                item[name] = added(item.get(name), value)
            else:
                delete_members(item, name, value)


def checked_change(name: str, update: Mapping[str, Any]) -> tuple[str, str, Value | None]:
    action, value = update.get("Action", "PUT"), update.get("Value")
    if value is None:
        if action != "DELETE":
            raise invalid_parameter("Only DELETE action is allowed when no attribute value is specified")
        return name, action, None
    measure_value(value)
    kind = kind_of(value)
    if action == "ADD" and kind not in SETS and kind not in ("N", "L"):
        raise invalid_parameter(f"ADD action is not supported for the type {kind}")
    if action == "DELETE" and kind not in SETS:
        raise invalid_parameter(f"DELETE action with value is not supported for the type {kind}")
    return name, action, value


def added(present: Value | None, value: Value) -> Value:
    if present is None:
        return value
    kind = kind_of(value)
    if kind not in present:
        raise ValidationException("Type mismatch for attribute to update")
    if kind == "N":
        return {"N": add(present["N"], value["N"])}
    if kind == "L":
        return {"L": present["L"] + value["L"]}
    members = set(present[kind])
    return {kind: present[kind] + [member for member in value[kind] if member not in members]}


def delete_members(item: Item, name: str, value: Value) -> None:
    present = item.get(name)
    if present is None:
        return
    kind = kind_of(value)
    if kind not in present:
        raise ValidationException("Type mismatch for attribute to update")
    gone = set(value[kind])
    rest = [member for member in present[kind] if member not in gone]
    if rest:
        item[name] = {kind: rest}
    else:
        del item[name]
