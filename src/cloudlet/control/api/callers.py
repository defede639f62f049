"""Who calls the API: an API token in `Authorization: Bearer`, or a session's cookie with its X-CSRF-Token."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import State

from cloudlet.control.api.errors import CsrfMissing, TokenInvalid
from cloudlet.control.api.tokens import remember_use, viewer_of_token
from cloudlet.control.db import Database
from cloudlet.control.errors import NotFound
from cloudlet.control.limits.memory import charge
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import SESSION_COOKIE, Account, Viewer, load_account
from cloudlet.control.workspaces.service import opened_memberships

CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Connection = ASGIConnection[Any, Any, Any, State]


def load_caller(connection: Connection) -> Account | None:
    """Their membership is that of the workspace in the path, whichever the pages show.

    Raises TokenInvalid, CsrfMissing, RateLimited, and NotFound for a workspace that is not theirs.
    """
    database, platform = connection.app.state.database, connection.app.state.platform
    ip = connection.client.host if connection.client else ""
    header = connection.headers.get("authorization", "")
    workspace_id = connection.path_params.get("workspace_id", "")
    if header:
        account: Account | None = caller_of_token(database, platform, header, ip)
    else:
        account = caller_of_cookie(connection, database, platform, workspace_id)
    if account is None:
        charge(connection.scope, platform, "api_stranger", ip)
        if header:
            raise TokenInvalid
        return None
    charge(connection.scope, platform, "api", account.credential_id or account.user_id)
    if workspace_id and getattr(account, "workspace_id", "") != workspace_id:
        raise NotFound("You belong to no such workspace.")
    return account


def caller_of_token(database: Database, platform: Platform, header: str, ip: str) -> Account | None:
    scheme, _, token = header.partition(" ")
    with database.snapshot() as session:
        found = viewer_of_token(session, platform, token.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        return None
    viewer, was_seen_lately = found
    if not was_seen_lately:
        with database.transaction() as session:
            remember_use(session, platform, viewer.credential_id, ip)
    return viewer


def caller_of_cookie(
    connection: Connection, database: Database, platform: Platform, workspace_id: str
) -> Account | None:
    cookie = connection.cookies.get(SESSION_COOKIE, "")
    account = load_account(database, platform, cookie) if cookie else None
    if account is None:
        return None
    given = connection.headers.get(CSRF_HEADER, "")
    is_safe = connection.scope["method"] in SAFE_METHODS  # type: ignore[typeddict-item]
    if not is_safe and not hmac.compare_digest(given.encode(), csrf_token(platform, cookie).encode()):
        raise CsrfMissing
    if not workspace_id or not isinstance(account, Viewer) or account.workspace_id == workspace_id:
        return account
    with database.snapshot() as session:
        for membership, workspace in opened_memberships(session, account.user_id, account.only_workspace_id):
            if workspace.id == workspace_id:
                return msgspec.structs.replace(
                    account,
                    workspace_id=workspace.id,
                    workspace_name=workspace.name,
                    membership_id=membership.id,
                    role=membership.role,
                    permissions=membership.permissions,
                )
    return account


def csrf_token(platform: Platform, cookie: str) -> str:
    """What another site cannot know, since it can neither read the cookie nor an answer of ours."""
    return platform.vault.lookup_hash("csrf", cookie)
