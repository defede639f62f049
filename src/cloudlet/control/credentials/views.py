"""How credentials look on pages: plain records without secrets."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.credentials.service import living_auth_token
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.viewer import Viewer


class MachineView(msgspec.Struct, frozen=True):
    machine_id: str
    system: str
    last_seen: datetime


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` is `ls-AbCdEf12-****`, `clear` the token when it is revealed."""

    credential_id: str
    shown: str
    created_at: datetime
    last_used_at: datetime | None
    last_used_machine: str | None
    machines: tuple[MachineView, ...]
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
        last_used_at=found.last_used_at,
        last_used_machine=found.last_used_machine,
        machines=machines_of(session, found),
        clear=clear,
    )


def machines_of(session: Session, credential: Credential) -> tuple[MachineView, ...]:
    """The machines that stop at their next start when this token dies, last seen first."""
    rows = session.execute(
        select(Machine.machine_id, Machine.system, Machine.last_seen)
        .where(
            Machine.id.in_(
                select(Activation.machine_row).where(
                    Activation.credential_id == credential.id, Activation.result_code == "ok"
                )
            )
        )
        .order_by(Machine.last_seen.desc())
        .limit(20)
    ).all()
    return tuple(MachineView(*row) for row in rows)
