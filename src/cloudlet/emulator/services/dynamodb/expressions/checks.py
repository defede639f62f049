"""Which operands a function or operator takes: judged once for paths, and for each request's values where they matter.

A check is a closure over the places of the literals; it raises ValidationException when a value has the wrong type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from cloudlet.emulator.services.dynamodb.errors import ValidationException
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
from cloudlet.emulator.services.dynamodb.expressions.parser import ungroup
from cloudlet.emulator.services.dynamodb.values import TYPE_NAMES, Value, kind_of, show, sortable

Check = Callable[[Mapping[str, Value]], None]

CONDITION_FUNCTIONS: Final = MappingProxyType(
    {"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2, "size": 1}
)
UPDATE_FUNCTIONS: Final = MappingProxyType({"if_not_exists": 2, "list_append": 2})
ORDERED: Final = frozenset({"S", "N", "B"})
SIZED: Final = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})
PATH_FIRST: Final = frozenset({"attribute_exists", "attribute_not_exists"})
TYPE_CODES: Final = tuple(code for code, _ in TYPE_NAMES)


def check_node(expression: str, node: Node, checks: list[Check], roots: set[str], *, as_condition: bool) -> None:
    """Judge a condition or operand; collect the checks that need values, and the attributes that it reads."""
    node = ungroup(node)
    if isinstance(node, And | Or):
        for member in node.members:
            check_node(expression, member, checks, roots, as_condition=True)
    elif isinstance(node, Not):
        check_node(expression, node.condition, checks, roots, as_condition=True)
    elif isinstance(node, Path):
        roots.add(str(node.steps[0]))
    elif isinstance(node, Comparison):
        check_operands(expression, node.operator, (node.left, node.right), checks, roots)
        if node.operator not in ("=", "<>"):
            require_types(expression, node.operator, (node.left, node.right), ORDERED, checks)
    elif isinstance(node, Between):
        check_operands(expression, "BETWEEN", (node.operand, node.low, node.high), checks, roots)
        require_types(expression, "BETWEEN", (node.operand, node.low, node.high), ORDERED, checks)
        if isinstance(node.low, Literal) and isinstance(node.high, Literal):
            checks.append(bounds_check(expression, node.low.reference, node.high.reference))
    elif isinstance(node, In):
        check_operands(expression, "IN", (node.operand, *node.choices), checks, roots)
    elif isinstance(node, Function):
        check_function(expression, node, checks, roots, as_condition=as_condition)


def check_operands(
    expression: str, operator: str, operands: tuple[Node, ...], checks: list[Check], roots: set[str]
) -> None:
    for operand in operands:
        check_node(expression, operand, checks, roots, as_condition=False)
    refuse_same(expression, operator, operands)


def refuse_same(expression: str, operator: str, operands: tuple[Node, ...]) -> None:
    first = operands[0]
    if isinstance(first, Path) and first in operands[1:]:
        raise ValidationException(
            f"Invalid {expression}: The first operand must be distinct from the remaining operands for this operator "
            f"or function; operator: {operator}, first operand: {first}"
        )


def check_function(
    expression: str, node: Function, checks: list[Check], roots: set[str], *, as_condition: bool
) -> None:
    name, arguments = node
    count = CONDITION_FUNCTIONS.get(name)
    if count is None:
        if name in UPDATE_FUNCTIONS:
            raise ValidationException(
                f"Invalid {expression}: The function is not allowed in a {kind_of_expression(expression)} expression; "
                f"function: {name}"
            )
        raise ValidationException(f"Invalid {expression}: Invalid function name; function: {name}")
    if as_condition == (name == "size"):
        raise ValidationException(
            f"Invalid {expression}: The function is not allowed to be used this way in an expression; function: {name}"
        )
    if len(arguments) != count:
        raise ValidationException(
            f"Invalid {expression}: Incorrect number of operands for operator or function; "
            f"operator or function: {name}, number of operands: {len(arguments)}"
        )
    if name in PATH_FIRST and not isinstance(arguments[0], Path):
        raise ValidationException(
            f"Invalid {expression}: Operator or function requires a document path; operator or function: {name}"
        )
    check_operands(expression, name, arguments, checks, roots)
    if name == "begins_with":
        require_types(expression, name, arguments, frozenset({"S", "B"}), checks)
    elif name == "size":
        require_types(expression, name, arguments, SIZED, checks)
    elif name == "attribute_type":
        checks.append(type_check(expression, arguments[1]))


def kind_of_expression(expression: str) -> str:
    return {"FilterExpression": "filter", "KeyConditionExpression": "key condition"}.get(expression, "condition")


def require_types(
    expression: str, name: str, operands: tuple[Node, ...], allowed: frozenset[str], checks: list[Check]
) -> None:
    """Literal operands must be of these types; `size()` is a number."""
    references = tuple(operand.reference for operand in operands if isinstance(operand, Literal))
    for operand in operands:
        if isinstance(operand, Function) and "N" not in allowed:
            raise wrong_type(expression, name, "N")
    if not references:
        return

    def check(values: Mapping[str, Value]) -> None:
        for reference in references:
            kind = kind_of(values[reference])
            if kind not in allowed:
                raise wrong_type(expression, name, kind)

    checks.append(check)


def wrong_type(expression: str, name: str, kind: str) -> ValidationException:
    return ValidationException(
        f"Invalid {expression}: Incorrect operand type for operator or function; "
        f"operator or function: {name}, operand type: {kind}"
    )


def type_check(expression: str, operand: Node) -> Check:
    """The second argument of `attribute_type` is a literal text that names a type."""
    if not isinstance(operand, Literal):
        raise ValidationException(
            f"Invalid {expression}: Incorrect operand type for operator or function; "
            "operator or function: attribute_type, operand type: path"
        )

    def check(values: Mapping[str, Value]) -> None:
        value = values[operand.reference]
        kind = kind_of(value)
        if kind != "S":
            raise wrong_type(expression, "attribute_type", kind)
        if value["S"] not in TYPE_CODES:
            raise ValidationException(
                f"Invalid {expression}: Invalid attribute type name found; type: {value['S']}, "
                "valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            )

    return check


def bounds_check(expression: str, low: str, high: str) -> Check:
    def check(values: Mapping[str, Value]) -> None:
        least, most = values[low], values[high]
        if kind_of(least) != kind_of(most):
            raise ValidationException(
                f"Invalid {expression}: The BETWEEN operator requires same data type for lower and upper bounds; "
                f"lower bound operand: {show(least)}, upper bound operand: {show(most)}"
            )
        if sortable(least) > sortable(most):
            raise ValidationException(
                f"Invalid {expression}: The BETWEEN operator requires upper bound to be greater than or equal to "
                f"lower bound; lower bound operand: {show(least)}, upper bound operand: {show(most)}"
            )

    return check
