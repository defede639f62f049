"""Operations as routes: read the request, run the function in its transaction, write the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
from anyio.to_thread import run_sync
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.types import Method as HttpMethod

from cloudlet.control.api.callers import load_caller
from cloudlet.control.api.errors import BodyInvalid, BodySyntax, BodyType, Invalid, PeopleOnly, QueryInvalid
from cloudlet.control.api.operation import PREFIX, Arrival, Call, Document, Operation, Page
from cloudlet.control.db import Database
from cloudlet.control.given import WebRequest, client_ip
from cloudlet.control.inputs import refuse_nul_in
from cloudlet.control.limits import repeats
from cloudlet.control.limits.memory import charge
from cloudlet.control.limits.service import check
from cloudlet.control.permissions import CALLER, requires
from cloudlet.control.platform import Platform
from cloudlet.control.security import NO_CSRF
from cloudlet.control.viewer import SESSION_COOKIE, Account
from cloudlet.license.token import mask_text

JSON = "application/json"
LONGEST_MESSAGE = 300
KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as far as operations care; nothing in it belongs to the web framework."""

    method: str
    path: str
    account: Account | None
    ids: dict[str, str]
    query: str
    raw: bytes
    content_type: str
    ip: str
    user_agent: str
    if_match: str
    if_none_match: str
    key: str
    cookie: str


def routes_of(operations: Iterable[Operation]) -> tuple[HTTPRouteHandler, ...]:
    return tuple(route_of(entry) for entry in operations)


def route_of(entry: Operation) -> HTTPRouteHandler:
    """A Litestar handler. Its callers are known by token or session, so it has its own protection against forgery."""

    async def handle(request: WebRequest) -> Response[Any]:
        asked = Asked(
            method=entry.method,
            path=request.scope["path"],
            account=cast(Account | None, request.scope.get("account")),
            ids=dict(request.path_params),
            query=request.scope["query_string"].decode("latin-1"),
            raw=await request.body(),
            content_type=request.headers.get("content-type", ""),
            ip=client_ip(request),
            user_agent=request.headers.get("user-agent", ""),
            if_match=request.headers.get("if-match", ""),
            if_none_match=request.headers.get("if-none-match", ""),
            key=request.headers.get("idempotency-key", ""),
            cookie=request.cookies.get(SESSION_COOKIE, ""),
        )
        state = request.app.state
        if asked.account is None:
            charge(request.scope, state.platform, "api_stranger", asked.ip)
        return await run_sync(answer, entry, asked, state.database, state.platform)

    handle.__name__ = entry.name
    handle.__doc__ = entry.summary
    method: HttpMethod = entry.method
    return HTTPRouteHandler(
        PREFIX + re.sub(r"\{(\w+)\}", r"{\1:str}", entry.path),
        http_method=method,
        status_code=200
        if entry.status == 204
        else entry.status,  # each answer has its own; Litestar wants none for 204
        opt={**requires(entry.requires), **NO_CSRF, CALLER: load_caller, "operation": entry},
    )(handle)


def answer(entry: Operation, asked: Asked, database: Database, platform: Platform) -> Response[Any]:
    """Raises whatever the operation refuses."""
    account = asked.account
    if entry.people_only and account is not None and account.credential_id:
        raise PeopleOnly
    given: dict[str, Any] = {name: asked.ids[name] for name in entry.ids if name != "workspace_id"}
    if entry.body is not None:
        given["body"] = read_body(entry, asked)
    if entry.query is not None:
        given["query"] = read_query(entry, asked.query)
    elif asked.query:
        raise QueryInvalid(Invalid("$", "This address takes no parameters"))
    if entry.limit is not None:
        check(database, platform, entry.limit, asked.ip if account is None else account.user_id)
    if entry.before is not None:
        entry.before(Arrival(database, platform, asked.ip), given["body"])
    claim = claim_of(entry, asked, given.get("body"))
    opened = database.snapshot if entry.method == "GET" else database.transaction
    with opened() as session:
        known = repeats.claim(session, platform, claim) if claim else None
        if known is not None:
            return Response(
                known.body,
                status_code=known.status,
                media_type=known.content_type,
                headers={"Idempotent-Replayed": "true"},
            )
        call = Call(
            session,
            database,
            platform,
            account,
            ip=asked.ip,
            user_agent=asked.user_agent,
            if_match=asked.if_match,
            cookie=asked.cookie,
        )
        made = render(entry, call, asked, entry.run(call, **given))
        if claim:
            repeats.keep(session, platform, claim, repeats.Answer(made.status_code or 200, JSON, made.content))
    return made


def render(entry: Operation, call: Call, asked: Asked, result: Any) -> Response[Any]:
    headers = {}
    if call.reply.etag:
        headers["ETag"] = call.reply.etag
        if entry.method == "GET" and call.reply.etag in asked.if_none_match:
            return Response(b"", status_code=304, headers=headers)
    if isinstance(result, Page) and result.next_cursor:
        headers["Link"] = f'<{asked.path}?{next_query(asked.query, result.next_cursor)}>; rel="next"'
    if isinstance(result, Document):
        if result.filename:
            headers["Content-Disposition"] = f'attachment; filename="{result.filename}"'
        given: dict[str, Any] = {"status_code": entry.status, "media_type": result.media_type, "headers": headers}
        return (
            Response(result.content, **given) if isinstance(result.content, bytes) else Stream(result.content, **given)
        )
    body = b"" if entry.answer is None else msgspec.json.encode(result)
    return Response(
        body,
        status_code=call.reply.status or entry.status,
        media_type=JSON,
        headers=headers,
        cookies=call.reply.cookies,
    )


def next_query(query: str, cursor: str) -> str:
    kept = [part for part in query.split("&") if part and not part.startswith("cursor=")]
    return "&".join([*kept, "cursor=" + cursor])


def claim_of(entry: Operation, asked: Asked, body: Any) -> repeats.Claim | None:
    """The same request is: the same method, path and meaning of the body, however it is written."""
    if not entry.once or not asked.key or asked.account is None:
        return None
    if not KEY.fullmatch(asked.key):
        raise QueryInvalid(Invalid("Idempotency-Key", "1 to 255 visible ASCII characters"))
    raw = msgspec.json.encode(body) if body is not None else b""
    return repeats.Claim(asked.account.actor, asked.key, repeats.fingerprint(asked.method, asked.path, raw))


def read_body(entry: Operation, asked: Asked) -> Any:
    """Raises BodyType, BodySyntax, BodyInvalid, NulCharacter. An absent body is `{}`."""
    kind = asked.content_type.partition(";")[0].strip().lower()
    if asked.raw and kind != JSON:
        raise BodyType
    try:
        found = msgspec.json.decode(asked.raw or b"{}", type=entry.body)
        refuse_nul_in(asked.raw)
        return found
    except msgspec.ValidationError as error:
        raise BodyInvalid(invalid_of(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodySyntax(f"The body is not JSON: {error}.") from None


def read_query(entry: Operation, query: str) -> Any:
    """Raises QueryInvalid."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if len({name for name, _ in pairs}) != len(pairs):
        raise QueryInvalid(Invalid("$", "A parameter stands there twice"))
    try:
        return msgspec.convert(dict(pairs), entry.query, strict=False)
    except msgspec.ValidationError as error:
        raise QueryInvalid(invalid_of(error)) from None


def invalid_of(error: msgspec.ValidationError) -> Invalid:
    """msgspec's message ends with where. What was sent is not said again: somebody may have mistaken a token for a value."""
    message, _, place = str(error).partition(" - at `")
    if message.startswith("Invalid enum value"):
        message = "None of the values that are allowed here"
    return Invalid(place.rstrip("`") or "$", mask_text(message)[:LONGEST_MESSAGE])
