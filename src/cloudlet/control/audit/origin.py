"""Where the request came from that is being served: kept beside it, so that each entry of the audit log has it.

Services know no requests. This travels with the task and its threads, and is empty for what nobody asked for.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler


class Origin(msgspec.Struct, frozen=True):
    ip: str = ""
    user_agent: str = ""


NOBODY = Origin()
CURRENT: ContextVar[Origin | None] = ContextVar("origin", default=None)


async def remember_origin(connection: ASGIConnection[Any, Any, Any, State], _handler: BaseRouteHandler) -> None:
    """A guard, the first of all, that refuses nobody."""
    client = connection.client
    CURRENT.set(Origin(client.host if client else "", connection.headers.get("user-agent", "")))
