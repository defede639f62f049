"""Workspaces with single sign-on, and browsers that go all the way to the provider and back."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
from sqlalchemy import select

from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.tables import AuditEntry
from cloudlet.control.sso.forms import ProviderForm
from cloudlet.control.sso.service import create_provider
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership
from tests.control.oidc_provider import CLIENT_ID, SECRET
from tests.control.serving import RunningPlatform


class Place(msgspec.Struct, frozen=True):
    """A workspace with single sign-on, and its admin."""

    admin: Viewer
    provider_id: str
    slug: str


def set_up(platform: RunningPlatform, admin: Viewer, issuer: str, **changes: Any) -> Place:
    fields: dict[str, Any] = {
        "name": "Okta",
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "scopes": "openid email profile",
        "domains": ("example.com",),
        "role": "member",
        "permissions": None,
    }
    with platform.database.transaction() as session:
        made = create_provider(session, platform.platform, admin, ProviderForm(**{**fields, **changes}))
        return Place(admin, made.id, made.slug)


def travel(client: httpx.Client, place: Place, *, next: str = "/") -> httpx.Response:
    """To the provider, which consents, and back. Returns our answer to what it sent back."""
    return client.get(location(client, place, next=next))


def location(client: httpx.Client, place: Place, *, next: str = "/") -> str:
    """Where the provider sends the browser back to."""
    away = client.get(f"/auth/sso/{place.slug}/start", params={"next": next})
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"])
    assert back.status_code == 302, back.text
    return str(back.headers["location"])


def come_in(client: httpx.Client, place: Place) -> None:
    answer = travel(client, place)
    assert answer.status_code == 303, answer.text[-1500:]


def members_of(platform: RunningPlatform, place: Place, email: str) -> list[tuple[str, str]]:
    with platform.database.snapshot() as session:
        rows = session.execute(
            select(Membership.status, Membership.role)
            .join(User, User.id == Membership.user_id)
            .where(Membership.workspace_id == place.admin.workspace_id, User.email == email)
        )
        return [(row[0], row[1]) for row in rows]


def actions(platform: RunningPlatform, place: Place) -> list[str]:
    with platform.database.snapshot() as session:
        return list(
            session.scalars(
                select(AuditEntry.action)
                .where(AuditEntry.workspace_id == place.admin.workspace_id)
                .order_by(AuditEntry.seq)
            )
        )
