"""Who looks at a page: a signed-in user, and mostly in one workspace."""

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
from cloudlet.control.workspaces.tables import Membership, Workspace

SESSION_COOKIE = "cloudlet_session"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in user. A plain record that outlives the database session.

    `has_sudo`: they proved who they are a moment ago; `is_verified`: the e-mail address is theirs. `credential_id`: of
    the API token that acts for them, "" in a browser. `only_workspace_id`: they came by its single sign-on, which opens
    no other workspace; "" else.
    """

    session_id: str
    user_id: str
    email: str
    name: str
    is_verified: bool
    has_password: bool
    has_second_factor: bool = False
    has_sudo: bool
    credential_id: str = ""
    only_workspace_id: str = ""

    @property
    def actor(self) -> str:
        return "credential:" + self.credential_id if self.credential_id else "user:" + self.user_id

    @property
    def has_workspace(self) -> bool:
        return isinstance(self, Viewer)


class Viewer(Account, frozen=True, kw_only=True):
    """A signed-in user in one of their workspaces: what pages about a workspace are made for."""

    workspace_id: str
    workspace_name: str
    membership_id: str
    role: str
    permissions: dict[str, bool] | None


def load_account(database: Database, platform: Platform, cookie: str) -> Account | None:
    """Whose session cookie it is, None when it is unknown or over. A Viewer, where the user belongs to a workspace."""
    with database.snapshot() as session:
        found = find_session(session, platform, cookie)
        if found is None:
            return None
        web_session, user = found
        only = web_session.only_workspace_id or ""
        place = current_membership(session, user.id, web_session.workspace_id, only)
        now = platform.now()
        seen_lately = now - web_session.last_seen_at < SEEN_AGAIN
        account = Account(
            session_id=web_session.id,
            user_id=user.id,
            email=user.email,
            name=user.name,
            is_verified=user.email_verified_at is not None,
            has_password=user.password_hash is not None,
            has_second_factor=user.totp_secret_enc is not None,
            has_sudo=web_session.sudo_until is not None and web_session.sudo_until > now,
            only_workspace_id=only,
        )
        if place is not None:
            account = in_workspace(account, *place)
    if not seen_lately:
        remember_visit(database, platform, account.session_id)
    return account


def in_workspace(account: Account, membership: Membership, workspace: Workspace) -> Viewer:
    return Viewer(
        **msgspec.structs.asdict(account),
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        membership_id=membership.id,
        role=membership.role,
        permissions=membership.permissions,
    )


def remember_visit(database: Database, platform: Platform, session_id: str) -> None:
    with database.transaction() as session:
        touch_session(session, session_id, platform.now())


def provide_account(request: Request[Any, Any, State]) -> Account:
    """The `account` argument of a handler, for pages that need no workspace; the guard put it there."""
    account: Account = request.scope["account"]  # type: ignore[typeddict-item]
    return account


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
