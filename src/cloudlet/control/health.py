"""Is the process alive, is it ready, how is it doing."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST

from cloudlet.control.errors import Forbidden
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.metrics import Metrics
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


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


@get("/metrics", opt=requires(PUBLIC))
@in_thread
def get_metrics(request: WebRequest, platform: ThePlatform) -> Response[bytes]:
    """Prometheus' text. For PLATFORM_METRICS_TOKEN as the bearer; without that setting, for this machine alone."""
    if not may_read_metrics(request, platform):
        raise Forbidden("Metrics are for this machine alone.", hint="Set PLATFORM_METRICS_TOKEN and send it as bearer.")
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request: WebRequest, platform: Platform) -> bool:
    """A proxy on this machine is not this machine's user: what it forwards came from elsewhere."""
    wanted = platform.settings.metrics_token
    if wanted:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode())
    if any(request.headers.get(name) for name in FORWARDED):
        return False
    try:
        return ip_address(client_ip(request)).is_loopback
    except ValueError:
        return False


ROUTES = (
    get_health,
    get_readiness,
    get_metrics,
)
