"""Cross-origin requests: which web pages may call the emulator, and the headers that tell the browser so.

A page from an origin that is not allowed gets 403 before anything happens (a web site must not reach into a developer's
machine), unless `DISABLE_CORS_CHECKS=1`. S3 answers preflights by the bucket's own configuration; these rules are its
fallback for the development origins.
"""

from __future__ import annotations

import re

from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.settings import Settings

ALLOWED_METHODS = "HEAD,GET,PUT,POST,DELETE,OPTIONS,PATCH"

ALLOWED_HEADERS = (
    "authorization",
    "cache-control",
    "content-length",
    "content-md5",
    "content-type",
    "etag",
    "location",
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-request-id",
    "x-amz-security-token",
    "x-amz-tagging",
    "x-amz-target",
    "x-amz-user-agent",
    "x-amz-version-id",
    "x-amzn-requestid",
    "x-localstack-target",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
)

EXPOSED_HEADERS = (
    "etag",
    "x-amz-version-id",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-errortype",
    "x-amz-crc32",
)

# Development servers and desktop shells: any port of this machine, the emulator's own names, the web application.
ALLOWED_ORIGIN = re.compile(
    r"https?://(localhost|127\.0\.0\.1|\[::1\]|host\.docker\.internal"
    r"|([a-z0-9-]+\.)*localhost\.localstack\.cloud|app\.localstack\.cloud|([a-z0-9.-]+\.)?localhost)(:\d+)?"
    r"|(vscode-webview|tauri|app|file)://.*"
)


class Cors:
    """The decision and the headers, for one set of settings."""

    def __init__(self, settings: Settings) -> None:
        self.checked = not settings.disable_cors_checks
        self.sends_headers = not settings.disable_cors_headers
        self._extra_origins = frozenset(origin.lower() for origin in settings.extra_cors_allowed_origins)
        self._extra_patterns = tuple(
            re.compile(re.escape(origin.lower()).replace(r"\*", r"[^/]*"))
            for origin in settings.extra_cors_allowed_origins
            if "*" in origin
        )
        self._allowed_headers = ",".join(ALLOWED_HEADERS + settings.extra_cors_allowed_headers)
        self._exposed_headers = ",".join(EXPOSED_HEADERS + settings.extra_cors_expose_headers)
        self._web_app = settings.web_app_url.rstrip("/").lower()

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may call."""
        origin = origin.lower()
        return bool(
            not self.checked
            or origin == self._web_app
            or origin in self._extra_origins
            or ALLOWED_ORIGIN.fullmatch(origin)
            or any(pattern.fullmatch(origin) for pattern in self._extra_patterns)
        )

    def refusal(self) -> HttpResponse:
        return HttpResponse(
            403,
            {"Content-Type": "text/plain"},
            b"This web page's origin may not call the emulator. Add it to EXTRA_CORS_ALLOWED_ORIGINS, "
            b"or set DISABLE_CORS_CHECKS=1.\n",
        )

    def preflight(self, request: HttpRequest) -> HttpResponse:
        """The answer to `OPTIONS` from an allowed origin."""
        response = HttpResponse(204)
        self.add_headers(request, response)
        return response

    def add_headers(self, request: HttpRequest, response: HttpResponse) -> None:
        """Add what the browser needs, unless the service has said it already."""
        headers = response.headers
        origin = request.headers.get("origin", "")
        if not self.sends_headers or not origin or "Access-Control-Allow-Origin" in headers:
            return
        headers["Access-Control-Allow-Origin"] = origin
        headers["Vary"] = "Origin"
        headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        requested = request.headers.get("access-control-request-headers")
        headers["Access-Control-Allow-Headers"] = (
            f"{self._allowed_headers},{requested}" if requested else self._allowed_headers
        )
        headers["Access-Control-Expose-Headers"] = self._exposed_headers
        if request.headers.get("access-control-request-private-network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
