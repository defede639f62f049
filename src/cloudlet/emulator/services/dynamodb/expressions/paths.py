"""Reading along document paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.nodes import Path
from cloudlet.emulator.services.dynamodb.values import Item, Value

Reader = Callable[[Item], Value | None]


def reader(path: Path) -> Reader:
    """A function that finds the path's value in an item; it returns None where there is none."""
    root = path.root
    rest = path.steps[1:]
    if not rest:
        return lambda item: item.get(root)

    def read(item: Item) -> Value | None:
        value = item.get(root)
        for step in rest:
            if value is None:
                return None
            value = child(value, step)
        return value

    return read


def child(value: Value, step: str | int) -> Value | None:
    """A map's member or a list's element; None where there is none."""
    if isinstance(step, str):
        members: dict[str, Any] | None = value.get("M")
        return None if members is None else members.get(step)
    elements: list[Any] | None = value.get("L")
    return elements[step] if elements is not None and step < len(elements) else None


def refuse_overlaps(expression: str, paths: Iterable[Path]) -> None:
    """Raise ValidationException where one path lies within another, or two need the same attribute in two types."""
    seen: list[Path] = []
    for path in paths:
        for other in seen:
            compare_paths(expression, other, path)
        seen.append(path)


def compare_paths(expression: str, first: Path, second: Path) -> None:
    for mine, theirs in zip(first.steps, second.steps, strict=False):
        if mine == theirs and type(mine) is type(theirs):
            continue
        if type(mine) is not type(theirs):
            raise ValidationException(
                f"Invalid {expression}: Two document paths conflict with each other; must remove or rewrite one of "
                f"these paths; path one: {first}, path two: {second}"
            )
        return
    raise ValidationException(
        f"Invalid {expression}: Two document paths overlap with each other; must remove or rewrite one of "
        f"these paths; path one: {first}, path two: {second}"
    )
