"""Headers of every answer, request ids, protection against forged requests."""

from __future__ import annotations

from typing import Any, cast

from litestar.config.csrf import CSRFConfig
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import Message, Scope

from cloudlet.control.platform import Platform

CSP = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
# For routes that take no cookie: their credentials are in the body.
NO_CSRF = {"exclude_from_csrf": True}  # never written


def csrf_config(platform: Platform) -> CSRFConfig:
    """Forms carry a signed token that must equal a cookie which other sites can neither read nor set."""
    return CSRFConfig(
        secret=platform.vault.csrf_secret,
        cookie_name="cloudlet_csrf",
        cookie_httponly=True,
        cookie_samesite="strict",
        cookie_secure=platform.settings.secure_cookies,
    )


def request_id_of(scope: Scope, platform: Platform) -> str:
    """One id a request; the client's own is not taken over, it could be made to collide."""
    known = cast(dict[str, Any], scope)
    if "cloudlet_request_id" not in known:
        known["cloudlet_request_id"] = platform.new_id("req")
    return str(known["cloudlet_request_id"])


async def add_headers(message: Message, scope: Scope) -> None:
    """`before_send` hook: security headers, request id, and no caching of anything but static files."""
    if message["type"] != "http.response.start" or scope["type"] != ScopeType.HTTP:
        return
    platform: Platform = scope["litestar_app"].state.platform
    headers = MutableScopeHeaders.from_message(message)
    for name, value in HEADERS:
        headers.setdefault(name, value)
    if platform.settings.secure_cookies:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    is_static = scope["path"].startswith("/static/") and message["status"] == 200
    headers.setdefault("Cache-Control", "public, max-age=31536000, immutable" if is_static else "no-store")
    headers["X-Request-Id"] = request_id_of(scope, platform)
