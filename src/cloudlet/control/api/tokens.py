"""API tokens: made, listed, revoked, and for whom they act.

A token acts for the member who made it, in that workspace alone, and may do what is in its scopes and still allowed to
that member: who loses a permission takes it away from their tokens, who leaves takes their tokens with them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.api.errors import TokenScope
from cloudlet.control.audit.service import record
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import InvalidForm, NotFound
from cloudlet.control.fields import one_line
from cloudlet.control.members.service import lock_for
from cloudlet.control.permissions import PERMISSIONS, effective, is_allowed
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license.admin_token import SHOWN_LENGTH, generate, is_wellformed

LIFETIMES_DAYS = (7, 30, 90, 365)
MOST_TOKENS = 50  # of a member
MOST_SHOWN = 500
SEEN_AGAIN = timedelta(minutes=1)


class NewApiToken(msgspec.Struct, frozen=True):
    """The row's id and, this once, the token."""

    token_id: str
    token: str


class ApiTokenView(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` is `lsadm_AbCdEf12-****`, `owner` the address of the member for whom it acts."""

    id: str
    name: str
    shown: str
    owner: str
    is_own: bool
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_used_ip: str


def create_api_token(
    session: Session, platform: Platform, viewer: Viewer, *, name: str, scopes: frozenset[str], days: int
) -> NewApiToken:
    """Raises InvalidForm, and TokenScope for a permission that the viewer does not have."""
    member = lock_for(session, viewer, None)
    name = one_line(name)
    if not 1 <= len(name) <= 120:
        raise InvalidForm("Give the token a name of 1 to 120 characters.")
    if days not in LIFETIMES_DAYS:
        raise InvalidForm("A token lives for " + ", ".join(map(str, LIFETIMES_DAYS)) + " days.")
    if not scopes <= PERMISSIONS:
        raise InvalidForm("One of the permissions does not exist.")
    if not scopes <= effective(member):
        raise TokenScope
    if count_living(session, platform, member.id) >= MOST_TOKENS:
        raise InvalidForm(f"You have {MOST_TOKENS} API tokens already. Revoke one first.")
    token = generate(platform.effects.random_bytes)
    row_id = platform.new_id("at")  # short: `credential:<id>` is at most 40 characters, as long as any actor
    session.add(
        Credential(
            id=row_id,
            kind="admin_api",
            workspace_id=viewer.workspace_id,
            membership_id=member.id,
            name=name,
            prefix8=token[:SHOWN_LENGTH],
            last4=token[-4:],
            lookup_hash=platform.vault.lookup_hash("credential", token),
            secret_enc=None,
            scopes=sorted(scopes),
            created_at=platform.now(),
            created_by=viewer.actor,
            expires_at=platform.later(days=days),
            family_id=row_id,
        )
    )
    session.flush()
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="credential.created",
        target=row_id,
        data={"kind": "admin_api", "scopes": sorted(scopes), "days": days},
    )
    return NewApiToken(row_id, token)


def revoke_api_token(session: Session, platform: Platform, viewer: Viewer, token_id: str) -> None:
    """One's own; an admin's word ends everybody's. A token ends itself and no other. Raises NotFound."""
    member = lock_for(session, viewer, None)
    condition = Credential.membership_id == member.id
    if viewer.credential_id:
        condition &= Credential.id == viewer.credential_id
    elif member.role == "admin":
        condition = Credential.workspace_id == viewer.workspace_id
    revoked = session.scalar(
        update(Credential)
        .where(Credential.id == token_id, Credential.kind == "admin_api", Credential.revoked_at.is_(None), condition)
        .values(revoked_at=platform.now(), revoke_reason="revoked")
        .returning(Credential.id)
        .execution_options(synchronize_session=False)
    )
    if revoked is None:
        raise NotFound("There is no such API token.")
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="credential.revoked",
        target=token_id,
        data={"kind": "admin_api"},
    )


def count_living(session: Session, platform: Platform, membership_id: str) -> int:
    own = (Credential.membership_id == membership_id) & (Credential.kind == "admin_api")
    living = Credential.revoked_at.is_(None) & (Credential.expires_at > platform.now())
    return session.scalar(select(func.count(Credential.id)).where(own, living)) or 0


def living_tokens(session: Session, platform: Platform, viewer: Viewer) -> tuple[ApiTokenView, ...]:
    """The viewer's own tokens; for an admin, not for their tokens, all of the workspace's. Newest first."""
    query = (
        select(Credential, User.email)
        .join(Membership, Membership.id == Credential.membership_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Credential.workspace_id == viewer.workspace_id,
            Credential.kind == "admin_api",
            Credential.revoked_at.is_(None),
            Credential.expires_at > platform.now(),
        )
        .order_by(Credential.id.desc())
        .limit(MOST_SHOWN)
    )
    if viewer.role != "admin" or viewer.credential_id:
        query = query.where(Credential.membership_id == viewer.membership_id)
    return tuple(token_view(found, email, viewer) for found, email in session.execute(query).all())


def token_view(found: Credential, email: str, viewer: Viewer) -> ApiTokenView:
    assert found.expires_at is not None
    return ApiTokenView(
        id=found.id,
        name=found.name,
        shown=found.prefix8 + "-****",
        owner=email,
        is_own=found.membership_id == viewer.membership_id,
        scopes=tuple(found.scopes),
        created_at=found.created_at,
        expires_at=found.expires_at,
        last_used_at=found.last_used_at,
        last_used_ip=found.last_used_ip or "",
    )


def viewer_of_token(session: Session, platform: Platform, token: str) -> tuple[Viewer, bool] | None:
    """For whom a token acts, and whether its use was noted lately. None when it is unknown, revoked or over."""
    if not is_wellformed(token):
        return None
    row = session.execute(
        select(Credential, Membership, User, Workspace)
        .join(Membership, Membership.id == Credential.membership_id)
        .join(User, User.id == Membership.user_id)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(
            Credential.lookup_hash == platform.vault.lookup_hash("credential", token),
            Credential.kind == "admin_api",
            Credential.revoked_at.is_(None),
            Credential.expires_at > platform.now(),
            Membership.status == "active",
            User.disabled_at.is_(None),
            Workspace.deleted_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    credential, member, user, workspace = row
    viewer = Viewer(
        session_id="",
        user_id=user.id,
        email=user.email,
        name=user.name,
        is_verified=user.email_verified_at is not None,
        has_password=user.password_hash is not None,
        has_sudo=False,
        credential_id=credential.id,
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        membership_id=member.id,
        role=member.role,
        permissions={key: key in credential.scopes and is_allowed(member, key) for key in PERMISSIONS},
    )
    used = credential.last_used_at
    return viewer, used is not None and platform.now() - used < SEEN_AGAIN


def remember_use(session: Session, platform: Platform, token_id: str, ip: str) -> None:
    session.execute(
        update(Credential)
        .where(Credential.id == token_id)
        .values(last_used_at=platform.now(), last_used_ip=ip[:45])
        .execution_options(synchronize_session=False)
    )
