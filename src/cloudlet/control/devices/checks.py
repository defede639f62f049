"""Two questions about licenses that use nothing up: would this token get one, and may a machine go on without.

`/v1/license/check` takes the body of `/v1/license/request`, decides in the same way, and rolls everything back: no
activation, no machine, no CI credit. `cloudlet license doctor` asks it.

`/v1/license/grace-period-check` is LocalStack's: a client that was refused asks whether its machine may work on for a
while. It may where PLATFORM_GRACE_DAYS is set and the machine was activated that few days ago, and is not blocked.
Cloudlet's own emulator never asks: a no is final there, and what runs is never stopped.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from anyio.to_thread import run_sync
from litestar import post
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.activations.api import count
from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.activations.forms import MAX_BODY_BYTES, LicenseForm, read_license_form
from cloudlet.control.activations.records import Progress
from cloudlet.control.activations.service import decide
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.db import Database
from cloudlet.control.errors import Forbidden
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.inputs import refuse_nul_in
from cloudlet.control.limits.service import Limit, check
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.security import NO_CSRF
from cloudlet.license import document as documents

OPEN = requires(PUBLIC) | NO_CSRF  # the credentials are in the body
CHECKED = Limit("license-check", rate_per_second=0.5, burst=30)


class NoGrace(Forbidden):
    code = "licensing.grace.none"
    title = "There is no grace period for this machine"
    hint = "Activate a license."


class GraceMachine(msgspec.Struct, frozen=True):
    id: str = ""


class GraceForm(msgspec.Struct, frozen=True):
    machine: GraceMachine = GraceMachine()


class RolledBack(Exception):
    """Ends the transaction of a question."""


@post("/v1/license/check", opt=OPEN, status_code=200)
async def check_license(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """`{"ok": true, "plan", "license_id", "expires_at", "offline_until"}`, or the verdict. Raises LicenseVerdict."""
    form = read_license_form(await request.body(), request.headers.get("date", ""))
    ip = client_ip(request)

    def run() -> dict[str, Any]:
        check(database, platform, CHECKED, ip)
        return would_grant(database, platform, form, ip)

    return await run_sync(run)


def would_grant(database: Database, platform: Platform, form: LicenseForm, ip: str) -> dict[str, Any]:
    """What a request would get now. Nothing of it stays. Raises LicenseVerdict."""
    granted = None
    try:
        with database.transaction() as session:
            granted = documents.parse(decide(session, platform, form, Progress(), platform.new_id("act"), ip))
            raise RolledBack
    except RolledBack:
        assert granted is not None
    return {
        "ok": True,
        "plan": granted.license_type,
        "license_id": granted.id,
        "expires_at": granted.expiry_date,
        "offline_until": granted.reactivate_after,
    }


@post("/v1/license/grace-period-check", opt=OPEN, status_code=200)
async def check_grace(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """Any 2xx is a yes for LocalStack's client. Raises NoGrace, and LicenseVerdict for who asks too often."""
    count(request, platform, "license_address", client_ip(request))
    raw = await request.body()
    try:
        form = msgspec.json.decode(raw if len(raw) <= MAX_BODY_BYTES else b"", type=GraceForm)
        refuse_nul_in(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise LicenseVerdict("licensing.request.format", problem="not a grace period request") from None

    def run() -> bool:
        with database.snapshot() as session:
            return has_grace(session, platform, form.machine.id)

    if not await run_sync(run):
        raise NoGrace
    return {"grace": True, "days": platform.settings.grace_days}


def has_grace(session: Session, platform: Platform, machine_id: str) -> bool:
    """Was this machine, which no workspace blocks, activated in the last PLATFORM_GRACE_DAYS?"""
    days = platform.settings.grace_days
    if not days or not machine_id:
        return False
    rows = session.execute(select(Machine.id, Machine.blocked_at).where(Machine.machine_id == machine_id[:80])).all()
    if not rows or any(row.blocked_at for row in rows):
        return False
    since = platform.now() - timedelta(days=days)
    lately = session.scalar(
        select(Activation.id)
        .where(
            Activation.machine_row.in_([row.id for row in rows]),
            Activation.result_code == "ok",
            Activation.at >= since,
        )
        .limit(1)
    )
    return lately is not None


ROUTES: tuple[Any, ...] = (
    check_license,
    check_grace,
)
