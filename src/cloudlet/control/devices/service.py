"""A command line signs in without seeing a password.

    program                     person, in the browser
    POST /v1/auth/request  →    /auth/request/ID: compares the code, chooses a workspace, approves or denies
    GET  …/ID  (is it?)
    POST …/ID/exchange     →    a bearer, for 15 minutes and one use
    GET  /v1/license/credentials → a token of its own, which its owner can revoke alone

Only keyed hashes of what the program holds are kept. Each step is one conditional update: of two at once one wins.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import record
from cloudlet.control.db import Database
from cloudlet.control.devices.errors import (
    BearerInvalid,
    MembershipEnded,
    NotConfirmed,
    RequestDecided,
    RequestDenied,
    RequestOver,
    RequestUnknown,
    RequestUsed,
)
from cloudlet.control.devices.forms import SignInRequest
from cloudlet.control.devices.tables import DeviceRequest
from cloudlet.control.devices.tokens import create_admin_token, create_device_token
from cloudlet.control.errors import NotFound
from cloudlet.control.permissions import is_allowed
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import opened_memberships
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license.canonical import to_base64url
from cloudlet.license.token import pick

REQUEST_MINUTES = 10
BEARER_MINUTES = 15
KEPT_DAYS = 7
CODE_LETTERS = "BCDFGHJKMNPQRSTVWXZ"  # no vowels: no words; nothing that looks like something else
CODE_LENGTH = 8


class OpenedRequest(msgspec.Struct, frozen=True):
    """`exchange_token` is told this once."""

    id: str
    code: str
    exchange_token: str
    expires_in: int


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What a program gets in the end. `admin_token` is "" where no scopes were asked for or none could be given."""

    token: str
    admin_token: str
    scopes: tuple[str, ...]
    workspace_id: str
    workspace_name: str
    email: str


def open_request(session: Session, platform: Platform, sent: SignInRequest, *, ip: str) -> OpenedRequest:
    """A new request; nobody has confirmed it."""
    secret = to_base64url(platform.effects.random_bytes(32))
    row = DeviceRequest(
        id=platform.new_id("dev"),
        user_code=pick(CODE_LETTERS, CODE_LENGTH, platform.effects.random_bytes),
        exchange_hash=platform.vault.lookup_hash("device exchange", secret),
        actor=sent.actor,
        client_version=sent.version,
        host=sent.host,
        workspace_hint=sent.workspace,
        scopes=list(sent.scopes),
        ip=ip[:45],
        created_at=platform.now(),
        expires_at=platform.later(minutes=REQUEST_MINUTES),
    )
    session.add(row)
    session.flush()
    return OpenedRequest(row.id, row.user_code, secret, REQUEST_MINUTES * 60)


def find_request(session: Session, platform: Platform, request_id: str, exchange_token: str) -> DeviceRequest:
    """The program's own request. Raises RequestUnknown, RequestUsed, RequestOver."""
    row = session.scalar(
        select(DeviceRequest).where(
            DeviceRequest.id == request_id,
            DeviceRequest.exchange_hash == platform.vault.lookup_hash("device exchange", exchange_token),
        )
    )
    if row is None:
        raise RequestUnknown
    if row.exchanged_at is not None:
        raise RequestUsed
    if row.expires_at <= platform.now():
        raise RequestOver
    return row


def exchange(session: Session, platform: Platform, request_id: str, exchange_token: str) -> str:
    """A bearer for a confirmed request. Raises what `find_request` does, RequestDenied, NotConfirmed."""
    row = find_request(session, platform, request_id, exchange_token)
    if row.denied_at is not None:
        raise RequestDenied
    if row.confirmed_at is None:
        raise NotConfirmed
    bearer = "lsdev_" + to_base64url(platform.effects.random_bytes(32))
    taken = session.execute(
        update(DeviceRequest)
        .where(DeviceRequest.id == row.id, DeviceRequest.exchanged_at.is_(None))
        .values(
            exchanged_at=platform.now(),
            bearer_hash=platform.vault.lookup_hash("device bearer", bearer),
            bearer_expires_at=platform.later(minutes=BEARER_MINUTES),
        )
        .returning(DeviceRequest.id)
    ).all()
    if not taken:
        raise RequestUsed
    return bearer


def collect(session: Session, platform: Platform, bearer: str) -> Collected:
    """The program's token, made now. Raises BearerInvalid, MembershipEnded."""
    taken = session.execute(
        update(DeviceRequest)
        .where(
            DeviceRequest.bearer_hash == platform.vault.lookup_hash("device bearer", bearer),
            DeviceRequest.collected_at.is_(None),
            DeviceRequest.bearer_expires_at > platform.now(),
        )
        .values(collected_at=platform.now())
        .returning(DeviceRequest.id)
    ).first()
    if taken is None:
        raise BearerInvalid
    row = session.get_one(DeviceRequest, taken.id)
    place = holder_of(session, row)
    membership, workspace, user = place
    name = f"{row.actor} on {row.host or row.ip or 'an unknown machine'}"[:120]
    token = create_device_token(session, platform, membership, name=name, family=row.id, actor="user:" + user.id)
    granted = frozenset(scope for scope in row.scopes if is_allowed(membership, scope))
    admin_token = ""
    if granted:
        admin_token = create_admin_token(session, platform, place, name=name, family=row.id, scopes=granted)
    return Collected(
        token=token,
        admin_token=admin_token,
        scopes=tuple(sorted(granted)),
        workspace_id=workspace.id,
        workspace_name=workspace.name,
        email=user.email,
    )


def holder_of(session: Session, row: DeviceRequest) -> tuple[Membership, Workspace, User]:
    found = session.execute(
        select(Membership, Workspace, User)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.id == row.membership_id)
    ).one_or_none()
    if found is None or found[0].status != "active" or found[1].deleted_at or found[2].disabled_at:
        raise MembershipEnded
    return found[0], found[1], found[2]


def waiting_request(session: Session, platform: Platform, request_id: str) -> DeviceRequest:
    """For the page: a request that waits for an answer. Raises RequestUnknown, RequestDecided, RequestOver."""
    row = session.get(DeviceRequest, request_id)
    if row is None:
        raise RequestUnknown
    if row.confirmed_at is not None or row.denied_at is not None:
        raise RequestDecided
    if row.expires_at <= platform.now():
        raise RequestOver
    return row


def approve(
    session: Session, platform: Platform, viewer: Viewer, request_id: str, membership_id: str, *, ip: str
) -> Workspace:
    """The user lets the program act for them in one of their workspaces. Raises as `waiting_request`, NotFound."""
    row = waiting_request(session, platform, request_id)
    mine = {
        membership.id: workspace
        for membership, workspace in opened_memberships(session, viewer.user_id, viewer.only_workspace_id)
    }
    if membership_id not in mine:
        raise NotFound("You belong to no such workspace.")
    decide(session, row, confirmed_at=platform.now(), confirmed_by=viewer.user_id, membership_id=membership_id)
    workspace = mine[membership_id]
    record(
        session,
        platform,
        workspace.id,
        actor="user:" + viewer.user_id,
        action="device.approved",
        target=row.id,
        ip=ip,
        data={"actor": row.actor, "version": row.client_version, "from": row.ip, "scopes": row.scopes},
    )
    return workspace


def deny(session: Session, platform: Platform, user_id: str, request_id: str, workspace_id: str, *, ip: str) -> None:
    """Written down in the workspace that the user looks at: none was chosen. Raises as `waiting_request`."""
    row = waiting_request(session, platform, request_id)
    decide(session, row, denied_at=platform.now(), confirmed_by=user_id)
    record(
        session,
        platform,
        workspace_id,
        actor="user:" + user_id,
        action="device.denied",
        target=row.id,
        ip=ip,
        data={"actor": row.actor, "version": row.client_version, "from": row.ip},
    )


def decide(session: Session, row: DeviceRequest, **values: object) -> None:
    """Once. Raises RequestDecided when somebody was faster."""
    taken = session.execute(
        update(DeviceRequest)
        .where(DeviceRequest.id == row.id, DeviceRequest.confirmed_at.is_(None), DeviceRequest.denied_at.is_(None))
        .values(**values)
        .returning(DeviceRequest.id)
    ).all()
    if not taken:
        raise RequestDecided


def forget_old(database: Database, platform: Platform) -> None:
    """Requests mean nothing some days after they are over."""
    with database.transaction() as session:
        session.execute(
            delete(DeviceRequest).where(DeviceRequest.expires_at < platform.now() - timedelta(days=KEPT_DAYS))
        )
