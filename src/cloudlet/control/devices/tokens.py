"""Tokens of devices: made at a sign-in, told once, listed for their owner, revoked one by one.

Their form is that of auth tokens, so that every client takes them. What a command line may administer is a second,
short-lived token (`lsadm_…`) of the same family: revoking the device revokes both.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.api.tokens import create_api_token
from cloudlet.control.audit.service import record
from cloudlet.control.credentials.service import create_token, end_of, find_credential
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.devices.errors import OwnToken, TokenInvalid
from cloudlet.control.errors import NotFound
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Account, in_workspace
from cloudlet.control.workspaces.tables import Membership, Workspace

ADMIN_TOKEN_DAYS = 90


def create_device_token(
    session: Session, platform: Platform, membership: Membership, *, name: str, family: str, actor: str
) -> str:
    """The token, this once: it is not sealed anywhere."""
    return create_token(
        session,
        platform,
        membership.workspace_id,
        kind="device",
        membership=membership,
        name=name,
        family_id=family,
        actor=actor,
    ).token


def create_admin_token(
    session: Session,
    platform: Platform,
    place: tuple[Membership, Workspace, User],
    *,
    name: str,
    family: str,
    scopes: frozenset[str],
) -> str:
    """A token for `/api/v1`, as its owner and no further than the scopes and what its owner may do at that time."""
    membership, workspace, user = place
    account = Account(
        session_id="",
        user_id=user.id,
        email=user.email,
        name=user.name,
        is_verified=user.email_verified_at is not None,
        has_password=user.password_hash is not None,
        has_sudo=False,
    )
    viewer = in_workspace(account, membership, workspace)
    made = create_api_token(session, platform, viewer, name=name, scopes=scopes, days=ADMIN_TOKEN_DAYS)
    session.execute(
        update(Credential)
        .where(Credential.id == made.token_id)
        .values(family_id=family)
        .execution_options(synchronize_session=False)
    )
    return made.token


def living_credential(session: Session, platform: Platform, token: str) -> Credential:
    """A token that is in force. Raises TokenInvalid; only who holds a revoked one learns that it existed."""
    found = find_credential(session, platform, token)
    if found is None:
        raise TokenInvalid
    now = platform.now()
    if found.revoked_at is not None and not (found.grace_until and now < found.grace_until):
        raise TokenInvalid(f"This token was revoked on {found.revoked_at:%Y-%m-%d}.")
    workspace = session.get_one(Workspace, found.workspace_id)
    ends = end_of(found, workspace)
    if ends is not None and ends <= now:
        raise TokenInvalid(f"This token expired on {ends:%Y-%m-%d}.")
    if workspace.deleted_at is not None:
        raise TokenInvalid("The workspace of this token was deleted.")
    return found


def devices_of(session: Session, membership_id: str) -> list[Credential]:
    """The living ones, newest first."""
    return list(
        session.scalars(
            select(Credential)
            .where(
                Credential.membership_id == membership_id,
                Credential.kind == "device",
                Credential.revoked_at.is_(None),
            )
            .order_by(Credential.created_at.desc(), Credential.id.desc())
            .limit(100)
        )
    )


def revoke_own(session: Session, platform: Platform, token: str, *, ip: str) -> Credential:
    """By whoever holds it: signing out. Raises TokenInvalid, OwnToken."""
    found = living_credential(session, platform, token)
    if found.kind not in {"device", "admin_api"}:
        raise OwnToken
    revoke_family(session, platform, found, actor="credential:" + found.id, reason="signed_out", ip=ip)
    return found


def revoke_device(
    session: Session, platform: Platform, membership_id: str, credential_id: str, *, actor: str, ip: str
) -> None:
    """By its owner, on the page. Raises NotFound, for another member's too."""
    found = session.scalar(
        select(Credential).where(
            Credential.id == credential_id,
            Credential.membership_id == membership_id,
            Credential.kind == "device",
            Credential.revoked_at.is_(None),
        )
    )
    if found is None:
        raise NotFound("You have no such device.")
    revoke_family(session, platform, found, actor=actor, reason="revoked", ip=ip)


def revoke_family(session: Session, platform: Platform, found: Credential, *, actor: str, reason: str, ip: str) -> None:
    """The token and what came with it."""
    revoked = session.scalars(
        update(Credential)
        .where(
            Credential.family_id == found.family_id,
            Credential.membership_id == found.membership_id,
            Credential.kind.in_(("device", "admin_api")),
            Credential.revoked_at.is_(None),
        )
        .values(revoked_at=platform.now(), revoke_reason=reason, grace_until=None)
        .returning(Credential.id)
        .execution_options(synchronize_session=False)
    ).all()
    for row_id in sorted(revoked):
        record(session, platform, found.workspace_id, actor=actor, action="credential.revoked", target=row_id, ip=ip)
