"""Statements as the parser leaves them."""

from __future__ import annotations

from typing import NamedTuple

from cloudlet.emulator.services.dynamodb.expressions.nodes import Node, Path, UpdateNodes
from cloudlet.emulator.services.dynamodb.values import Item, Value


class Select(NamedTuple):
    """`paths` is None for `*`. `order` is the attribute of ORDER BY, and whether it descends."""

    table: str
    index_name: str | None
    paths: tuple[Path, ...] | None
    where: Node | None
    order: tuple[str, bool] | None
    values: dict[str, Value]


class Insert(NamedTuple):
    table: str
    item: Item
    quiet: bool


class Change(NamedTuple):
    """UPDATE. `returning` is what RETURNING asks for: ALL_OLD, ALL_NEW, UPDATED_OLD, UPDATED_NEW or nothing."""

    table: str
    update: UpdateNodes
    where: Node
    returning: str
    values: dict[str, Value]


class Delete(NamedTuple):
    table: str
    where: Node
    returning: str
    values: dict[str, Value]


class Exists(NamedTuple):
    """EXISTS(SELECT …): a condition check of a transaction."""

    select: Select


Statement = Select | Insert | Change | Delete | Exists
