"""CI keys: made, renamed, rotated, ended. They belong to the workspace, whoever made them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.ci.errors import KeyEnded, NoSuchKey, TooManyKeys
from cloudlet.control.ci.forms import KeyForm, read_name, read_project
from cloudlet.control.credentials.reuse import revoke_family
from cloudlet.control.credentials.service import NewToken, create_token, revoke
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import lock_workspace

MOST_KEYS = 100  # of those that nobody ended, and as many again that were replaced and go on for a while


def create_key(session: Session, platform: Platform, viewer: Viewer, form: KeyForm) -> NewToken:
    """A new key; its secret is in the answer and nowhere else. Raises TooManyKeys."""
    lock_workspace(session, viewer.workspace_id)
    if count_keys(session, viewer.workspace_id, Credential.revoked_at.is_(None)) >= MOST_KEYS:
        raise TooManyKeys(f"This workspace has {MOST_KEYS} CI keys already.")
    return create_token(
        session,
        platform,
        viewer.workspace_id,
        kind="ci",
        membership=None,
        name=form.name,
        project=form.project,
        expires_at=platform.later(days=form.days) if form.days else None,
        is_strict=form.is_strict,
        actor=viewer.actor,
    )


def count_keys(session: Session, workspace_id: str, condition: ColumnElement[bool]) -> int:
    own = (Credential.workspace_id == workspace_id) & (Credential.kind == "ci")
    return session.scalar(select(func.count(Credential.id)).where(own, condition)) or 0


def find_key(session: Session, workspace_id: str, key_id: str) -> Credential:
    """Living or not. Raises NoSuchKey, for another workspace's key too."""
    found = session.scalar(
        select(Credential)
        .where(Credential.id == key_id, Credential.workspace_id == workspace_id, Credential.kind == "ci")
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NoSuchKey
    return found


def rename_key(
    session: Session, platform: Platform, viewer: Viewer, key_id: str, *, name: str, project: str
) -> Credential:
    """Raises NoSuchKey, InvalidForm."""
    lock_workspace(session, viewer.workspace_id)
    key = find_key(session, viewer.workspace_id, key_id)
    wanted = (read_name(name), read_project(project) or None)
    before = (key.name, key.project)
    if wanted == before:
        return key
    key.name, key.project = wanted
    session.flush()
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="credential.renamed",
        target=key.id,
        data={"kind": "ci", "name": wanted[0], "name_before": before[0], "project": wanted[1]},
    )
    return key


def rotate_key(session: Session, platform: Platform, viewer: Viewer, key_id: str, *, overlap_hours: int) -> NewToken:
    """A new key in place of this one, which stays good for the overlap. Of two who rotate at once one is told KeyEnded.

    The new one has the old one's name, project, form and length of life. Raises NoSuchKey, KeyEnded, TooManyKeys.
    """
    lock_workspace(session, viewer.workspace_id)
    old = find_key(session, viewer.workspace_id, key_id)
    now = platform.now()
    if overlap_hours and count_keys(session, viewer.workspace_id, Credential.grace_until > now) >= MOST_KEYS:
        raise TooManyKeys(
            f"{MOST_KEYS} CI keys that were rotated are good for a while yet.", hint="Let the old one end at once."
        )
    taken = session.scalar(
        update(Credential)
        .where(Credential.id == old.id, Credential.revoked_at.is_(None))
        .values(
            revoked_at=now,
            revoke_reason="rotated",
            grace_until=now + timedelta(hours=overlap_hours) if overlap_hours else None,
        )
        .returning(Credential.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        raise KeyEnded
    created = create_token(
        session,
        platform,
        viewer.workspace_id,
        kind="ci",
        membership=None,
        name=old.name,
        project=old.project or "",
        expires_at=same_life(old, now),
        is_strict=not old.prefix8.startswith("lsci-"),
        family_id=old.family_id,
        actor=viewer.actor,
    )
    session.execute(
        update(Credential)
        .where(Credential.id == old.id)
        .values(replaced_by=created.credential_id)
        .execution_options(synchronize_session=False)
    )
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action="credential.rotated",
        target=old.id,
        data={"kind": "ci", "name": old.name, "replaced_by": created.credential_id, "overlap_hours": overlap_hours},
    )
    return created


def same_life(old: Credential, now: datetime) -> datetime | None:
    return now + (old.expires_at - old.created_at) if old.expires_at else None


def delete_key(session: Session, platform: Platform, viewer: Viewer, key_id: str) -> None:
    """It is refused from now on. Raises NoSuchKey, KeyEnded."""
    key = find_key(session, viewer.workspace_id, key_id)
    if not revoke(session, platform, key, reason="deleted", actor=viewer.actor):
        raise KeyEnded


def revoke_key_family(session: Session, platform: Platform, viewer: Viewer, key_id: str) -> int:
    """This key, and all that it replaced or that replaced it. How many were still good. Raises NoSuchKey."""
    key = find_key(session, viewer.workspace_id, key_id)
    return revoke_family(session, platform, key, actor=viewer.actor)
