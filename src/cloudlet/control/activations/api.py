"""`/v1/license/…`: what emulators and LocalStack's open command lines call."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from litestar import Response, get, post

from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.forms import read_license_form
from cloudlet.control.activations.service import answer
from cloudlet.control.db import Database
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.licenses.signing import ensure_signing_key
from cloudlet.control.limits.errors import RateLimited
from cloudlet.control.limits.memory import charge
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.security import NO_CSRF, request_id_of
from cloudlet.control.threads import in_thread

OPEN = requires(PUBLIC) | NO_CSRF  # the credentials are in the body


@post("/v1/license/request", opt=OPEN, status_code=200)
async def request_license(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> Response[bytes]:
    """A license for the token in the body."""
    return await license_answer(request, database, platform)


@post("/v1/license/activate", opt=OPEN, status_code=200)
async def activate_license(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> Response[bytes]:
    """The same for a client that holds a stale license and names its id."""
    return await license_answer(request, database, platform)


async def license_answer(request: WebRequest, database: Database, platform: Platform) -> Response[bytes]:
    """Format 1, whatever the request's content type. Raises LicenseVerdict."""
    ip = client_ip(request)
    count(request, platform, "license_address", ip)
    form = read_license_form(await request.body(), request.headers.get("date", ""))
    count(request, platform, "license_token", platform.vault.lookup_hash("rate", form.token))
    request_id = request_id_of(request.scope, platform)
    raw = await run_sync(lambda: answer(database, platform, form, request_id=request_id, ip=ip))
    return Response(raw, media_type="application/json")


def count(request: WebRequest, platform: Platform, limit: str, who: str) -> None:
    """Raises LicenseVerdict (which is none: clients try again after the time that it names)."""
    try:
        charge(request.scope, platform, limit, who)
    except RateLimited as error:
        verdict = LicenseVerdict("licensing.rate_limited", n=str(error.retry_after_seconds))
        verdict.retry_after = error.retry_after_seconds
        raise verdict from None


@get("/v1/license/ping", opt=OPEN)
@in_thread
def ping(database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """For `license doctor`: is this a license server, what time is it there, which key signs."""
    with database.snapshot() as session:
        kid = ensure_signing_key(session, platform)
    return {"ok": True, "time": platform.now().strftime("%Y-%m-%dT%H:%M:%SZ"), "kid": kid}


ROUTES = (
    request_license,
    activate_license,
    ping,
)
