"""Tokens of paged lists: base64 of the last key that was returned. Pure."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from cloudlet.emulator.services.scheduler.errors import invalid

Item = TypeVar("Item")
MOST_RESULTS = 100


def encode_token(*key: str) -> str:
    return urlsafe_b64encode("\n".join(key).encode()).decode()


def decode_token(token: str | None, parts: int) -> tuple[str, ...] | None:
    """The key, or None without a token. Raises ValidationException for one that we did not give."""
    if token is None:
        return None
    try:
        key = tuple(b64decode(token.encode(), b"-_", validate=True).decode().split("\n"))
    except ValueError:
        key = ()
    if len(key) != parts:
        raise invalid("Invalid NextToken provided.")
    return key


def page(items: Iterable[Item], size: int | None) -> tuple[list[Item], bool]:
    """The first of the items, and whether there are more."""
    limit = size or MOST_RESULTS
    found = list(islice(items, limit + 1))
    return found[:limit], len(found) > limit
