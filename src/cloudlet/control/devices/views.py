"""How sign-in requests and device tokens look: plain records without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.credentials.service import end_of
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.devices.tables import DeviceRequest
from cloudlet.control.devices.tokens import devices_of
from cloudlet.control.licenses.service import license_of
from cloudlet.control.members.views import LABELS
from cloudlet.control.permissions import is_allowed
from cloudlet.control.platform import Platform
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import opened_memberships
from cloudlet.control.workspaces.tables import Membership, Workspace

SCOPE_LABELS: Mapping[str, str] = MappingProxyType({key: label for _, group in LABELS for key, label in group})


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace that can be chosen. `missing`: what the program asks for and its user may not do there."""

    membership_id: str
    name: str
    plan: str
    is_chosen: bool
    missing: tuple[str, ...]


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """`scopes` are labels as on "Users & Licenses"."""

    id: str
    code: str
    actor: str
    version: str
    host: str
    ip: str
    asked_at: datetime
    expires_at: datetime
    scopes: tuple[str, ...]
    places: tuple[PlaceView, ...]


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    shown: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str
    last_used_machine: str


def request_view(session: Session, row: DeviceRequest, viewer: Viewer) -> RequestView:
    """The workspace that they look at is chosen unless the program's user named another one of theirs."""
    mine = opened_memberships(session, viewer.user_id, viewer.only_workspace_id)
    hinted = [
        space.id for _, space in mine if row.workspace_hint and row.workspace_hint in {space.id, space.name, space.slug}
    ]
    chosen = (hinted or [viewer.workspace_id])[0]
    return RequestView(
        id=row.id,
        code=row.user_code,
        actor=row.actor,
        version=row.client_version,
        host=row.host,
        ip=row.ip,
        asked_at=row.created_at,
        expires_at=row.expires_at,
        scopes=tuple(SCOPE_LABELS.get(scope, scope) for scope in row.scopes),
        places=tuple(place_view(session, row, membership, space, space.id == chosen) for membership, space in mine),
    )


def place_view(
    session: Session, row: DeviceRequest, membership: Membership, workspace: Workspace, is_chosen: bool
) -> PlaceView:
    holding = license_of(session, membership.id)
    return PlaceView(
        membership_id=membership.id,
        name=workspace.name,
        plan=holding.plan.display if holding else "",
        is_chosen=is_chosen,
        missing=tuple(SCOPE_LABELS.get(scope, scope) for scope in row.scopes if not is_allowed(membership, scope)),
    )


def device_views(session: Session, membership_id: str) -> tuple[DeviceView, ...]:
    return tuple(
        DeviceView(
            id=found.id,
            name=found.name,
            shown=found.prefix8 + "-****",
            created_at=found.created_at,
            expires_at=end_of(found, session.get_one(Workspace, found.workspace_id)),
            last_used_at=found.last_used_at,
            last_used_ip=found.last_used_ip or "",
            last_used_machine=found.last_used_machine or "",
        )
        for found in devices_of(session, membership_id)
    )


def token_facts(session: Session, platform: Platform, found: Credential) -> dict[str, Any]:
    """For the token's holder, as JSON. `license` is null where none is assigned (or where a pipeline draws on all)."""
    workspace = session.get_one(Workspace, found.workspace_id)
    membership = session.get(Membership, found.membership_id) if found.membership_id else None
    user = session.get(User, membership.user_id) if membership else None
    holding = license_of(session, membership.id) if membership else None
    ends = holding.valid_until if holding else None
    return {
        "kind": found.kind,
        "name": found.name,
        "workspace": {"id": workspace.id, "name": workspace.name},
        "user": {"email": user.email, "name": user.name} if user else None,
        "role": membership.role if membership else None,
        "scopes": found.scopes,
        "created_at": rfc3339(found.created_at),
        "expires_at": rfc3339(end_of(found, workspace)),
        "license": {
            "id": holding.license.id,
            "plan": holding.plan.code,
            "status": "EXPIRED" if ends and ends <= platform.now() else holding.license.status,
            "expires_at": rfc3339(ends),
        }
        if holding
        else None,
    }


def rfc3339(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
