"""Tokens and keys that end soon: told once, to the audit log, to webhooks, and by mail to who can replace them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import record
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.credentials.service import end_of
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.db import Database
from cloudlet.control.mail.service import send_letter
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import lock_workspace
from cloudlet.control.workspaces.tables import Membership, Workspace

WARN_DAYS = 7
ACTION = "credential.expiring"
ACTOR = "system"
# What each kind is called, and the page where it can be replaced.
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "auth": ("auth token", "auth-tokens"),
        "device": ("device token", "auth-tokens"),
        "ci": ("CI key", "ci-keys"),
        "legacy_api": ("legacy API key", "api-keys"),
        "admin_api": ("API token", "api-tokens"),
    }
)


def warn(database: Database, platform: Platform) -> None:
    """The worker's task: each workspace in a transaction of its own."""
    with database.snapshot() as session:
        workspaces = [
            workspace.id
            for workspace in session.scalars(select(Workspace).where(Workspace.deleted_at.is_(None)))
            if ending(session, platform, workspace)
        ]
    for workspace_id in workspaces:
        with database.transaction() as session:
            lock_workspace(session, workspace_id)
            workspace = session.get_one(Workspace, workspace_id, populate_existing=True)
            for credential, ends in ending(session, platform, workspace):
                tell(session, platform, workspace, credential, ends)


def ending(session: Session, platform: Platform, workspace: Workspace) -> list[tuple[Credential, datetime]]:
    """Living tokens that end within WARN_DAYS and of whose end nobody was told, those that end first first.

    A token that lives for no longer than that from the start is not worth a word.
    """
    now = platform.now()
    query = select(Credential).where(Credential.workspace_id == workspace.id, Credential.revoked_at.is_(None))
    if not workspace.settings.get("token_max_age_d"):
        query = query.where(Credential.expires_at > now, Credential.expires_at <= now + timedelta(days=WARN_DAYS))
    found = []
    for credential in session.scalars(query):
        ends = end_of(credential, workspace)
        if ends is None or not now < ends <= now + timedelta(days=WARN_DAYS):
            continue
        if ends - credential.created_at > timedelta(days=WARN_DAYS) and not was_told(session, credential, ends):
            found.append((credential, ends))
    return sorted(found, key=lambda pair: (pair[1], pair[0].id))


def was_told(session: Session, credential: Credential, ends: datetime) -> bool:
    """A rule that moves the end is another warning."""
    entries = session.scalars(
        select(AuditEntry.data).where(
            AuditEntry.workspace_id == credential.workspace_id,
            AuditEntry.action == ACTION,
            AuditEntry.target == credential.id,
        )
    )
    return any(data.get("until") == ends.isoformat() for data in entries)


def tell(session: Session, platform: Platform, workspace: Workspace, credential: Credential, ends: datetime) -> None:
    record(
        session,
        platform,
        workspace.id,
        actor=ACTOR,
        action=ACTION,
        target=credential.id,
        data={"kind": credential.kind, "name": credential.name, "until": ends.isoformat()},
    )
    for address in who_can_replace(session, credential):
        send_letter(
            session,
            platform,
            "credential_expiring",
            address,
            what=WORDS[credential.kind][0],
            page=WORDS[credential.kind][1],
            token=credential.name or credential.prefix8 + "-****",
            workspace=workspace.name,
            ends=ends,
        )


def who_can_replace(session: Session, credential: Credential) -> list[str]:
    """The owner of a personal token; the admins, where it is the workspace's."""
    query = (
        select(User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.workspace_id == credential.workspace_id,
            Membership.status == "active",
            User.disabled_at.is_(None),
        )
        .order_by(User.email)
    )
    if credential.membership_id:
        return list(session.scalars(query.where(Membership.id == credential.membership_id)))
    return list(session.scalars(query.where(Membership.role == "admin")))
