"""Every error becomes an answer here: JSON for programs, a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlencode

import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Template
from sqlalchemy.exc import DataError

from cloudlet.control.accounts.errors import SignInRefused, WrongCode
from cloudlet.control.accounts.refused import noting
from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.api.errors import BodyInvalid, Invalid, QueryInvalid
from cloudlet.control.errors import NotSignedIn, NotVerified, NoWorkspace, Refusal
from cloudlet.control.given import WebRequest, client_ip
from cloudlet.control.inputs import DoesNotFit
from cloudlet.control.limits.errors import RateLimited
from cloudlet.control.logs import VERDICT
from cloudlet.control.pages import go, page
from cloudlet.control.platform import Platform
from cloudlet.control.security import request_id_of
from cloudlet.control.viewer import Viewer

API_PREFIXES = ("/v1/", "/api/", "/.well-known/")
SENTENCES: Mapping[int, str] = MappingProxyType(
    {
        400: "The request could not be understood.",
        403: "The form was too old. Go back, reload the page and try again.",
        404: "There is nothing here.",
        405: "This address does not answer to that method.",
        413: "That was too large.",
    }
)


def platform_of(request: WebRequest) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


def is_for_program(request: WebRequest) -> bool:
    return request.scope["path"].startswith(API_PREFIXES)


def render_verdict(request: WebRequest, error: LicenseVerdict) -> Response[Any]:
    platform = platform_of(request)
    cast(dict[str, Any], request.scope)[VERDICT] = error.verdict.code
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    body = error.body(request_id_of(request.scope, platform), platform.settings.base_url)
    return Response(body, status_code=error.status, headers=headers)


def render_refusal(request: WebRequest, error: Refusal) -> Response[Any] | Template | Redirect:
    if is_for_program(request):
        refused = refusal_as_json(request, error)
        if isinstance(error, SignInRefused | WrongCode):
            state, ip = request.app.state, client_ip(request)
            refused.background = noting(state.database, state.platform, error.user_id, ip, error.reason)
        return refused
    if isinstance(error, NotVerified):
        return go("/verify")
    if isinstance(error, NoWorkspace):
        return go("/workspaces/new")
    if isinstance(error, NotSignedIn):
        target = request.scope["path"] if request.method == "GET" else "/"
        return Redirect("/sign-in" + ("?" + urlencode({"next": target}) if target != "/" else ""), status_code=303)
    answer = as_page(request, error.status, error.title, error.detail, error.hint)
    if isinstance(error, RateLimited):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def render_http(request: WebRequest, error: HTTPException) -> Response[Any] | Template:
    """Litestar's own: no such route, forged form, unreadable body."""
    sentence = SENTENCES.get(error.status_code, "That did not work.")
    if is_for_program(request):
        return as_json(request, error.status_code, f"http.{error.status_code}", sentence, "")
    return as_page(request, error.status_code, sentence.rstrip("."), sentence, "")


def render_unfit(request: WebRequest, error: DataError) -> Response[Any] | Template | Redirect:
    """The database refused a value: its sender's mistake, and ours that nothing said so before. Values are not logged."""
    structlog.get_logger().warning(
        "value refused by the database",
        route=request.scope.get("path_template", "?"),
        request_id=request_id_of(request.scope, platform_of(request)),
        kind=type(error.orig).__name__,
    )
    if request.scope["path"].startswith("/v1/license/"):
        return render_verdict(request, LicenseVerdict("licensing.request.format", problem="a value is too long"))
    return render_refusal(request, DoesNotFit())


def render_crash(request: WebRequest, error: Exception) -> Response[Any] | Template:
    """An unexpected exception: logged with its traceback and the request's id, which is all that the answer tells."""
    structlog.get_logger().error(
        "crash",
        route=request.scope.get("path_template", "?"),
        request_id=request_id_of(request.scope, platform_of(request)),
        exc_info=error,
    )
    if request.scope["path"].startswith("/v1/license/"):
        return render_verdict(request, LicenseVerdict("licensing.unavailable", s="503"))
    if is_for_program(request):
        return as_json(request, 500, "internal", "Something failed on our side.", "Try again.")
    return as_page(request, 500, "Something failed on our side", "It has been logged with the request id below.", "")


def refusal_as_json(request: WebRequest, error: Refusal) -> Response[Any]:
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    invalid = error.invalid if isinstance(error, BodyInvalid | QueryInvalid) else ()
    return as_json(
        request, error.status, error.code, error.detail, error.hint, title=error.title, invalid=invalid, headers=headers
    )


def as_json(
    request: WebRequest,
    status: int,
    code: str,
    detail: str,
    hint: str,
    *,
    title: str = "",
    invalid: tuple[Invalid, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    """The error envelope of all our APIs; the native one also speaks RFC 9457 (problem details)."""
    platform = platform_of(request)
    is_native = request.scope["path"].startswith("/api/")
    docs = f"{platform.settings.base_url}/docs/errors#{code}"
    body: dict[str, Any] = {
        "error": True,
        "message": code,
        "code": code,
        "detail": detail,
        "hint": hint,
        "docs": docs,
        "request_id": request_id_of(request.scope, platform),
    }
    if not is_native:
        return Response(body, status_code=status, headers=headers)
    body |= {"type": docs, "title": title or HTTPStatus(status).phrase, "status": status}
    if invalid:
        body["errors"] = [{"path": entry.path, "message": entry.message} for entry in invalid]
    return Response(body, status_code=status, headers=headers, media_type="application/problem+json")


def as_page(request: WebRequest, status: int, title: str, detail: str, hint: str) -> Template:
    request_id = request_id_of(request.scope, platform_of(request))
    return page(
        "error.html",
        cast(Viewer | None, request.scope.get("viewer")),
        status=status,
        title=title,
        detail=detail,
        hint=hint,
        request_id=request_id,
    )
