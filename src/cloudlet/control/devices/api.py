"""`/v1/auth/…` and `/v1/license/credentials`: how command lines get a token of their own, and ask about the one they have."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from litestar import get, post
from litestar.params import FromPath, FromQuery

from cloudlet.control.devices import service, tokens
from cloudlet.control.devices.errors import BearerInvalid, TokenInvalid
from cloudlet.control.devices.forms import ExchangeForm, read, read_sign_in
from cloudlet.control.devices.views import token_facts
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.limits.service import Limit, check
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.security import NO_CSRF
from cloudlet.control.threads import in_thread

OPEN = requires(PUBLIC) | NO_CSRF  # what proves who asks is in the body or in a header, never a cookie
OPENED = Limit("device", rate_per_second=10 / 3600, burst=10)
ASKED = Limit("token-facts", rate_per_second=1, burst=60)


@post("/v1/auth/request", opt=OPEN, status_code=201)
async def open_request(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """A program asks to sign in: `{id, code, exchange_token, expires_in}`. Ten an hour for one address."""
    sent = read_sign_in(await request.body())
    ip = client_ip(request)

    def run() -> service.OpenedRequest:
        check(database, platform, OPENED, ip)
        with database.transaction() as session:
            return service.open_request(session, platform, sent, ip=ip)

    opened = await run_sync(run)
    return {
        "id": opened.id,
        "code": opened.code,
        "exchange_token": opened.exchange_token,
        "expires_in": opened.expires_in,
        "url": f"{platform.settings.base_url}/auth/request/{opened.id}?code={opened.code}",
    }


@get("/v1/auth/request/{request_id:str}", opt=OPEN)
@in_thread
def get_request(
    request: WebRequest,
    request_id: FromPath[str],
    database: TheDatabase,
    platform: ThePlatform,
    exchange_token: FromQuery[str] = "",
) -> dict[str, bool]:
    """Was it confirmed? LocalStack's client sends its secret in the query, ours in a header."""
    secret = request.headers.get("x-exchange-token", "") or exchange_token
    with database.snapshot() as session:
        row = service.find_request(session, platform, request_id, secret)
    return {"confirmed": row.confirmed_at is not None, "denied": row.denied_at is not None}


@post("/v1/auth/request/{request_id:str}/exchange", opt=OPEN, status_code=200)
async def exchange(
    request: WebRequest, request_id: FromPath[str], database: TheDatabase, platform: ThePlatform
) -> dict[str, str]:
    """A bearer for 15 minutes and one use, with its scheme, as LocalStack's client sends it on."""
    form = read(await request.body(), ExchangeForm)
    secret = request.headers.get("x-exchange-token", "") or form.exchange_token

    def run() -> str:
        with database.transaction() as session:
            return service.exchange(session, platform, request_id, secret)

    return {"id": request_id, "auth_token": "Bearer " + await run_sync(run)}


@get("/v1/license/credentials", opt=OPEN)
@in_thread
def collect(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """The token of the program that signed in: `{"token": "ls-…"}`, and where it belongs."""
    bearer = bearer_of(request)
    if not bearer:
        raise BearerInvalid
    with database.transaction() as session:
        got = service.collect(session, platform, bearer)
    answer: dict[str, Any] = {
        "token": got.token,
        "workspace": {"id": got.workspace_id, "name": got.workspace_name},
        "user": {"email": got.email},
    }
    if got.admin_token:
        answer |= {"admin_token": got.admin_token, "scopes": list(got.scopes)}
    return answer


@get("/v1/auth/token", opt=OPEN)
@in_thread
def show_token(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """What a token is and what it opens, told to whoever holds it. Uses no license and no CI credit."""
    check(database, platform, ASKED, client_ip(request))
    with database.snapshot() as session:
        found = tokens.living_credential(session, platform, bearer_of(request))
        return token_facts(session, platform, found)


@post("/v1/auth/revoke", opt=OPEN, status_code=200)
@in_thread
def revoke(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """Sign this device out: its token, and what came with it, is dead at once."""
    token = bearer_of(request)
    if not token:
        raise TokenInvalid
    with database.transaction() as session:
        found = tokens.revoke_own(session, platform, token, ip=client_ip(request))
    return {"revoked": True, "name": found.name}


def bearer_of(request: WebRequest) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


ROUTES: tuple[Any, ...] = (
    open_request,
    get_request,
    exchange,
    collect,
    show_token,
    revoke,
)
