"""The parts of an ARN."""

from __future__ import annotations

from typing import NamedTuple


class Arn(NamedTuple):
    """`resource` is everything behind the account: `rule/bus/name`, `log-group:/aws/x:*`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def parse_arn(text: str) -> Arn | None:
    """None for what is no ARN."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2]:
        return None
    return Arn(parts[1], *parts[2:])
