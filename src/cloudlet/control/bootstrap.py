"""The first workspace: what `cloudlet admin bootstrap` and `cloudlet quickstart` do."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.accounts.passwords import hash_password
from cloudlet.control.accounts.service import LINK_MINUTES, create_user, find_user, make_link
from cloudlet.control.credentials.errors import NotRevealable
from cloudlet.control.credentials.service import ensure_auth_token
from cloudlet.control.db import Database
from cloudlet.control.licenses.service import Holding, assign, license_of, seats_of, start_trial
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.workspaces.service import create_workspace, memberships_of
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license.effects import SYSTEM, Effects
from cloudlet.settings import PlatformSettings

DEFAULT_WORKSPACE = "My workspace"
ACTOR = "system"


class BootstrapResult(msgspec.Struct, frozen=True, kw_only=True):
    """What exists now.

    - `created`: True when this call made the workspace, False when it was there already.
    - `token`: the admin's auth token in clear. Store it, never print it (`cloudlet.license.token.mask` for showing).
      "" where there is one already and the workspace shows no token again (its `reveal_policy`).
    - `sign_in_link`: opens the web application signed in; single use, `sign_in_link_minutes` of life; print it, do not
      log it. A fresh one from each call.
    - `license_id`, `plan`, `license_expires_at`: the license assigned to the admin (`trial` at first; RFC 3339, UTC).
    """

    created: bool
    email: str
    workspace: str
    workspace_id: str
    token: str
    web_url: str
    sign_in_link: str
    sign_in_link_minutes: int
    license_id: str
    plan: str
    license_expires_at: str


def bootstrap(
    settings: PlatformSettings,
    *,
    email: str | None = None,
    workspace: str | None = None,
    password: str | None = None,
    effects: Effects = SYSTEM,
) -> BootstrapResult:
    """Make sure that a workspace, its admin, a license assigned to them and their auth token exist.

    Works on the database directly (opens, migrates, closes), with or without a running server beside it. Idempotent:
    a second run with the same e-mail address returns what is there and a fresh sign-in link. `email` defaults to the
    settings' `bootstrap_admin_email`, `workspace` to "My workspace". With `password` the admin can also sign in by
    password; an existing password is not changed.
    Raises `vault.SecretKeyError`, `db.DatabaseUnavailable`.
    """
    platform = Platform(settings, effects)
    database = Database(settings)
    try:
        prepare(database, platform)
        with database.transaction() as session:
            database.lock(session)
            return make_first_workspace(
                session, platform, email or settings.bootstrap_admin_email, workspace or DEFAULT_WORKSPACE, password
            )
    finally:
        database.close()


def make_first_workspace(
    session: Session, platform: Platform, email: str, workspace_name: str, password: str | None
) -> BootstrapResult:
    user = find_user(session, email) or create_user(session, platform, email)
    if password and user.password_hash is None:
        user.password_hash = hash_password(password)
    existing = memberships_of(session, user.id)
    if existing:
        membership = existing[0][0]
    else:
        membership = create_workspace(session, platform, workspace_name, user)
    workspace = session.get_one(Workspace, membership.workspace_id)
    holding = ensure_license(session, platform, membership)
    try:
        token = ensure_auth_token(session, platform, membership, actor=ACTOR).token
    except NotRevealable:
        token = ""
    secret = make_link(session, platform, user, "magic")
    base_url = platform.settings.base_url
    return BootstrapResult(
        created=not existing,
        email=user.email,
        workspace=workspace.name,
        workspace_id=workspace.id,
        token=token,
        web_url=base_url,
        sign_in_link=f"{base_url}/sign-in/link/{secret}",
        sign_in_link_minutes=LINK_MINUTES,
        license_id=holding.license.id,
        plan=holding.plan.code,
        license_expires_at=holding.license.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def ensure_license(session: Session, platform: Platform, membership: Membership) -> Holding:
    """The license that the admin holds, or the trial's. An expired one stays: a second trial is not given away."""
    if license_of(session, membership.id) is None:
        if seats_of(session, membership.workspace_id).total == 0:
            start_trial(session, platform, membership.workspace_id, actor=ACTOR)
        assign(session, platform, membership.workspace_id, membership.id, actor=ACTOR)
    holding = license_of(session, membership.id)
    assert holding is not None
    return holding
