"""Pages of lists that are made here. A token is the position of the next element, hidden from eyes, not from attackers."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

from cloudlet.emulator.kernel.errors import AwsError

T = TypeVar("T")


def page(
    items: Sequence[T], limit: int, token: str | None, refuse: Callable[[], AwsError]
) -> tuple[Sequence[T], str | None]:
    """A page of at most `limit` elements and the token of the next one. Raises `refuse()` for a token that is none."""
    start = 0
    if token:
        try:
            start = int(urlsafe_b64decode(token.encode()).decode().removeprefix("from:"))
        except ValueError as error:
            raise refuse() from error
    end = start + limit
    following = urlsafe_b64encode(f"from:{end}".encode()).decode() if end < len(items) else None
    return items[start:end], following
