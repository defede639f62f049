"""ProjectionExpression and AttributesToGet: the part of an item that is wanted.

Source: "Using projection expressions in DynamoDB", Developer Guide.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from cloudlet.emulator.services.dynamodb.errors import invalid_parameter
from cloudlet.emulator.services.dynamodb.expressions.nodes import Path
from cloudlet.emulator.services.dynamodb.expressions.parser import Parser
from cloudlet.emulator.services.dynamodb.expressions.paths import refuse_overlaps
from cloudlet.emulator.services.dynamodb.values import Item, Value

CACHED_EXPRESSIONS: Final = 1024

Tree = dict[str | int, Any]  # step -> the tree below it; None for all that is there


class Projection:
    """A compiled projection. `roots` are the top-level attributes that it reads."""

    __slots__ = ("names_used", "roots", "tree")

    def __init__(self, paths: Iterable[Path], names_used: frozenset[str]) -> None:
        self.tree = tree_of(paths)
        self.names_used = names_used
        self.roots = frozenset(str(root) for root in self.tree)

    def apply(self, item: Item) -> Item:
        return project(self.tree, item)


def tree_of(paths: Iterable[Path]) -> Tree:
    tree: Tree = {}
    for path in paths:
        place = tree
        for step in path.steps[:-1]:
            below = place.get(step)
            if below is None:
                below = place[step] = {}
            place = below
        place[path.steps[-1]] = None
    return tree


def project(tree: Tree, item: Item) -> Item:
    """The members of a map that the tree names."""
    found: Item = {}
    for name, below in tree.items():
        value = item.get(name)  # type: ignore[arg-type]
        if value is None:
            continue
        part = value if below is None else project_value(below, value)
        if part is not None:
            found[name] = part  # type: ignore[index]
    return found


def project_value(tree: Tree, value: Value) -> Value | None:
    """The part of a map or list that the tree names; None where nothing of it is there."""
    if "M" in value:
        members = project({name: below for name, below in tree.items() if isinstance(name, str)}, value["M"])
        return {"M": members} if members else None
    if "L" in value:
        content = value["L"]
        elements = []
        for place in sorted(step for step in tree if isinstance(step, int)):
            if place < len(content):
                below = tree[place]
                part = content[place] if below is None else project_value(below, content[place])
                if part is not None:
                    elements.append(part)
        return {"L": elements} if elements else None
    return None


@lru_cache(maxsize=CACHED_EXPRESSIONS)
def compile_projection(text: str, names: tuple[tuple[str, str], ...]) -> Projection:
    """Compile a projection expression. Raises ValidationException."""
    parser = Parser("ProjectionExpression", text, dict(names))
    paths = parser.projection()
    refuse_overlaps("ProjectionExpression", paths)
    return Projection(paths, frozenset(parser.names_used))


def legacy_projection(names: list[str]) -> Projection:
    """The projection of AttributesToGet. Raises ValidationException."""
    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise invalid_parameter(f"Duplicate value in attribute name: {twice}")
    return Projection((Path((name,)) for name in names), frozenset())
