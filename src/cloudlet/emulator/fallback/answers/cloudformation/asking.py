"""What the answers of CloudFormation share: the machine, stacks by their names, pages, forms of records."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.machine import Machine
from cloudlet.emulator.fallback.stacks.records import Shelf, Stack, StackSet
from cloudlet.emulator.kernel.errors import UnmodelledError

T = TypeVar("T")
PAGE = 100
DRIFT = "NOT_CHECKED"


def machine_of(asked: Asked) -> Machine:
    """The one of this emulator."""
    machine: Machine = asked.fallback.part("stacks", lambda: Machine(asked.fallback, asked.call))
    return machine


def shelf_of(asked: Asked) -> Shelf:
    return machine_of(asked).shelf(asked.call.account_id, asked.call.region)


def stack_of(asked: Asked, missing: str = "Stack with id {} does not exist", *, deleted: bool = False) -> Stack:
    """The stack that the request names. Raises `ValidationError` with the operation's words."""
    name = asked.request["StackName"]
    stack = shelf_of(asked).find(name, deleted=deleted)
    if stack is None:
        raise refused(missing.format(name))
    return stack


def page(asked: Asked, member: str, found: Sequence[T], form: Callable[[T], Any], size: int = PAGE) -> dict[str, Any]:
    """One page of a listing. Tokens say where it goes on. Raises `ValidationError` for one that is none."""
    token = asked.request.get("NextToken")
    start = 0
    if token:
        try:
            start = int(base64.b64decode(token, validate=True))
        except ValueError:
            raise refused("Invalid NextToken") from None
    result: dict[str, Any] = {member: [form(one) for one in found[start : start + size]]}
    if start + size < len(found):
        result["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return result


def set_of(asked: Asked) -> StackSet:
    """The stack set that the request names. Raises `StackSetNotFoundException`."""
    name = asked.request["StackSetName"]
    found = shelf_of(asked).find_set(name)
    if found is None:
        raise UnmodelledError("StackSetNotFoundException", f"StackSet {name} not found", 404)
    return found
