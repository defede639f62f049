from __future__ import annotations

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from cloudlet.control.app import create_app
from cloudlet.control.permissions import CALLER, LEVELS, PERMISSIONS, PUBLIC, ROLES, is_allowed, requires
from cloudlet.control.viewer import Viewer
from cloudlet.settings import read_platform_settings

PUBLIC_PATHS = {
    *("/openapi.json", "/docs/api", "/api/v1/session", "/metrics"),
    *("/dev/mail", "/dev/mail/{mail_id}", "/sign-up", "/verify/{secret}", "/reset", "/reset/{secret}"),
    *("/sign-in/code", "/account/email/{secret}", "/invite/{secret}"),
    *("/", "/sign-in", "/sign-in/link/{secret}", "/docs/errors", "/healthz", "/readyz", "/static/{file_path}"),
    *("/v1/license/request", "/v1/license/activate", "/v1/license/ping", "/.well-known/license-keys.json"),
    *("/v1/license/file-check", "/.well-known/token-patterns.json"),
    *("/v1/auth/request", "/v1/auth/request/{request_id}", "/v1/auth/request/{request_id}/exchange", "/v1/auth/token"),
    *("/v1/auth/revoke", "/v1/license/credentials", "/v1/license/check", "/v1/license/grace-period-check"),
    *("/v1/user/signin", "/v1/events", "/v1/cloudpods", "/v1/cloudpods/{name}"),
    *("/v1/compute/instances", "/v1/compute/instances/{name}", "/v1/compute/instances/{name}/logs"),
    *("/sign-in/sso", "/auth/sso/{slug}", "/auth/sso/{slug}/start", "/auth/sso/{slug}/callback"),
}
WITHOUT_CSRF = {
    "/v1/license/file-check",
    *("/v1/license/request", "/v1/license/activate", "/v1/license/check", "/v1/license/grace-period-check"),
    *("/v1/auth/request", "/v1/auth/request/{request_id}/exchange", "/v1/auth/revoke"),
    *("/v1/user/signin", "/v1/events", "/v1/cloudpods", "/v1/cloudpods/{name}"),
    *("/v1/compute/instances", "/v1/compute/instances/{name}"),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    folder: Path = tmp_path_factory.mktemp("app")
    return create_app(read_platform_settings({"PLATFORM_STATE_DIR": str(folder)}))


def handlers(app: Litestar) -> list[tuple[str, HTTPRouteHandler]]:
    return [
        (route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.http_methods != {"OPTIONS"}
    ]


def test_every_route_declares_who_may_use_it_and_only_known_ones_are_public(app: Litestar) -> None:
    public = set()
    for path, handler in handlers(app):
        assert handler.opt.get("requires") in PERMISSIONS | LEVELS, path
        if handler.opt["requires"] == PUBLIC:
            public.add(path)
    assert {path.replace(":str", "").replace(":path", "") for path in public} == PUBLIC_PATHS


def test_only_routes_without_cookies_are_free_of_form_tokens(app: Litestar) -> None:
    free = {
        path
        for path, handler in handlers(app)
        if handler.opt.get("exclude_from_csrf") and handler.http_methods & {"POST", "PUT", "PATCH", "DELETE"}
        if CALLER not in handler.opt  # the native API has its own protection: test_api_callers
    }
    assert free == WITHOUT_CSRF


def viewer(role: str, permissions: dict[str, bool] | None = None) -> Viewer:
    return Viewer(
        session_id="s",
        user_id="u",
        email="e",
        name="",
        is_verified=True,
        has_password=True,
        has_sudo=False,
        workspace_id="w",
        workspace_name="W",
        membership_id="m",
        role=role,
        permissions=permissions,
    )


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_admins_may_everything_and_members_what_their_switches_say(permission: str) -> None:
    assert is_allowed(viewer("admin"), permission)
    assert is_allowed(viewer("member"), permission) is (permission in ROLES["member"])
    assert is_allowed(viewer("member", {permission: True}), permission)
    assert not is_allowed(viewer("admin", {permission: False}), permission)


def test_a_permission_that_does_not_exist_cannot_be_required() -> None:
    with pytest.raises(ValueError, match="no permission"):
        requires("licence.assign")
