"""What targets are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cloudlet.emulator.eventing.arns import Arn


class UnknownTarget(ValueError):
    """Nothing can be delivered there."""


class Order(msgspec.Struct, frozen=True):
    """What is to be delivered, and where. `target` has AWS's members."""

    arn: Arn
    target: Mapping[str, Any]
    text: str
    event: Mapping[str, Any]
    unique: str

    def parameters(self, name: str) -> Mapping[str, Any]:
        """`SqsParameters` and the like."""
        found: Mapping[str, Any] = self.target.get(name) or {}
        return found


class Errand(msgspec.Struct, frozen=True):
    """An operation that has to be carried out. Of several steps the last one delivers, those before prepare it.

    `service` is botocore's name. A step before the last one may fail with one of `tolerated`.
    """

    account_id: str
    region: str
    service: str
    operation: str
    request: dict[str, Any]
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    tolerated: tuple[str, ...] = ()


Make = Callable[[Order], Errand]


def errand(order: Order, service: str, operation: str, request: Mapping[str, Any]) -> Errand:
    """In the target's account and region; members that are None are left out."""
    given = {name: value for name, value in request.items() if value is not None}
    return Errand(order.arn.account, order.arn.region, service, operation, given)
