"""Pages of lists: tokens are opaque, and good for a day on AWS, for ever here."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, TypeVar

from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, loads
from cloudlet.emulator.services.stepfunctions.errors import invalid_token

T = TypeVar("T")
PER_PAGE = 100


def token_of(position: Any) -> str:
    return urlsafe_b64encode(dumps(position).encode()).decode()


def position_of(token: str) -> Any:
    """Raises InvalidToken."""
    try:
        return loads(urlsafe_b64decode(token.encode()).decode())
    except ValueError:
        raise invalid_token() from None


def offset_of(request: Mapping[str, Any]) -> int:
    """Where the page begins. Raises InvalidToken."""
    token = request.get("nextToken")
    if token is None:
        return 0
    position = position_of(token)
    if not isinstance(position, int) or position < 0:
        raise invalid_token()
    return position


def limit_of(request: Mapping[str, Any]) -> int:
    """0 stands for the usual number."""
    return int(request.get("maxResults") or PER_PAGE)


def page(found: list[T], request: Mapping[str, Any]) -> tuple[list[T], str | None]:
    """The part of a list that is asked for, and the token of the next one."""
    begin, limit = offset_of(request), limit_of(request)
    following = token_of(begin + limit) if begin + limit < len(found) else None
    return found[begin : begin + limit], following
