"""What no request may hold, in whatever field: the NUL character, which databases do not keep.

Everything that comes as text is looked at once, before its route: path, query, form. Bodies of JSON are looked at where
they are read (`has_nul`), since what counts there is what they mean, not how they are written.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler

from cloudlet.control.errors import Refusal

NUL = "\0"


class NulCharacter(Refusal):
    status = 400
    code = "request.nul"
    title = "The request has a NUL character in it"
    hint = "Remove it (`%00` in an address or form, `\\u0000` in JSON) and send the request again."


class DoesNotFit(Refusal):
    """A value that a check before the database should have refused; what the database says holds values, so it is not shown."""

    status = 422
    code = "request.does_not_fit"
    title = "Something in the request is too long, too large, or has characters that cannot be kept"
    hint = "Shorten it, or leave out unusual characters, and send it again."


async def refuse_nul(connection: ASGIConnection[Any, Any, Any, State], _handler: BaseRouteHandler) -> None:
    """A guard. Raises NulCharacter."""
    scope = connection.scope
    query = scope.get("query_string", b"")
    if NUL in scope["path"] or b"%00" in query or b"\0" in query:
        raise NulCharacter
    if isinstance(connection, Request) and connection.method != "GET":
        form = await connection.form()  # read once: the handler gets the same
        if any(has_nul(name) or has_nul(value) for name, value in form.multi_items()):
            raise NulCharacter


def refuse_nul_in(raw: bytes) -> None:
    """For a body of JSON: what it says is looked at only where it may have one at all. Raises NulCharacter."""
    if b"\\u0000" in raw and has_nul(msgspec.json.decode(raw)):
        raise NulCharacter


def has_nul(value: Any) -> bool:
    """In a text, or in any text of lists and objects."""
    if isinstance(value, str):
        return NUL in value
    if isinstance(value, dict):
        return any(has_nul(name) or has_nul(item) for name, item in value.items())
    return isinstance(value, list | tuple) and any(map(has_nul, value))
