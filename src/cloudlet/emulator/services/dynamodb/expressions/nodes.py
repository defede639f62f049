"""The parts that expressions are made of, as the parser leaves them: names and values are still placeholders.

Operand    Path · Literal (:value) · Call (size, if_not_exists, …) · Arithmetic (+ -)
Condition  Comparison · Between · In · Call · And · Or · Not
"""

from __future__ import annotations

from typing import NamedTuple


class Path(NamedTuple):
    """A document path: attribute names and list indexes; names resolved."""

    steps: tuple[str | int, ...]

    @property
    def root(self) -> str:
        """The top-level attribute."""
        return str(self.steps[0])

    def __str__(self) -> str:
        return "[" + ", ".join(f"[{step}]" if isinstance(step, int) else step for step in self.steps) + "]"


class Literal(NamedTuple):
    """`:value`."""

    reference: str


class Function(NamedTuple):
    """`name(arguments)`."""

    name: str
    arguments: tuple[Node, ...]


class Arithmetic(NamedTuple):
    """`left + right` or `left - right` of an update expression."""

    operator: str
    left: Node
    right: Node


class Comparison(NamedTuple):
    operator: str
    left: Node
    right: Node


class Between(NamedTuple):
    operand: Node
    low: Node
    high: Node


class In(NamedTuple):
    operand: Node
    choices: tuple[Node, ...]


class And(NamedTuple):
    members: tuple[Node, ...]


class Or(NamedTuple):
    members: tuple[Node, ...]


class Not(NamedTuple):
    condition: Node


class Group(NamedTuple):
    """What stood in parentheses."""

    inner: Node


Node = Path | Literal | Function | Arithmetic | Comparison | Between | In | And | Or | Not | Group


class Assignment(NamedTuple):
    """`path = value` of SET."""

    path: Path
    value: Node


class UpdateNodes(NamedTuple):
    """The sections of an update expression."""

    assignments: tuple[Assignment, ...]
    removals: tuple[Path, ...]
    additions: tuple[tuple[Path, Literal], ...]
    deletions: tuple[tuple[Path, Literal], ...]
