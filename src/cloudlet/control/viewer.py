"""Who looks at a page: a signed-in user, in one workspace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import Cookie, State

from cloudlet.control.accounts.service import SEEN_AGAIN, SESSION_DAYS, find_session, touch_session
from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import current_membership

SESSION_COOKIE = "cloudlet_session"


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """A plain record that outlives the database session. `has_sudo`: they proved who they are a moment ago."""

    session_id: str
    user_id: str
    email: str
    name: str
    has_password: bool
    has_sudo: bool
    workspace_id: str
    workspace_name: str
    membership_id: str
    role: str
    permissions: dict[str, bool] | None

    @property
    def actor(self) -> str:
        return "user:" + self.user_id


def load_viewer(database: Database, platform: Platform, cookie: str) -> Viewer | None:
    """The viewer of a session cookie; None when it is unknown, over, or its user belongs to no workspace any more."""
    with database.snapshot() as session:
        found = find_session(session, platform, cookie)
        if found is None:
            return None
        web_session, user = found
        place = current_membership(session, user.id, web_session.workspace_id)
        if place is None:
            return None
        membership, workspace = place
        now = platform.now()
        seen_lately = now - web_session.last_seen_at < SEEN_AGAIN
        viewer = Viewer(
            session_id=web_session.id,
            user_id=user.id,
            email=user.email,
            name=user.name,
            has_password=user.password_hash is not None,
            has_sudo=web_session.sudo_until is not None and web_session.sudo_until > now,
            workspace_id=workspace.id,
            workspace_name=workspace.name,
            membership_id=membership.id,
            role=membership.role,
            permissions=membership.permissions,
        )
    if not seen_lately:
        remember_visit(database, platform, viewer.session_id)
    return viewer


def remember_visit(database: Database, platform: Platform, session_id: str) -> None:
    with database.transaction() as session:
        touch_session(session, session_id, platform.now())


def provide_viewer(request: Request[Any, Any, State]) -> Viewer:
    """The `viewer` argument of a handler; the guard put it there."""
    viewer: Viewer = request.scope["viewer"]  # type: ignore[typeddict-item]
    return viewer


def session_cookie(value: str, platform: Platform) -> Cookie:
    """Not readable by scripts, not sent from other sites' forms, over https only where we are served by https."""
    return Cookie(
        key=SESSION_COOKIE,
        value=value,
        path="/",
        httponly=True,
        secure=platform.settings.secure_cookies,
        samesite="lax",
        max_age=int(timedelta(days=SESSION_DAYS).total_seconds()) if value else 0,
    )
