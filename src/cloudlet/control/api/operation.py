"""How the native API's operations are written: one function each, and what is said about it once.

    @operation("POST", "/workspaces/{workspace_id}/members", "member.invite", status=201, once=True)
    def invite_member(call: Call, body: Invitation) -> Member:
        \"\"\"Invite somebody by e-mail.\"\"\"

The function gets the transaction (GET: a snapshot) in `call`, ids of the path by their names, `body` and `query` as
structs, and returns a struct, a Page, a Document, or None. Routes (`serve`), the OpenAPI document and the documentation
page are made from the same declaration, so they cannot differ.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, Literal, TypeVar, get_type_hints

import msgspec
from litestar.datastructures import Cookie
from sqlalchemy.orm import Session

from cloudlet.control.accounts.service import confirm_password
from cloudlet.control.api.errors import CursorInvalid, MatchFailed, MatchNeeded, SudoNeeded
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.inputs import has_nul
from cloudlet.control.limits.service import Limit
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Account, Viewer

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Item = TypeVar("Item")
Function = TypeVar("Function", bound=Callable[..., Any])
PREFIX = "/api/v1"
PARAMETER = re.compile(r"\{(\w+)\}")
LARGEST_PAGE = 200
MOST_ROWS = 2**62  # no list is longer; beyond it databases know no numbers


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What programs send; a field that does not exist is refused, not ignored."""


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands behind the `?`."""


class CursorQuery(Query, frozen=True, kw_only=True):
    """`cursor`: where to go on."""

    cursor: str = ""


class PageQuery(CursorQuery, frozen=True, kw_only=True):
    """`cursor`: where to go on; `limit`: at most so many."""

    limit: int = msgspec.field(default=50)

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= LARGEST_PAGE:
            raise ValueError(f"`limit` is 1 to {LARGEST_PAGE}")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A part of a list. `next_cursor` is null at its end."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class Document(msgspec.Struct, frozen=True):
    """An answer that is no JSON; in pieces where it may be long."""

    content: bytes | Iterator[bytes]
    media_type: str
    filename: str = ""


class Arrival(msgspec.Struct, frozen=True):
    """What there is before an operation's transaction; `before` counts tries with it."""

    database: Database
    platform: Platform
    ip: str


class Reply:
    """What an answer says beside its body."""

    __slots__ = ("cookies", "etag", "status")

    def __init__(self) -> None:
        self.etag = ""
        self.status = 0
        self.cookies: list[Cookie] = []


class Call:
    """One request: who asks, the transaction, and the answer's headers."""

    __slots__ = ("account", "cookie", "database", "if_match", "ip", "platform", "reply", "session", "user_agent")

    def __init__(
        self,
        session: Session,
        database: Database,
        platform: Platform,
        account: Account | None,
        *,
        ip: str,
        user_agent: str,
        if_match: str,
        cookie: str,
    ) -> None:
        self.session = session
        self.cookie = cookie
        self.database = database
        self.platform = platform
        self.account = account
        self.ip = ip
        self.user_agent = user_agent
        self.if_match = if_match
        self.reply = Reply()

    @property
    def viewer(self) -> Viewer:
        """The caller in the workspace of the path."""
        assert isinstance(self.account, Viewer)
        return self.account

    @property
    def person(self) -> Account:
        assert self.account is not None
        return self.account

    def match(self, etag: str, *, is_needed: bool = False) -> None:
        """Go on when the caller has seen this version. Raises MatchFailed, MatchNeeded."""
        if not self.if_match:
            if is_needed:
                raise MatchNeeded
            return
        tags = {tag.strip().removeprefix("W/") for tag in self.if_match.split(",")}
        if not tags & {"*", etag}:
            raise MatchFailed

    def tell_version(self, etag: str) -> None:
        self.reply.etag = etag

    def prove(self, password: str, code: str) -> None:
        """They proved who they are a moment ago, or do now. Raises SudoNeeded, WrongPassword, WrongCode."""
        if self.person.has_sudo:
            return
        if not password:
            raise SudoNeeded
        confirm_password(self.session, self.platform, self.person.session_id, password, code)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """`once`: an Idempotency-Key is heeded. `match`: an If-Match header is. `people_only`: not with an API token."""

    method: Method
    path: str
    requires: str
    run: Callable[..., Any]
    name: str
    summary: str
    details: str
    tag: str
    status: int
    body: Any
    query: Any
    answer: Any
    ids: tuple[str, ...]
    once: bool
    match: Literal["", "optional", "needed"]
    people_only: bool
    limit: Limit | None
    before: Callable[[Arrival, Any], None] | None
    refuses: tuple[type[Refusal], ...]


def operation(
    method: Method,
    path: str,
    requires: str,
    *,
    status: int = 200,
    once: bool = False,
    match: Literal["", "optional", "needed"] = "",
    people_only: bool = False,
    limit: Limit | None = None,
    before: Callable[[Arrival, Any], None] | None = None,
    refuses: tuple[type[Refusal], ...] = (),
) -> Callable[[Callable[..., Any]], Operation]:
    """Make a function an operation. `refuses` is for the documentation, beside what every operation may answer."""

    def make(function: Callable[..., Any]) -> Operation:
        hints = get_type_hints(function)
        answer = hints.pop("return")
        hints.pop("call")
        body, query = hints.pop("body", None), hints.pop("query", None)
        in_path = tuple(PARAMETER.findall(path))
        if set(hints) != set(in_path) - {"workspace_id"}:
            raise TypeError(f"{function.__name__} takes {sorted(hints)}, its path has {in_path}")
        summary, _, details = (function.__doc__ or "").strip().partition("\n")
        return Operation(
            method=method,
            path=path,
            requires=requires,
            run=function,
            name=function.__name__,
            summary=summary.strip(),
            details=" ".join(details.split()),
            tag=function.__module__.rpartition(".")[2],
            status=204 if answer is type(None) else status,
            body=body,
            query=query,
            answer=None if answer is type(None) else answer,
            ids=in_path,
            once=once,
            match=match,
            people_only=people_only,
            limit=limit,
            before=before,
            refuses=refuses,
        )

    return make


def etag_of(shape: msgspec.Struct) -> str:
    """The version of what a program sees: another content, another tag."""
    return '"' + hashlib.sha256(msgspec.json.encode(shape)).hexdigest()[:20] + '"'


def make_cursor(listed: str, last: str | int) -> str:
    """Where a list goes on: after `last`, whatever is added or removed meanwhile."""
    return base64.urlsafe_b64encode(msgspec.json.encode([listed, last])).decode().rstrip("=")


def read_cursor(listed: str, cursor: str, kind: type[Any] = str) -> Any:
    """The `last` of a cursor, which is of `kind`; None without one. Raises CursorInvalid."""
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        name, last = msgspec.json.decode(raw, type=tuple[str, str | int])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise CursorInvalid from error
    if (
        name != listed
        or not isinstance(last, kind)
        or has_nul(last)
        or (isinstance(last, int) and abs(last) > MOST_ROWS)
    ):
        raise CursorInvalid
    return last


def page_of(
    listed: str, rows: list[Any], limit: int, show: Callable[[Any], Item], last: Callable[[Any], Any]
) -> Page[Item]:
    """A Page of `rows`, of which there is one more than `limit` when the list goes on."""
    shown = rows[:limit]
    cursor = make_cursor(listed, last(shown[-1])) if len(rows) > limit else None
    return Page(tuple(show(row) for row in shown), cursor)
