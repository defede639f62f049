"""UpdateExpression, compiled: every right-hand side is computed from the item as it was, then all changes are made.

Source: "Using update expressions in DynamoDB", Developer Guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.checks import CONDITION_FUNCTIONS, UPDATE_FUNCTIONS, Check
from cloudlet.emulator.services.dynamodb.expressions.conditions import check_values_defined
from cloudlet.emulator.services.dynamodb.expressions.nodes import Arithmetic, Function, Literal, Node, Path, UpdateNodes
from cloudlet.emulator.services.dynamodb.expressions.parser import Parser
from cloudlet.emulator.services.dynamodb.expressions.paths import child, reader, refuse_overlaps
from cloudlet.emulator.services.dynamodb.expressions.projections import Tree, tree_of
from cloudlet.emulator.services.dynamodb.numbers import add, subtract
from cloudlet.emulator.services.dynamodb.values import SETS, Item, Value, copy_value, kind_of, type_name

Values = Mapping[str, Value]
Operand = Callable[[Item, Values], Value]
CACHED_EXPRESSIONS: Final = 1024
EXPRESSION: Final = "UpdateExpression"


class Update:
    """A compiled update.

    `apply` changes an item in place. `tree` holds the paths that it touches (see `projections`), `roots` their
    top-level attributes, `creates` whether it makes an item where there is none.
    """

    __slots__ = (
        "_additions", "_assignments", "_deletions", "_removals", "checks", "creates", "names_used", "roots", "tree",
        "values_used",
    )  # fmt: skip

    def __init__(self, nodes: UpdateNodes, names_used: frozenset[str], values_used: frozenset[str]) -> None:
        self.names_used = names_used
        self.values_used = values_used
        paths = [assignment.path for assignment in nodes.assignments]
        paths += nodes.removals
        paths += [path for path, _ in nodes.additions + nodes.deletions]
        refuse_overlaps(EXPRESSION, paths)
        self.tree: Tree = tree_of(paths)
        self.roots = frozenset(str(path.steps[0]) for path in paths)
        checks: list[Check] = []
        self._assignments = tuple((path, compile_operand(value, checks)) for path, value in nodes.assignments)
        self._assignments = tuple(sorted(self._assignments, key=lambda pair: list_order(pair[0])))
        self._removals = tuple(sorted(nodes.removals, key=list_order, reverse=True))
        self._additions = nodes.additions
        self._deletions = nodes.deletions
        self.creates = bool(nodes.assignments or nodes.additions) or not paths
        for _, literal in nodes.additions:
            checks.append(operand_check("ADD", literal.reference, frozenset({"N", *SETS})))
        for _, literal in nodes.deletions:
            checks.append(operand_check("DELETE", literal.reference, SETS))
        self.checks = tuple(checks)

    def check(self, values: Values) -> None:
        """Judge the request's values. Raises ValidationException."""
        check_values_defined(EXPRESSION, self.values_used, values)
        for check in self.checks:
            check(values)

    def apply(self, item: Item, values: Values) -> None:
        """Change the item. Raises ValidationException."""
        results = [(path, operand(item, values)) for path, operand in self._assignments]
        results += [(path, added(item, path, values[literal.reference])) for path, literal in self._additions]
        shrunk = [(path, deleted(item, path, values[literal.reference])) for path, literal in self._deletions]
        for path, result in results:
            assign(item, path, result)
        for path, rest in shrunk:
            if rest is None:
                remove(item, path)
            else:
                assign(item, path, rest)
        for path in self._removals:
            remove(item, path)


def list_order(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sorts the paths into one list by index."""
    return tuple((0, step, "") if isinstance(step, int) else (1, 0, step) for step in path.steps)


@lru_cache(maxsize=CACHED_EXPRESSIONS)
def compile_update(text: str, names: tuple[tuple[str, str], ...]) -> Update:
    """Compile an update expression. Raises ValidationException."""
    parser = Parser(EXPRESSION, text, dict(names))
    nodes = parser.update()
    return Update(nodes, frozenset(parser.names_used), frozenset(parser.values_used))


# --- right-hand sides


def compile_operand(node: Node, checks: list[Check]) -> Operand:
    if isinstance(node, Literal):
        reference = node.reference
        return lambda item, values: values[reference]
    if isinstance(node, Path):
        return existing(node)
    if isinstance(node, Arithmetic):
        return arithmetic(node, checks)
    assert isinstance(node, Function)
    name, arguments = node
    count = UPDATE_FUNCTIONS.get(name)
    if count is None:
        if name in CONDITION_FUNCTIONS:
            raise invalid(f"The function is not allowed in an update expression; function: {name}")
        raise invalid(f"Invalid function name; function: {name}")
    if len(arguments) != count:
        raise invalid(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {name}, number of operands: {len(arguments)}"
        )
    if any(isinstance(argument, Function) and argument.name == "list_append" for argument in arguments):
        raise invalid("The function is not allowed to be used this way in an expression; function: list_append")
    return if_not_exists(arguments, checks) if name == "if_not_exists" else list_append(arguments, checks)


def existing(path: Path) -> Operand:
    read = reader(path)

    def operand(item: Item, values: Values) -> Value:
        value = read(item)
        if value is None:
            raise ValidationException("The provided expression refers to an attribute that does not exist in the item")
        return copy_value(value)

    return operand


def arithmetic(node: Arithmetic, checks: list[Check]) -> Operand:
    left, right = compile_operand(node.left, checks), compile_operand(node.right, checks)
    combine = add if node.operator == "+" else subtract
    for side in (node.left, node.right):
        if isinstance(side, Literal):
            checks.append(function_check(node.operator, side.reference, "N"))
        elif isinstance(side, Function) and side.name == "list_append":
            raise wrong_operand(node.operator, "L")

    def operand(item: Item, values: Values) -> Value:
        a, b = left(item, values), right(item, values)
        if "N" not in a or "N" not in b:
            raise ValidationException("An operand in the update expression has an incorrect data type")
        return {"N": combine(a["N"], b["N"])}

    return operand


def if_not_exists(arguments: tuple[Node, ...], checks: list[Check]) -> Operand:
    path, default = arguments
    if not isinstance(path, Path):
        raise invalid("Operator or function requires a document path; operator or function: if_not_exists")
    read = reader(path)
    otherwise = compile_operand(default, checks)

    def operand(item: Item, values: Values) -> Value:
        value = read(item)
        return otherwise(item, values) if value is None else copy_value(value)

    return operand


def list_append(arguments: tuple[Node, ...], checks: list[Check]) -> Operand:
    first, second = (compile_operand(argument, checks) for argument in arguments)
    for argument in arguments:
        if isinstance(argument, Literal):
            checks.append(function_check("list_append", argument.reference, "L"))
        elif isinstance(argument, Arithmetic):
            raise wrong_operand("list_append", "N")

    def operand(item: Item, values: Values) -> Value:
        a, b = first(item, values), second(item, values)
        if "L" not in a or "L" not in b:
            raise ValidationException("An operand in the update expression has an incorrect data type")
        return {"L": a["L"] + b["L"]}

    return operand


def added(item: Item, path: Path, operand: Value) -> Value:
    """What ADD makes of the attribute."""
    value = place_of(item, path)
    kind = kind_of(operand)
    if value is None:
        return operand
    if kind not in value:
        raise ValidationException("An operand in the update expression has an incorrect data type")
    if kind == "N":
        return {"N": add(value["N"], operand["N"])}
    present = set(value[kind])
    return {kind: value[kind] + [member for member in operand[kind] if member not in present]}


def deleted(item: Item, path: Path, operand: Value) -> Value | None:
    """What DELETE leaves of the set; None where nothing is left."""
    value = place_of(item, path)
    kind = kind_of(operand)
    if value is None:
        return None
    if kind not in value:
        raise ValidationException("An operand in the update expression has an incorrect data type")
    gone = set(operand[kind])
    rest = [member for member in value[kind] if member not in gone]
    return {kind: rest} if rest else None


# --- changes


def parent_of(item: Item, path: Path) -> tuple[Any, str | int]:
    """The dict or list that holds the last step of the path. Raises ValidationException where there is none."""
    last = path.steps[-1]
    if len(path.steps) == 1:
        return item, last
    value: Value | None = item.get(path.root)
    for step in path.steps[1:-1]:
        if value is None:
            break
        value = child(value, step)
    content = None if value is None else value.get("M" if isinstance(last, str) else "L")
    if content is None:
        raise ValidationException("The document path provided in the update expression is invalid for update")
    return content, last


def place_of(item: Item, path: Path) -> Value | None:
    content, last = parent_of(item, path)
    if isinstance(last, str):
        return content.get(last)  # type: ignore[no-any-return]
    return content[last] if last < len(content) else None


def assign(item: Item, path: Path, value: Value) -> None:
    content, last = parent_of(item, path)
    if isinstance(last, int) and last >= len(content):
        content.append(value)
    else:
        content[last] = value


def remove(item: Item, path: Path) -> None:
    content, last = parent_of(item, path)
    if isinstance(last, str):
        content.pop(last, None)
    elif last < len(content):
        del content[last]


# --- errors


def invalid(message: str) -> ValidationException:
    return ValidationException(f"Invalid {EXPRESSION}: {message}")


def wrong_operand(name: str, kind: str) -> ValidationException:
    return invalid(
        f"Incorrect operand type for operator or function; operator or function: {name}, operand type: {kind}"
    )


def function_check(name: str, reference: str, wanted: str) -> Check:
    def check(values: Values) -> None:
        kind = kind_of(values[reference])
        if kind != wanted:
            raise wrong_operand(name, kind)

    return check


def operand_check(operator: str, reference: str, allowed: frozenset[str]) -> Check:
    def check(values: Values) -> None:
        kind = kind_of(values[reference])
        if kind not in allowed:
            raise invalid(
                "Incorrect operand type for operator or function; "
                f"operator: {operator}, operand type: {type_name(kind)}, typeSet: ALLOWED_FOR_{operator}_OPERAND"
            )

    return check
