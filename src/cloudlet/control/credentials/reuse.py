"""Use of a token after its end: somebody's pipeline was forgotten, or somebody else has the token."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.credentials.service import revoke
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.service import lock_workspace

TOLD_AGAIN = timedelta(hours=1)


def note_reuse(session: Session, platform: Platform, credential: Credential, *, ip: str, machine: str) -> None:
    """Count it. The audit log hears of it once an hour and credential at most: a restart loop is one event."""
    now = platform.now()
    lock_workspace(session, credential.workspace_id)
    session.execute(
        update(Credential)
        .where(Credential.id == credential.id)
        .values(reuse_count=Credential.reuse_count + 1, reused_at=now)
        .execution_options(synchronize_session=False)
    )
    told = session.scalar(
        update(Credential)
        .where(
            Credential.id == credential.id,
            Credential.reuse_told_at.is_(None) | (Credential.reuse_told_at <= now - TOLD_AGAIN),
        )
        .values(reuse_told_at=now)
        .returning(Credential.reuse_count)
        .execution_options(synchronize_session=False)
    )
    if told is None:
        return
    record(
        session,
        platform,
        credential.workspace_id,
        actor="credential:" + credential.id,
        action="credential.reused_after_revoke",
        target=credential.id,
        ip=ip,
        data={"kind": credential.kind, "uses": told, "machine": machine, "reason": credential.revoke_reason},
    )


def revoke_family(session: Session, platform: Platform, credential: Credential, *, actor: str) -> int:
    """End every token that replaced this one or was replaced by it. How many were still good."""
    family = session.scalars(
        select(Credential).where(
            Credential.workspace_id == credential.workspace_id, Credential.family_id == credential.family_id
        )
    ).all()
    return sum(revoke(session, platform, one, reason="family_revoked", actor=actor) for one in family)
