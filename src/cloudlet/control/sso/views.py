"""How identity providers look on pages and in the API."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.platform import Platform
from cloudlet.control.sso.attempts import callback_url, portal_url
from cloudlet.control.sso.forms import SCOPES
from cloudlet.control.sso.service import is_led_to
from cloudlet.control.sso.tables import SsoIdentity, SsoProvider
from cloudlet.control.viewer import Account, Viewer
from cloudlet.control.workspaces.tables import Membership, Workspace

MOST_SHOWN = 100


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """`people` counts those whom it has linked. Of the secret nothing is shown.

    `led_to`: those of the domains from which the sign-in page leads here.
    """

    id: str
    name: str
    slug: str
    issuer: str
    client_id: str
    scopes: str
    domains: tuple[str, ...]
    led_to: tuple[str, ...]
    role: str
    permissions: dict[str, bool] | None
    admits_new: bool
    is_required: bool
    is_enabled: bool
    created_at: datetime
    people: int
    last_used_at: datetime | None
    callback_url: str
    portal_url: str


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who came by a provider; `subject` is the provider's name for them."""

    id: str
    name: str
    email: str
    subject: str
    created_at: datetime
    last_used_at: datetime | None


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What the form is filled with."""

    name: str = ""
    issuer: str = ""
    client_id: str = ""
    scopes: str = SCOPES
    domains: str = ""
    role: str = "member"
    has_switches: bool = False
    allowed: frozenset[str] = frozenset()
    admits_new: bool = True
    is_required: bool = False


class Portal(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may see of a provider: where it leads to, what is behind it, and whether newcomers join by it."""

    name: str
    workspace: str
    path: str
    host: str
    admits_new: bool


def list_providers(session: Session, platform: Platform, workspace_id: str) -> tuple[ProviderView, ...]:
    rows = session.scalars(
        select(SsoProvider)
        .where(SsoProvider.workspace_id == workspace_id)
        .order_by(SsoProvider.created_at, SsoProvider.id)
    ).all()
    return tuple(provider_view(session, platform, row) for row in rows)


def provider_view(session: Session, platform: Platform, row: SsoProvider) -> ProviderView:
    people, last_used_at = session.execute(
        select(func.count(SsoIdentity.id), func.max(SsoIdentity.last_used_at)).where(SsoIdentity.provider_id == row.id)
    ).one()
    return ProviderView(
        id=row.id,
        name=row.name,
        slug=row.slug,
        issuer=row.issuer,
        client_id=row.client_id,
        scopes=row.scopes,
        domains=tuple(row.domains),
        led_to=tuple(domain for domain in row.domains if is_led_to(session, row.workspace_id, domain)),
        role=row.default_role,
        permissions=row.default_permissions,
        admits_new=row.admits_new,
        is_required=row.is_required,
        is_enabled=row.disabled_at is None,
        created_at=row.created_at,
        people=people,
        last_used_at=last_used_at,
        callback_url=callback_url(platform, row.slug),
        portal_url=portal_url(platform, row.slug),
    )


def people_of(session: Session, provider_id: str) -> tuple[PersonView, ...]:
    """Those seen last first, a hundred at most."""
    rows = session.execute(
        select(SsoIdentity, User)
        .join(User, User.id == SsoIdentity.user_id)
        .where(SsoIdentity.provider_id == provider_id)
        .order_by(SsoIdentity.last_used_at.desc(), SsoIdentity.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    return tuple(
        PersonView(
            id=row.id,
            name=user.name,
            email=user.email,
            subject=row.subject,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
        )
        for row, user in rows
    )


def fields_of(provider: ProviderView) -> Fields:
    return Fields(
        name=provider.name,
        issuer=provider.issuer,
        client_id=provider.client_id,
        scopes=provider.scopes,
        domains=", ".join(provider.domains),
        role=provider.role,
        has_switches=provider.permissions is not None,
        allowed=frozenset(key for key, is_on in (provider.permissions or {}).items() if is_on),
        admits_new=provider.admits_new,
        is_required=provider.is_required,
    )


def typed_fields(data: dict[str, str], switch: str) -> Fields:
    """What somebody filled in; the secret has to be typed again."""
    return Fields(
        name=data.get("name", ""),
        issuer=data.get("issuer", ""),
        client_id=data.get("client_id", ""),
        scopes=data.get("scopes", ""),
        domains=data.get("domains", ""),
        role=data.get("role", "member"),
        has_switches="advanced" in data,
        allowed=frozenset(name.removeprefix(switch) for name in data if name.startswith(switch)),
        admits_new="admits_new" in data,
        is_required="is_required" in data,
    )


def first_fields(viewer: Viewer) -> Fields:
    """Of a form that nobody touched: the domain of who fills it in."""
    return Fields(domains=viewer.email.rpartition("@")[2])


def doors_of(session: Session, account: Account) -> tuple[Portal, ...]:
    """Workspaces of theirs that this session does not open, because members must come by single sign-on; and where to."""
    if account.only_workspace_id:
        return ()
    rows = session.execute(
        select(SsoProvider, Workspace)
        .join(Workspace, Workspace.id == SsoProvider.workspace_id)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(
            Membership.user_id == account.user_id,
            Membership.status == "active",
            Membership.role != "admin",
            Workspace.deleted_at.is_(None),
            SsoProvider.disabled_at.is_(None),
            SsoProvider.is_required,
        )
        .order_by(SsoProvider.created_at, SsoProvider.id)
    ).all()
    return tuple(portal_of(row[0], row[1]) for row in rows)


def portal_of(provider: SsoProvider, workspace: Workspace) -> Portal:
    return Portal(
        name=provider.name,
        workspace=workspace.name,
        path=f"/auth/sso/{provider.slug}",
        host=urlsplit(provider.issuer).netloc,
        admits_new=provider.admits_new,
    )
