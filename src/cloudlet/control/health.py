"""Is the process alive, is it ready; and the page that explains every error code."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.response import Template

from cloudlet.control.given import TheDatabase, ThePlatform
from cloudlet.control.pages import page
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.threads import in_thread
from cloudlet.license.explain import explanations


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


@get("/docs/errors", opt=requires(PUBLIC), sync_to_thread=False)
def show_errors(platform: ThePlatform) -> Template:
    """One anchor a reason code."""
    return page("errors.html", explanations=explanations(platform.settings.base_url))


ROUTES = (
    get_health,
    get_readiness,
    show_errors,
)
