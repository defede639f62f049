"""Programs that call the native API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

from cloudlet.control.accounts.service import find_user
from cloudlet.control.api.tokens import create_api_token
from cloudlet.control.bootstrap import BootstrapResult
from cloudlet.control.permissions import PERMISSIONS, effective
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import memberships_of
from tests.control.people import sign_in
from tests.control.serving import RunningPlatform


def viewer_of(platform: RunningPlatform, email: str) -> Viewer:
    """As the guard would make them, of a user's first workspace."""
    with platform.database.snapshot() as session:
        user = find_user(session, email)
        assert user is not None
        membership, workspace = memberships_of(session, user.id)[0]
        return Viewer(
            session_id="",
            user_id=user.id,
            email=user.email,
            name=user.name,
            is_verified=True,
            has_password=False,
            has_sudo=False,
            workspace_id=workspace.id,
            workspace_name=workspace.name,
            membership_id=membership.id,
            role=membership.role,
            permissions=membership.permissions,
        )


def token_client(
    platform: RunningPlatform, viewer: Viewer, scopes: Iterable[str] | None = None, **headers: str
) -> httpx.Client:
    """A program with an API token of this member; with all of the member's permissions where `scopes` names none."""
    wanted = effective(viewer) if scopes is None else frozenset(scopes)
    assert wanted <= PERMISSIONS
    with platform.database.transaction() as session:
        made = create_api_token(session, platform.platform, viewer, name="tests", scopes=wanted, days=7)
    return httpx.Client(base_url=f"{platform.url}/api/v1", headers={"authorization": f"Bearer {made.token}", **headers})


def session_client(platform: RunningPlatform, found: BootstrapResult) -> httpx.Client:
    """A program with a person's session, as a page's script would have it."""
    with platform.client() as browser:
        sign_in(browser, found)
        token = browser.get("/api/v1/session").json()["csrf_token"]
        cookies = dict(browser.cookies)
    return httpx.Client(base_url=f"{platform.url}/api/v1", cookies=cookies, headers={"x-csrf-token": token})


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose form is checked on the way."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["error"] is True
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["message"] == body["code"]
    assert body["title"]
    assert body["detail"]
    assert body["type"] == body["docs"]
    return answer.status_code, body["code"]
