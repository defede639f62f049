"""Is the process alive, is it ready."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from cloudlet.control.given import TheDatabase
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.threads import in_thread


@get("/healthz", opt=requires(PUBLIC), sync_to_thread=False)
def get_health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", opt=requires(PUBLIC))
@in_thread
def get_readiness(database: TheDatabase) -> Response[Any]:
    """The database answers and has current tables; 503 when not."""
    if database.is_ready():
        return Response({"status": "ready"})
    return Response({"status": "database unavailable"}, status_code=503)


ROUTES = (
    get_health,
    get_readiness,
)
