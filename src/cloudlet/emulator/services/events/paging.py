"""Tokens of paged lists: base64 of the name that was returned last. Pure."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from cloudlet.emulator.services.events.errors import not_valid

Item = TypeVar("Item")
MOST_RESULTS = 100


def after_token(request: Mapping[str, Any]) -> tuple[str] | None:
    """What a scan continues behind. Raises ValidationException."""
    token = request.get("NextToken")
    if token is None:
        return None
    try:
        return (b64decode(token.encode(), b"-_", validate=True).decode(),)
    except ValueError:
        raise not_valid("nextToken", "The token is invalid.") from None


def page(items: Iterable[tuple[str, Item]], request: Mapping[str, Any]) -> tuple[list[Item], dict[str, str]]:
    """Of (name, item): the items of one page, and `NextToken` where there are more."""
    limit = request.get("Limit") or request.get("MaxResults") or MOST_RESULTS
    found = list(islice(items, limit + 1))
    if len(found) <= limit:
        return [item for _, item in found], {}
    shown = found[:limit]
    return [item for _, item in shown], {"NextToken": urlsafe_b64encode(shown[-1][0].encode()).decode()}
