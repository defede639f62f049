"""KeyConditionExpression and KeyConditions: which keys a query reads.

Source: "Key condition expressions for the Query operation in DynamoDB", Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from cloudlet.emulator.services.dynamodb.errors import ValidationException, invalid_parameter
from cloudlet.emulator.services.dynamodb.expressions.checks import Check, bounds_check
from cloudlet.emulator.services.dynamodb.expressions.conditions import check_values_defined
from cloudlet.emulator.services.dynamodb.expressions.nodes import (
    And,
    Between,
    Comparison,
    Function,
    In,
    Literal,
    Node,
    Not,
    Or,
    Path,
)
from cloudlet.emulator.services.dynamodb.expressions.parser import Parser, ungroup
from cloudlet.emulator.services.dynamodb.values import Value, kind_of

CACHED_EXPRESSIONS: Final = 1024
EXPRESSION: Final = "KeyConditionExpression"
OPERATORS: Final = MappingProxyType({"=": "EQ", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"})
REVERSED: Final = MappingProxyType({"LT": "GT", "LE": "GE", "GT": "LT", "GE": "LE"})


class KeyCondition(NamedTuple):
    """One comparison of a key attribute: `operator` is EQ, LT, LE, GT, GE, BETWEEN or BEGINS_WITH."""

    attribute: str
    operator: str
    operands: tuple[Value, ...]


class KeyExpression:
    """A compiled key condition expression."""

    __slots__ = ("checks", "names_used", "parts", "values_used")

    def __init__(
        self,
        parts: tuple[tuple[str, str, tuple[str, ...]], ...],
        names_used: frozenset[str],
        values_used: frozenset[str],
        checks: tuple[Check, ...],
    ) -> None:
        self.parts = parts
        self.names_used = names_used
        self.values_used = values_used
        self.checks = checks

    def resolve(self, values: Mapping[str, Value]) -> dict[str, KeyCondition]:
        """The comparisons by attribute, with the request's values. Raises ValidationException."""
        check_values_defined(EXPRESSION, self.values_used, values)
        for check in self.checks:
            check(values)
        return {
            attribute: KeyCondition(attribute, operator, tuple([values[reference] for reference in references]))
            for attribute, operator, references in self.parts
        }


@lru_cache(maxsize=CACHED_EXPRESSIONS)
def compile_key_condition(text: str, names: tuple[tuple[str, str], ...]) -> KeyExpression:
    """Compile a key condition expression. Raises ValidationException."""
    parser = Parser(EXPRESSION, text, dict(names))
    node = ungroup(parser.condition())
    checks: list[Check] = []
    parts: list[tuple[str, str, tuple[str, ...]]] = []
    for member in members(node):
        part = comparison(member, checks)
        if any(part[0] == other[0] for other in parts):
            raise ValidationException(
                f"Invalid {EXPRESSION}: KeyConditionExpressions must only contain one condition per key"
            )
        parts.append(part)
    return KeyExpression(tuple(parts), frozenset(parser.names_used), frozenset(parser.values_used), tuple(checks))


def members(node: Node) -> list[Node]:
    """The comparisons that AND connects."""
    node = ungroup(node)
    if isinstance(node, And):
        return [member for inner in node.members for member in members(inner)]
    return [node]


def comparison(node: Node, checks: list[Check]) -> tuple[str, str, tuple[str, ...]]:
    if isinstance(node, Or | Not | In):
        raise unsupported({Or: "OR", Not: "NOT", In: "IN"}[type(node)])
    if isinstance(node, Comparison):
        operator = OPERATORS.get(node.operator)
        if operator is None:
            raise unsupported(node.operator)
        left, right = node.left, node.right
        if isinstance(left, Literal) and isinstance(right, Path):
            left, right, operator = right, left, REVERSED.get(operator, operator)
        return key_attribute(left, node.operator), operator, literals(node.operator, right)
    if isinstance(node, Between):
        attribute = key_attribute(node.operand, "BETWEEN")
        references = literals("BETWEEN", node.low, node.high)
        checks.append(bounds_check(EXPRESSION, *references))
        return attribute, "BETWEEN", references
    assert isinstance(node, Function)
    if node.name != "begins_with":
        raise unsupported(node.name)
    if len(node.arguments) != 2:
        raise ValidationException(
            f"Invalid {EXPRESSION}: Incorrect number of operands for operator or function; "
            f"operator or function: begins_with, number of operands: {len(node.arguments)}"
        )
    references = literals("begins_with", node.arguments[1])
    checks.append(prefix_check(references[0]))
    return key_attribute(node.arguments[0], "begins_with"), "BEGINS_WITH", references


def key_attribute(node: Node, operator: str) -> str:
    if isinstance(node, Function):
        raise ValidationException(f"Invalid {EXPRESSION}: KeyConditionExpressions cannot contain nested operations")
    if not isinstance(node, Path):
        raise ValidationException("Invalid condition in KeyConditionExpression: No key attribute specified")
    if len(node.steps) > 1:
        raise ValidationException(
            f"Invalid {EXPRESSION}: KeyConditionExpressions cannot have conditions on nested attributes"
        )
    return str(node.steps[0])


def literals(operator: str, *nodes: Node) -> tuple[str, ...]:
    found = []
    for node in nodes:
        if isinstance(node, Path):
            raise ValidationException(
                "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
            )
        if not isinstance(node, Literal):
            raise ValidationException(f"Invalid {EXPRESSION}: KeyConditionExpressions cannot contain nested operations")
        found.append(node.reference)
    return tuple(found)


def prefix_check(reference: str) -> Check:
    def check(values: Mapping[str, Value]) -> None:
        kind = kind_of(values[reference])
        if kind not in ("S", "B"):
            raise ValidationException(
                f"Invalid {EXPRESSION}: Incorrect operand type for operator or function; "
                f"operator or function: begins_with, operand type: {kind}"
            )

    return check


def unsupported(operator: str) -> ValidationException:
    return ValidationException(f"Invalid operator used in KeyConditionExpression: {operator}")


def split_key_conditions(
    conditions: dict[str, KeyCondition], hash_name: str, range_name: str | None
) -> tuple[KeyCondition, KeyCondition | None]:
    """The hash key's and the range key's condition. Raises ValidationException."""
    if len(conditions) > 2:
        raise ValidationException("Conditions can be of length 1 or 2 only")
    by_hash = conditions.get(hash_name)
    if by_hash is None:
        raise ValidationException(f"Query condition missed key schema element: {hash_name}")
    by_range = None
    if len(conditions) == 2:
        by_range = conditions.get(range_name) if range_name is not None else None
        if by_range is None:
            if range_name is None:
                raise ValidationException("Query key condition not supported")
            raise ValidationException(f"Query condition missed key schema element: {range_name}")
    if by_hash.operator != "EQ":
        raise ValidationException("Query key condition not supported")
    return by_hash, by_range


def check_key_type(condition: KeyCondition, kind: str) -> None:
    """The operands have the type of the key attribute, and are no empty keys. Raises ValidationException."""
    for operand in condition.operands:
        if kind not in operand:
            raise invalid_parameter("Condition parameter type does not match schema type")
        if not operand[kind] and condition.operator != "BEGINS_WITH":
            raise ValidationException(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                f"an empty {'string' if kind == 'S' else 'binary'} value. Key: {condition.attribute}"
            )
