"""Legacy API keys: ten characters, of a member, from before there were auth tokens.

A key takes its owner's seat, with or without a license beside it. Migrating assigns the license and ends the key.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.credentials.errors import KeyUnknown, LegacyKeysOff
from cloudlet.control.credentials.service import (
    NewToken,
    create_token,
    ensure_auth_token,
    living_auth_token,
    revoke,
)
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import NotFound
from cloudlet.control.licenses.seats import require_seat
from cloudlet.control.licenses.service import assign, license_of
from cloudlet.control.licenses.tables import License
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import lock_workspace
from cloudlet.control.workspaces.tables import Membership


class LegacyKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` is the key's first two characters; `has_license`: its owner does not need it any more."""

    id: str
    name: str
    shown: str
    member_id: str
    owner: str
    has_license: bool
    created_at: datetime
    last_used_at: datetime | None
    last_used_machine: str


class OwnerView(msgspec.Struct, frozen=True):
    """A member who may get a key."""

    member_id: str
    name: str


def create_legacy_key(
    session: Session, platform: Platform, viewer: Viewer, member_id: str, *, name: str = ""
) -> NewToken:
    """Where PLATFORM_LEGACY_API_KEYS allows it. Raises LegacyKeysOff, NotFound, SeatsExhausted, NoSubscription."""
    if not platform.settings.legacy_api_keys:
        raise LegacyKeysOff
    lock_workspace(session, viewer.workspace_id)
    owner = active_member(session, viewer.workspace_id, member_id)
    require_seat(session, viewer.workspace_id, owner.id)
    return create_token(
        session, platform, viewer.workspace_id, kind="legacy_api", membership=owner, name=name, actor=viewer.actor
    )


def active_member(session: Session, workspace_id: str, member_id: str) -> Membership:
    found = session.scalar(
        select(Membership).where(
            Membership.id == member_id, Membership.workspace_id == workspace_id, Membership.status == "active"
        )
    )
    if found is None:
        raise NotFound("This workspace has no such member.")
    return found


def delete_legacy_key(session: Session, platform: Platform, viewer: Viewer, key_id: str) -> None:
    """Its seat is free, unless its owner holds a license too. Raises KeyUnknown."""
    key = find_legacy_key(session, viewer.workspace_id, key_id)
    if not revoke(session, platform, key, reason="deleted", actor=viewer.actor):
        raise KeyUnknown


def migrate_legacy_key(session: Session, platform: Platform, viewer: Viewer, key_id: str) -> str:
    """The owner gets a license (on the seat that the key takes) and an auth token, and the key ends. The member's id.

    All of it or nothing. Raises KeyUnknown, NotFound, SeatsExhausted, NoSubscription.
    """
    lock_workspace(session, viewer.workspace_id)
    key = find_legacy_key(session, viewer.workspace_id, key_id)
    owner = active_member(session, viewer.workspace_id, key.membership_id or "")
    held = license_of(session, owner.id)
    if held is None or held.license.status != "ACTIVE":
        assign(session, platform, viewer.workspace_id, owner.id, actor=viewer.actor)
    if living_auth_token(session, owner.id) is None:
        ensure_auth_token(session, platform, owner, actor=viewer.actor)
    if not revoke(session, platform, key, reason="migrated", actor=viewer.actor):
        raise KeyUnknown
    return owner.id


def find_legacy_key(session: Session, workspace_id: str, key_id: str) -> Credential:
    """A living one. Raises KeyUnknown, for another workspace's key too."""
    found = session.scalar(
        select(Credential)
        .where(
            Credential.id == key_id,
            Credential.workspace_id == workspace_id,
            Credential.kind == "legacy_api",
            Credential.revoked_at.is_(None),
        )
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise KeyUnknown
    return found


def legacy_key_views(session: Session, workspace_id: str) -> tuple[LegacyKeyView, ...]:
    """The living ones, by owner."""
    rows = session.execute(
        select(Credential, Membership.id, User.name, User.email)
        .join(Membership, Membership.id == Credential.membership_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Credential.workspace_id == workspace_id, Credential.kind == "legacy_api", Credential.revoked_at.is_(None)
        )
        .order_by(func.lower(User.email), Credential.created_at, Credential.id)
    ).all()
    licensed = frozenset(
        session.scalars(
            select(License.assigned_membership_id).where(
                License.workspace_id == workspace_id,
                License.assigned_membership_id.in_({member_id for _, member_id, _, _ in rows}),
            )
        )
    )
    return tuple(
        LegacyKeyView(
            id=key.id,
            name=key.name,
            shown=key.prefix8 + "••••••••",
            member_id=member_id,
            owner=name or email,
            has_license=member_id in licensed,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            last_used_machine=key.last_used_machine or "",
        )
        for key, member_id, name, email in rows
    )


def owner_views(session: Session, workspace_id: str) -> tuple[OwnerView, ...]:
    rows = session.execute(
        select(Membership.id, User.name, User.email)
        .join(User, User.id == Membership.user_id)
        .where(Membership.workspace_id == workspace_id, Membership.status == "active")
        .order_by(func.lower(func.coalesce(func.nullif(User.name, ""), User.email)), Membership.id)
    ).all()
    return tuple(OwnerView(member_id, f"{name} ({email})" if name else email) for member_id, name, email in rows)
