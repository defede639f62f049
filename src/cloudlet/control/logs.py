"""The control plane's log: one line an event, key=value or JSON, with every token masked."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, cast

import structlog
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from cloudlet.control.metrics import LICENSE_ROUTES, Metrics
from cloudlet.control.platform import Platform
from cloudlet.control.security import request_id_of
from cloudlet.license.token import TokenMaskingFilter, mask_text
from cloudlet.settings import PlatformSettings

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
VERDICT = "cloudlet_verdict"  # in a request's scope: the code with which the license API said no
QUIET_PATHS = ("/healthz", "/readyz", "/metrics", "/static/", "/getting-started/status")


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor; the last one before rendering, so that tracebacks are text already."""
    return {name: mask_text(value) if isinstance(value, str) else value for name, value in event.items()}


def configure_logs(settings: PlatformSettings) -> None:
    """Structured lines on stderr; the standard library's loggers (uvicorn, SQLAlchemy) go the same way, masked."""
    level = logging.getLevelName(
        {"warn": "WARNING", "trace": "DEBUG"}.get(settings.log_level, settings.log_level).upper()
    )
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level if isinstance(level, int) else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(TokenMaskingFilter())
    handler.setFormatter(logging.Formatter("level=%(levelname)s logger=%(name)s event=%(message)r"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


class RequestLog(ASGIMiddleware):
    """A line for each request that found a route. It has the route's template, never the path: links hold secrets."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope["type"] != ScopeType.HTTP:
            await next_app(scope, receive, send)
            return
        platform: Platform = scope["litestar_app"].state.platform
        started = platform.effects.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await next_app(scope, receive, watched)
        finally:
            route = scope.get("path_template") or "?"
            seconds = platform.effects.monotonic() - started
            metrics: Metrics = scope["litestar_app"].state.metrics
            metrics.observe(scope["method"] if scope["method"] in METHODS else "?", route, status or 500, seconds)
            if route in LICENSE_ROUTES:
                metrics.activated(str(cast(dict[str, Any], scope).get(VERDICT, "ok" if status == 200 else "failed")))
            if not route.startswith(QUIET_PATHS):
                structlog.get_logger().info(
                    "request",
                    method=scope["method"],
                    route=route,
                    status=status or 500,
                    ms=round(seconds * 1000, 1),
                    request_id=request_id_of(scope, platform),
                )
