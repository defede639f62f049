"""ConditionExpression and FilterExpression, compiled into closures `(item, values) -> bool`.

Source: "Condition and filter expressions, operators, and functions in DynamoDB", Developer Guide.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.checks import Check, check_node
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
from cloudlet.emulator.services.dynamodb.expressions.paths import reader
from cloudlet.emulator.services.dynamodb.values import Item, Value, equal, kind_of, length, sortable

Values = Mapping[str, Value]
Test = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], Value | None]
CACHED_EXPRESSIONS: Final = 2048
ORDERED: Final = frozenset({"S", "N", "B"})
EMPTY: Item = {}  # never written


class Condition:
    """A compiled condition.

    `test` judges an item (an empty one where there is none); `names_used` and `values_used` are the placeholders that
    it names; `roots` the top-level attributes that it reads.
    """

    __slots__ = ("checks", "expression", "names_used", "roots", "test", "values_used")

    def __init__(
        self,
        expression: str,
        test: Test,
        names_used: frozenset[str],
        values_used: frozenset[str],
        roots: frozenset[str],
        checks: tuple[Check, ...],
    ) -> None:
        self.expression = expression
        self.test = test
        self.names_used = names_used
        self.values_used = values_used
        self.roots = roots
        self.checks = checks

    def check(self, values: Values) -> None:
        """Judge the request's values. Raises ValidationException."""
        check_values_defined(self.expression, self.values_used, values)
        for check in self.checks:
            check(values)


def check_values_defined(expression: str, used: frozenset[str], values: Values) -> None:
    for reference in used:
        if reference not in values:
            raise ValidationException(
                f"Invalid {expression}: An expression attribute value used in expression is not defined; "
                f"attribute value: {reference}"
            )


@lru_cache(maxsize=CACHED_EXPRESSIONS)
def compile_condition(expression: str, text: str, names: tuple[tuple[str, str], ...]) -> Condition:
    """Compile a condition; `expression` is the parameter's name. Raises ValidationException."""
    parser = Parser(expression, text, dict(names))
    node = parser.condition()
    checks: list[Check] = []
    roots: set[str] = set()
    check_node(expression, node, checks, roots, as_condition=True)
    return Condition(
        expression,
        compile_test(node),
        frozenset(parser.names_used),
        frozenset(parser.values_used),
        frozenset(roots),
        tuple(checks),
    )


def compile_test(node: Node) -> Test:
    node = ungroup(node)
    if isinstance(node, And):
        return every([compile_test(member) for member in node.members])
    if isinstance(node, Or):
        return some([compile_test(member) for member in node.members])
    if isinstance(node, Not):
        inner = compile_test(node.condition)
        return lambda item, values: not inner(item, values)
    if isinstance(node, Comparison):
        return comparison(node.operator, compile_operand(node.left), compile_operand(node.right))
    if isinstance(node, Between):
        return between(compile_operand(node.operand), compile_operand(node.low), compile_operand(node.high))
    if isinstance(node, In):
        return contained(compile_operand(node.operand), [compile_operand(choice) for choice in node.choices])
    assert isinstance(node, Function)
    return FUNCTIONS[node.name](*map(compile_operand, node.arguments))


def compile_operand(node: Node) -> Operand:
    node = ungroup(node)
    if isinstance(node, Literal):
        reference = node.reference
        return lambda item, values: values[reference]
    if isinstance(node, Path):
        root = node.root
        if len(node.steps) == 1:
            return lambda item, values: item.get(root)
        read = reader(node)
        return lambda item, values: read(item)
    assert isinstance(node, Function)
    return size_of(compile_operand(node.arguments[0]))


def every(members: list[Test]) -> Test:
    if len(members) == 2:
        first, second = members
        return lambda item, values: first(item, values) and second(item, values)
    return lambda item, values: all(member(item, values) for member in members)


def some(members: list[Test]) -> Test:
    return lambda item, values: any(member(item, values) for member in members)


def comparison(operator: str, left: Operand, right: Operand) -> Test:
    if operator == "=":

        def test_equal(item: Item, values: Values) -> bool:
            a, b = left(item, values), right(item, values)
            return a is not None and b is not None and equal(a, b)

        return test_equal
    if operator == "<>":

        def test_different(item: Item, values: Values) -> bool:
            a, b = left(item, values), right(item, values)
            return a is None or b is None or not equal(a, b)

        return test_different

    def test_order(item: Item, values: Values) -> bool:
        a, b = left(item, values), right(item, values)
        return a is not None and b is not None and in_order(operator, a, b)

    return test_order


def in_order(operator: str, left: Value, right: Value) -> bool:
    """`left < right` and its like; False for two types, or for types without an order."""
    kind = kind_of(left)
    if kind not in ORDERED or kind not in right:
        return False
    a, b = sortable(left), sortable(right)
    if operator == "<":
        return bool(a < b)
    if operator == "<=":
        return bool(a <= b)
    return bool(a > b) if operator == ">" else bool(a >= b)


def between(operand: Operand, low: Operand, high: Operand) -> Test:
    def test(item: Item, values: Values) -> bool:
        value, least, most = operand(item, values), low(item, values), high(item, values)
        if value is None or least is None or most is None:
            return False
        return in_order(">=", value, least) and in_order("<=", value, most)

    return test


def contained(operand: Operand, choices: list[Operand]) -> Test:
    def test(item: Item, values: Values) -> bool:
        value = operand(item, values)
        if value is None:
            return False
        found = (choice(item, values) for choice in choices)
        return any(candidate is not None and equal(value, candidate) for candidate in found)

    return test


def attribute_exists(operand: Operand) -> Test:
    return lambda item, values: operand(item, values) is not None


def attribute_not_exists(operand: Operand) -> Test:
    return lambda item, values: operand(item, values) is None


def attribute_type(operand: Operand, kind: Operand) -> Test:
    def test(item: Item, values: Values) -> bool:
        value, wanted = operand(item, values), kind(item, values)
        return value is not None and wanted is not None and wanted["S"] in value

    return test


def begins_with(operand: Operand, prefix: Operand) -> Test:
    def test(item: Item, values: Values) -> bool:
        value, start = operand(item, values), prefix(item, values)
        return value is not None and start is not None and starts(value, start)

    return test


def starts(value: Value, start: Value) -> bool:
    if "S" in start:
        return "S" in value and value["S"].startswith(start["S"])
    if "B" in start:
        return "B" in value and b64decode(value["B"]).startswith(b64decode(start["B"]))
    return False


def contains(operand: Operand, member: Operand) -> Test:
    def test(item: Item, values: Values) -> bool:
        value, wanted = operand(item, values), member(item, values)
        return value is not None and wanted is not None and holds(value, wanted)

    return test


def holds(value: Value, wanted: Value) -> bool:
    """A text's part, a set's member or a list's element."""
    kind, content = next(iter(value.items()))
    if kind == "S":
        return "S" in wanted and wanted["S"] in content
    if kind == "B":
        return "B" in wanted and b64decode(wanted["B"]) in b64decode(content)
    if kind in ("SS", "NS", "BS"):
        return kind[0] in wanted and wanted[kind[0]] in content
    if kind == "L":
        return any(equal(element, wanted) for element in content)
    return False


def size_of(operand: Operand) -> Operand:
    def size(item: Item, values: Values) -> Value | None:
        value = operand(item, values)
        count = None if value is None else length(value)
        return None if count is None else {"N": str(count)}

    return size


FUNCTIONS: Final[Mapping[str, Callable[..., Test]]] = {  # never written
    "attribute_exists": attribute_exists,
    "attribute_not_exists": attribute_not_exists,
    "attribute_type": attribute_type,
    "begins_with": begins_with,
    "contains": contains,
}
