"""One page of a listing: prefix, delimiter, marker and limit over records in key order.

Keys below a common prefix are never walked: the scan goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from cloudlet.emulator.services.s3.errors import InvalidArgument
from cloudlet.emulator.services.s3.rules import url_encode

MAX_KEYS = 1000


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


K = TypeVar("K", bound=Keyed)


class Page(NamedTuple, Generic[K]):
    """`last` is where the page ends: a key or a common prefix; empty when the page is."""

    entries: list[K]
    prefixes: list[str]
    truncated: bool
    last: str


def take(scan: Callable[..., Iterator[K]], prefix: str, delimiter: str, start: dict[str, Any], limit: int) -> Page[K]:
    """The page that begins at `start`: scan arguments, `after=(key, …)` or `beyond=prefix`.

    `scan(after=…, beyond=…)` yields records whose key starts with the prefix, in key order.
    """
    if limit <= 0:
        return Page([], [], False, "")
    if not delimiter:
        found = list(islice(scan(**start), limit + 1))
        truncated = len(found) > limit
        if truncated:
            del found[limit:]
        return Page(found, [], truncated, found[-1].key if found else "")
    entries: list[K] = []
    prefixes: list[str] = []
    last = ""
    skip = len(prefix)
    records = scan(**start)
    while True:
        record = next(records, None)
        if record is None:
            return Page(entries, prefixes, False, last)
        if len(entries) + len(prefixes) == limit:
            return Page(entries, prefixes, True, last)
        key = record.key
        position = key.find(delimiter, skip)
        if position < 0:
            entries.append(record)
            last = key
        else:
            last = key[: position + len(delimiter)]
            prefixes.append(last)
            records = scan(beyond=last)


def start_after(marker: str, prefix: str, delimiter: str) -> dict[str, Any]:
    """Where a listing with a marker begins; a marker that is a common prefix is behind all of its keys."""
    if not marker:
        return {}
    if delimiter and marker.startswith(prefix):
        position = marker.find(delimiter, len(prefix))
        if position >= 0 and position + len(delimiter) == len(marker):
            return {"beyond": marker}
    return {"after": (marker,)}


def page_limit(value: int | None, name: str = "max-keys") -> tuple[int, int]:
    """(entries on a page, the number to show) of a `max-keys`. Raises InvalidArgument for a negative one."""
    if value is None:
        return MAX_KEYS, MAX_KEYS
    if value < 0:
        raise InvalidArgument(
            "Argument maxKeys must be an integer between 0 and 2147483647",
            ArgumentName=name,
            ArgumentValue=str(value),
        )
    limit = min(value, MAX_KEYS)
    return limit, limit


def check_encoding(encoding: str | None) -> Callable[[str], str]:
    """How keys are written. Raises InvalidArgument."""
    if encoding is None:
        return str
    if encoding != "url":
        raise InvalidArgument(
            "Invalid Encoding Method specified in Request", ArgumentName="encoding-type", ArgumentValue=encoding
        )
    return url_encode
