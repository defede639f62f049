"""Auth tokens, device tokens, CI keys, API keys: made, found, shown, reset, ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.credentials.errors import NotRevealable
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.policies import reveal_policy
from cloudlet.control.workspaces.service import lock_workspace
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license.token import ALPHANUMERIC, generate, mask, pick

Kind = Literal["auth", "device", "ci", "legacy_api"]
LEGACY_KEY_LENGTH = 10


class NewToken(msgspec.Struct, frozen=True):
    """A credential's row id and, this once, its secret."""

    credential_id: str
    token: str


def find_credential(session: Session, platform: Platform, token: str) -> Credential | None:
    """By keyed hash, revoked ones too (whoever holds a revoked token may be told that it was)."""
    return session.scalar(
        select(Credential).where(Credential.lookup_hash == platform.vault.lookup_hash("credential", token))
    )


def living_auth_token(session: Session, membership_id: str) -> Credential | None:
    return session.scalar(
        select(Credential).where(
            Credential.membership_id == membership_id, Credential.kind == "auth", Credential.revoked_at.is_(None)
        )
    )


def create_token(
    session: Session,
    platform: Platform,
    workspace_id: str,
    *,
    kind: Kind,
    membership: Membership | None,
    name: str = "",
    project: str = "",
    expires_at: datetime | None = None,
    is_strict: bool = False,
    family_id: str | None = None,
    actor: str,
) -> NewToken:
    """A new token; an auth token is sealed beside its hash so that its owner can see it again, others are shown once.

    It ends at `expires_at`, or when the workspace's `token_max_age_d` is over, whichever is first. `is_strict`: a CI key
    that begins with `ls-` like an auth token, for tools that know no other form.
    """
    token = new_secret(kind, platform, is_strict)
    row_id = platform.new_id("cik" if kind == "ci" else "crd")
    is_opaque = kind == "legacy_api"  # so short that its last characters would be half of it
    session.add(
        Credential(
            id=row_id,
            kind=kind,
            workspace_id=workspace_id,
            membership_id=membership.id if membership else None,
            name=name,
            prefix8=mask(token).removesuffix("-****").removesuffix("****"),
            last4="" if is_opaque else token[-4:],
            lookup_hash=platform.vault.lookup_hash("credential", token),
            secret_enc=platform.vault.seal(token.encode(), row_id) if is_kept(session, workspace_id, kind) else None,
            scopes=[],
            project=project or None,
            created_at=platform.now(),
            created_by=actor[:40],
            expires_at=earlier(expires_at, age_limit(session, workspace_id, platform.now())),
            family_id=family_id or row_id,
        )
    )
    session.flush()
    data: dict[str, Any] = {"kind": kind, **({"name": name} if name else {})}
    record(session, platform, workspace_id, actor=actor, action="credential.created", target=row_id, data=data)
    return NewToken(row_id, token)


def is_kept(session: Session, workspace_id: str, kind: Kind) -> bool:
    """May its owner see it again?"""
    return kind == "auth" and reveal_policy(session.get_one(Workspace, workspace_id)) == "sudo"


def forget_secrets(session: Session, workspace_id: str) -> None:
    """Nobody can see a token of this workspace again; all of them go on working."""
    session.execute(
        update(Credential)
        .where(Credential.workspace_id == workspace_id, Credential.secret_enc.is_not(None))
        .values(secret_enc=None)
        .execution_options(synchronize_session=False)
    )


def new_secret(kind: Kind, platform: Platform, is_strict: bool) -> str:
    if kind == "legacy_api":
        return pick(ALPHANUMERIC, LEGACY_KEY_LENGTH, platform.effects.random_bytes)
    return generate("ci" if kind == "ci" and not is_strict else "auth", platform.effects.random_bytes)


def age_limit(session: Session, workspace_id: str, created_at: datetime) -> datetime | None:
    """When a token of this age ends by the workspace's rule."""
    return end_by_age(session.get_one(Workspace, workspace_id).settings, created_at)


def end_by_age(settings: dict[str, Any], created_at: datetime) -> datetime | None:
    """By the workspace's `token_max_age_d`, in days; None or 0 is no limit."""
    days = settings.get("token_max_age_d")
    return created_at + timedelta(days=int(days)) if days else None


def end_of(credential: Credential, workspace: Workspace) -> datetime | None:
    """When it ends: by itself, or by a rule that the workspace may have made since."""
    return earlier(credential.expires_at, end_by_age(workspace.settings, credential.created_at))


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def is_living(credential: Credential, now: datetime) -> bool:
    """Not revoked, or replaced so lately that it is still good. Its age is another question (`end_of`)."""
    return credential.revoked_at is None or (credential.grace_until is not None and now < credential.grace_until)


def ensure_auth_token(session: Session, platform: Platform, membership: Membership, *, actor: str) -> NewToken:
    """The member's auth token: the one they have, or a new one. Raises NotRevealable."""
    found = living_auth_token(session, membership.id)
    if found is None:
        return create_token(session, platform, membership.workspace_id, kind="auth", membership=membership, actor=actor)
    return NewToken(found.id, unsealed(platform, found))


def reveal(session: Session, platform: Platform, credential: Credential, *, actor: str, ip: str) -> str:
    """The token in clear, for its owner's eyes; written to the audit log. Raises NotRevealable."""
    token = unsealed(platform, credential)
    record(
        session,
        platform,
        credential.workspace_id,
        actor=actor,
        action="credential.revealed",
        target=credential.id,
        ip=ip,
    )
    return token


def unsealed(platform: Platform, credential: Credential) -> str:
    if credential.secret_enc is None:
        raise NotRevealable
    return platform.vault.unseal(credential.secret_enc, credential.id).decode()


def reset_auth_token(
    session: Session, platform: Platform, membership: Membership, *, actor: str, ip: str = ""
) -> NewToken:
    """A new token in place of the old one, which is dead from this transaction's end on and never comes back.

    Device tokens live on: each has a machine of its own, and ends on its own.
    """
    lock_workspace(session, membership.workspace_id)
    revoked = session.scalars(
        update(Credential)
        .where(Credential.membership_id == membership.id, Credential.kind == "auth", Credential.revoked_at.is_(None))
        .values(revoked_at=platform.now(), revoke_reason="reset", secret_enc=None)
        .returning(Credential.id)
    ).all()
    created = create_token(session, platform, membership.workspace_id, kind="auth", membership=membership, actor=actor)
    for old in revoked:
        session.execute(update(Credential).where(Credential.id == old).values(replaced_by=created.credential_id))
        record(
            session,
            platform,
            membership.workspace_id,
            actor=actor,
            action="credential.reset",
            target=old,
            ip=ip,
            data={"replaced_by": created.credential_id},
        )
    return created


def revoke(session: Session, platform: Platform, credential: Credential, *, reason: str, actor: str) -> bool:
    """End it now, also one that was replaced and is still good for a while; False when it was at its end already."""
    now = platform.now()
    lock_workspace(session, credential.workspace_id)
    ended = session.scalar(
        update(Credential)
        .where(
            Credential.id == credential.id,
            Credential.revoked_at.is_(None) | (Credential.grace_until > now),
        )
        .values(revoked_at=now, revoke_reason=reason, secret_enc=None, grace_until=None)
        .returning(Credential.id)
        .execution_options(synchronize_session=False)
    )
    if ended is None:
        return False
    record(
        session,
        platform,
        credential.workspace_id,
        actor=actor,
        action="credential.revoked",
        target=credential.id,
        data={"kind": credential.kind, "reason": reason},
    )
    return True
