"""Auth tokens: made, found, shown, reset."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.audit.service import record
from cloudlet.control.credentials.errors import NotRevealable
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Membership
from cloudlet.license.token import generate, mask


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
    kind: Literal["auth", "ci"],
    membership: Membership | None,
    name: str = "",
    actor: str,
) -> NewToken:
    """A new token; sealed beside its hash so that its owner can see it again (the workspace's `reveal_policy`)."""
    token = generate(kind, platform.effects.random_bytes)
    row_id = platform.new_id("crd")
    session.add(
        Credential(
            id=row_id,
            kind=kind,
            workspace_id=workspace_id,
            membership_id=membership.id if membership else None,
            name=name,
            prefix8=mask(token).removesuffix("-****"),
            last4=token[-4:],
            lookup_hash=platform.vault.lookup_hash("credential", token),
            secret_enc=platform.vault.seal(token.encode(), row_id),
            scopes=[],
            created_at=platform.now(),
            created_by=actor,
            family_id=row_id,
        )
    )
    session.flush()
    record(session, platform, workspace_id, actor=actor, action="credential.created", target=row_id)
    return NewToken(row_id, token)


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
    """A new token in place of the old one, which is dead from this transaction's end on and never comes back."""
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
