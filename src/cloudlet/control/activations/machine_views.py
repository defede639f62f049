"""How machines look on pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.activations.grants import subscription_of
from cloudlet.control.activations.history import names_of, sees_all
from cloudlet.control.activations.machines import LIMIT_ENTITLEMENT
from cloudlet.control.activations.tables import Activation, Machine
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.errors import NotFound
from cloudlet.control.paging import older_than
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership

PAGE_SIZE = 50
KINDS = (("dkr", "Container"), ("sys", "Machine"), ("gen", "Machine"), ("host", "Known by its host name"))


class MachineRow(msgspec.Struct, frozen=True, kw_only=True):
    """`user` used it last, "" when nobody knows."""

    id: str
    machine_id: str
    kind: str
    system: str
    first_seen: datetime
    last_seen: datetime
    blocked_at: datetime | None
    user: str


class MachineList(msgspec.Struct, frozen=True):
    """`older`: what `before` is for the next page, "" at the end."""

    rows: tuple[MachineRow, ...]
    older: str


class MachineUse(msgspec.Struct, frozen=True, kw_only=True):
    """A token that asked for a license on the machine."""

    who: str
    token: str
    requests: int
    last_at: datetime


class MachineDetail(msgspec.Struct, frozen=True):
    row: MachineRow
    uses: tuple[MachineUse, ...]


def list_machines(
    session: Session, viewer: Viewer, *, search: str = "", only_blocked: bool = False, before: str = ""
) -> MachineList:
    """The last seen first."""
    conditions = scope_of(viewer)
    if search:
        text = search.lower()
        conditions.append(
            or_(
                func.lower(Machine.machine_id).contains(text, autoescape=True),
                func.lower(Machine.system).contains(text, autoescape=True),
            )
        )
    if only_blocked:
        conditions.append(Machine.blocked_at.is_not(None))
    if before:
        own = Machine.workspace_id == viewer.workspace_id
        conditions.append(older_than(session, Machine.last_seen, Machine.id, own, before))
    found = session.scalars(
        select(Machine).where(*conditions).order_by(Machine.last_seen.desc(), Machine.id.desc()).limit(PAGE_SIZE + 1)
    ).all()
    users = last_users(session, viewer, [machine.id for machine in found[:PAGE_SIZE]])
    rows = tuple(row_of(machine, users.get(machine.id, "")) for machine in found[:PAGE_SIZE])
    return MachineList(rows, rows[-1].id if len(found) > PAGE_SIZE else "")


def machine_detail(session: Session, viewer: Viewer, machine_row: str) -> MachineDetail:
    """Raises NotFound, for what the viewer may not see too."""
    machine = session.scalar(select(Machine).where(*scope_of(viewer), Machine.id == machine_row))
    if machine is None:
        raise NotFound("There is no such machine.")
    user = last_users(session, viewer, [machine.id]).get(machine.id, "")
    return MachineDetail(row_of(machine, user), uses_of(session, viewer, machine.id))


def scope_of(viewer: Viewer) -> list[ColumnElement[bool]]:
    """All of the workspace, or those that the viewer's own tokens were used on."""
    conditions: list[ColumnElement[bool]] = [Machine.workspace_id == viewer.workspace_id]
    if not sees_all(viewer):
        conditions.append(
            select(Activation.id)
            .join(Credential, Credential.id == Activation.credential_id)
            .where(Activation.machine_row == Machine.id, Credential.membership_id == viewer.membership_id)
            .exists()
        )
    return conditions


def own_uses(viewer: Viewer) -> list[ColumnElement[bool]]:
    return [] if sees_all(viewer) else [Credential.membership_id == viewer.membership_id]


def last_users(session: Session, viewer: Viewer, machine_rows: Sequence[str]) -> dict[str, str]:
    """Who used each machine last, by its row. One query; of each machine's activations it reads the newest."""
    last = (
        select(Activation.id)
        .join(Credential, Credential.id == Activation.credential_id)
        .where(Activation.machine_row == Machine.id, *own_uses(viewer))
        .order_by(Activation.at.desc(), Activation.id.desc())
        .limit(1)
        .correlate(Machine)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Machine.id, Credential, User)
        .select_from(Machine)
        .join(Activation, Activation.id == last)
        .join(Credential, Credential.id == Activation.credential_id)
        .outerjoin(Membership, Membership.id == Credential.membership_id)
        .outerjoin(User, User.id == Membership.user_id)
        .where(Machine.id.in_(machine_rows))
    ).all()
    return {row_id: names_of(credential, user)[0] for row_id, credential, user in rows}


def uses_of(session: Session, viewer: Viewer, machine_row: str) -> tuple[MachineUse, ...]:
    counted = (
        select(
            Activation.credential_id.label("credential_id"),
            func.count(Activation.id).label("requests"),
            func.max(Activation.at).label("last_at"),
        )
        .where(Activation.machine_row == machine_row)
        .group_by(Activation.credential_id)
        .subquery()
    )
    rows = session.execute(
        select(Credential, User, counted.c.requests, counted.c.last_at)
        .join(counted, counted.c.credential_id == Credential.id)
        .outerjoin(Membership, Membership.id == Credential.membership_id)
        .outerjoin(User, User.id == Membership.user_id)
        .where(*own_uses(viewer))
        .order_by(counted.c.last_at.desc())
        .limit(PAGE_SIZE)
    ).all()
    return tuple(
        MachineUse(who=who, token=token, requests=int(requests), last_at=last_at)
        for who, token, requests, last_at in (
            (*names_of(credential, user), requests, last_at) for credential, user, requests, last_at in rows
        )
    )


def row_of(machine: Machine, user: str) -> MachineRow:
    return MachineRow(
        id=machine.id,
        machine_id=machine.machine_id,
        kind=dict(KINDS).get(machine.kind, "Machine"),
        system=machine.system,
        first_seen=machine.first_seen,
        last_seen=machine.last_seen,
        blocked_at=machine.blocked_at,
        user=user,
    )


def machine_limit(session: Session, platform: Platform, workspace_id: str) -> int | None:
    """How many machines the plan allows a license; None for any number."""
    found = subscription_of(session, platform, workspace_id)
    return found[1].entitlements.get(LIMIT_ENTITLEMENT) if found else None
