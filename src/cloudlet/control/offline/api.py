"""`/v1/license/file-check`: is a license file still good, for who has a network after all."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from litestar import post

from cloudlet.control.activations.api import count
from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.db import Database
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.offline.service import check_file
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.security import NO_CSRF
from cloudlet.license.envelope import MAX_BYTES


@post("/v1/license/file-check", opt=requires(PUBLIC) | NO_CSRF, status_code=200)
async def check_license_file(request: WebRequest, database: TheDatabase, platform: ThePlatform) -> dict[str, Any]:
    """The body is the file as it is. Raises LicenseVerdict: revoked, unassigned, over, or none of ours."""
    count(request, platform, "license_address", client_ip(request))
    raw = await request.body()
    if len(raw) > MAX_BYTES * 2:
        raise LicenseVerdict("licensing.request.format", problem="the body is larger than 32 KiB")
    return await run_sync(check, database, platform, raw)


def check(database: Database, platform: Platform, raw: bytes) -> dict[str, Any]:
    with database.snapshot() as session:
        row = check_file(session, platform, raw)
        return {
            "ok": True,
            "license_id": row.license_id,
            "file": row.jti,
            "expires_at": row.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "time": platform.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


ROUTES = (check_license_file,)
