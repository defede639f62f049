"""How credentials look on pages: plain records without secrets."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.credentials.service import end_of, living_auth_token
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Workspace


class MachineView(msgspec.Struct, frozen=True):
    machine_id: str
    system: str
    last_seen: datetime


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` is `ls-AbCdEf12-****`, `clear` the token when it is revealed; `machines` are those that stop without it.

    `can_reveal`: the workspace's policy lets its owner see it again.
    """

    credential_id: str
    shown: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_machine: str | None
    machines: tuple[MachineView, ...]
    can_reveal: bool = True
    clear: str | None = None


def token_view(session: Session, viewer: Viewer, clear: str | None = None) -> TokenView | None:
    """The viewer's auth token in this workspace."""
    found = living_auth_token(session, viewer.membership_id)
    if found is None:
        return None
    return TokenView(
        credential_id=found.id,
        shown=found.prefix8 + "-****",
        created_at=found.created_at,
        expires_at=end_of(found, session.get_one(Workspace, viewer.workspace_id)),
        last_used_at=found.last_used_at,
        last_used_machine=found.last_used_machine,
        machines=machines_of(session, [found.id]),
        can_reveal=found.secret_enc is not None,
        clear=clear,
    )


def machines_of(session: Session, credential_ids: Collection[str]) -> tuple[MachineView, ...]:
    """The machines that stop at their next start when these tokens die, last seen first.

    A machine that has gone over to another token meanwhile (its own device token, say) goes on.
    """
    granted = Activation.result_code == "ok"
    last_token = (
        select(Activation.credential_id)
        .where(Activation.machine_row == Machine.id, granted)
        .order_by(Activation.at.desc(), Activation.id.desc())
        .limit(1)
        .correlate(Machine)
        .scalar_subquery()
    )
    ever = select(Activation.machine_row).where(Activation.credential_id.in_(credential_ids), granted)
    rows = session.execute(
        select(Machine.machine_id, Machine.system, Machine.last_seen)
        .where(Machine.id.in_(ever), last_token.in_(credential_ids))
        .order_by(Machine.last_seen.desc())
        .limit(20)
    ).all()
    return tuple(MachineView(*row) for row in rows)


def living_ids(session: Session, membership_id: str) -> list[str]:
    """All tokens of a member that work, of whatever kind."""
    return list(
        session.scalars(
            select(Credential.id).where(Credential.membership_id == membership_id, Credential.revoked_at.is_(None))
        )
    )
