"""Identity providers of a workspace: set up, changed, switched, deleted; and whom they have linked.

Who manages single sign-on decides who somebody is in this workspace, so it is close to being an admin. Two rules keep it
from being more: nobody lets newcomers be given what they do not have, and a provider that becomes another one (its issuer
changes) gets neither the old one's client secret nor its people.
"""

from __future__ import annotations

import re

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User, WebSession
from cloudlet.control.audit.service import record
from cloudlet.control.errors import InvalidForm, NotFound
from cloudlet.control.members.errors import CannotGrant
from cloudlet.control.members.service import lock_for
from cloudlet.control.permissions import ROLES, effective
from cloudlet.control.platform import Platform
from cloudlet.control.sso.errors import SsoLimit
from cloudlet.control.sso.forms import ProviderForm
from cloudlet.control.sso.tables import SsoIdentity, SsoProvider
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership, Workspace

MOST_PROVIDERS = 10
PERMISSION = "sso.manage"


def find_provider(session: Session, workspace_id: str, provider_id: str) -> SsoProvider:
    """Raises NotFound, for another workspace's provider too."""
    found = session.scalar(
        select(SsoProvider).where(SsoProvider.id == provider_id, SsoProvider.workspace_id == workspace_id)
    )
    if found is None:
        raise NotFound("This workspace has no such identity provider.")
    return found


def find_by_slug(session: Session, slug: str) -> tuple[SsoProvider, Workspace]:
    """For everybody: by the address that admins give out. Raises NotFound."""
    row = session.execute(
        select(SsoProvider, Workspace)
        .join(Workspace, Workspace.id == SsoProvider.workspace_id)
        .where(SsoProvider.slug == slug, Workspace.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound("No workspace has single sign-on at this address.")
    return row[0], row[1]


def find_by_domain(session: Session, domain: str) -> list[tuple[SsoProvider, Workspace]]:
    """Those that are switched on, oldest first. Domains are few, and lists in JSON are compared here."""
    rows = session.execute(
        select(SsoProvider, Workspace)
        .join(Workspace, Workspace.id == SsoProvider.workspace_id)
        .where(SsoProvider.disabled_at.is_(None), Workspace.deleted_at.is_(None))
        .order_by(SsoProvider.created_at, SsoProvider.id)
    ).all()
    return [(row[0], row[1]) for row in rows if domain in row[0].domains]


def create_provider(session: Session, platform: Platform, viewer: Viewer, form: ProviderForm) -> SsoProvider:
    """Raises Forbidden, CannotGrant, SsoLimit, InvalidForm."""
    check_grant(lock_for(session, viewer, PERMISSION), form)
    if not form.client_secret:
        raise InvalidForm("Enter the client secret that the provider gave you.")
    owned = select(func.count(SsoProvider.id)).where(SsoProvider.workspace_id == viewer.workspace_id)
    if (session.scalar(owned) or 0) >= MOST_PROVIDERS:
        raise SsoLimit
    row_id = platform.new_id("idp")
    provider = SsoProvider(
        id=row_id,
        workspace_id=viewer.workspace_id,
        slug=new_slug(session, viewer, form.name, row_id),
        client_secret_enc=platform.vault.seal(form.client_secret.encode(), row_id),
        created_at=platform.now(),
    )
    write(provider, form)
    session.add(provider)
    session.flush()
    note(session, platform, viewer, provider, "sso.created", **facts(form))
    return provider


def new_slug(session: Session, viewer: Viewer, name: str, row_id: str) -> str:
    """Fixed for ever: the provider knows our address by it. Ends at random, so that nobody sits on a good one."""
    text = f"{viewer.workspace_name} {name}".lower()
    return f"{re.sub(r'[^a-z0-9]+', '-', text).strip('-')[:60].strip('-') or 'sso'}-{row_id[-6:]}"


def check_grant(actor: Membership, form: ProviderForm) -> None:
    """As with a member's role: nobody gives what they do not have. Raises CannotGrant."""
    switches = form.permissions
    wanted = frozenset(key for key, is_on in switches.items() if is_on) if switches else ROLES[form.role]
    starts_as_everybody = form.role == "member" and switches is None
    if actor.role != "admin" and not starts_as_everybody and (form.role == "admin" or not wanted <= effective(actor)):
        raise CannotGrant


def write(provider: SsoProvider, form: ProviderForm) -> None:
    provider.name, provider.issuer, provider.client_id = form.name, form.issuer, form.client_id
    provider.scopes, provider.domains = form.scopes, list(form.domains)
    provider.default_role, provider.default_permissions = form.role, form.permissions


def form_of(provider: SsoProvider) -> ProviderForm:
    """What there is, as it would be filled in; without the secret."""
    return ProviderForm(
        name=provider.name,
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret="",
        scopes=provider.scopes,
        domains=tuple(provider.domains),
        role=provider.default_role,
        permissions=provider.default_permissions,
    )


def change_provider(
    session: Session, platform: Platform, viewer: Viewer, provider_id: str, form: ProviderForm
) -> SsoProvider:
    """Raises Forbidden, NotFound, CannotGrant, InvalidForm."""
    actor = lock_for(session, viewer, PERMISSION)
    provider = find_provider(session, viewer.workspace_id, provider_id)
    before = form_of(provider)
    if (before.role, before.permissions) != (form.role, form.permissions):
        check_grant(actor, form)
    is_other = before.issuer != form.issuer
    if is_other and not form.client_secret:
        raise InvalidForm("Another issuer has another client secret: enter that, too.")
    if is_other:
        session.execute(delete(SsoIdentity).where(SsoIdentity.provider_id == provider.id))
        end_sessions(session, provider.id)
    write(provider, form)
    if form.client_secret:
        provider.client_secret_enc = platform.vault.seal(form.client_secret.encode(), provider.id)
    if form_of(provider) != before or form.client_secret:
        note(session, platform, viewer, provider, "sso.changed", **facts(form), new_secret=bool(form.client_secret))
    session.flush()
    return provider


def secret_of(platform: Platform, provider: SsoProvider) -> str:
    return platform.vault.unseal(provider.client_secret_enc, provider.id).decode()


def enable_provider(session: Session, platform: Platform, viewer: Viewer, provider_id: str) -> None:
    """Raises Forbidden, NotFound."""
    lock_for(session, viewer, PERMISSION)
    provider = find_provider(session, viewer.workspace_id, provider_id)
    if provider.disabled_at is not None:
        provider.disabled_at = None
        note(session, platform, viewer, provider, "sso.enabled")


def disable_provider(session: Session, platform: Platform, viewer: Viewer, provider_id: str) -> None:
    """Nobody comes in by it, and who did is signed out. Raises Forbidden, NotFound."""
    lock_for(session, viewer, PERMISSION)
    provider = find_provider(session, viewer.workspace_id, provider_id)
    if provider.disabled_at is None:
        provider.disabled_at = platform.now()
        note(session, platform, viewer, provider, "sso.disabled")
        end_sessions(session, provider.id)


def delete_provider(session: Session, platform: Platform, viewer: Viewer, provider_id: str) -> None:
    """Members stay members, and can set a password by mail. Raises Forbidden, NotFound."""
    lock_for(session, viewer, PERMISSION)
    provider = find_provider(session, viewer.workspace_id, provider_id)
    note(session, platform, viewer, provider, "sso.deleted")
    end_sessions(session, provider.id)
    session.delete(provider)
    session.flush()


def unlink(session: Session, platform: Platform, viewer: Viewer, provider_id: str, identity_id: str) -> None:
    """The next sign-in links anew, by address. Raises Forbidden, NotFound."""
    lock_for(session, viewer, PERMISSION)
    provider = find_provider(session, viewer.workspace_id, provider_id)
    identity = session.scalar(
        select(SsoIdentity).where(SsoIdentity.id == identity_id, SsoIdentity.provider_id == provider.id)
    )
    if identity is None:
        raise NotFound("This provider has no such person.")
    email = session.get_one(User, identity.user_id).email
    note(session, platform, viewer, provider, "sso.unlinked", email=email)
    session.execute(
        delete(WebSession).where(WebSession.user_id == identity.user_id, WebSession.sso_provider_id == provider.id)
    )
    session.delete(identity)


def end_sessions(session: Session, provider_id: str) -> None:
    session.execute(delete(WebSession).where(WebSession.sso_provider_id == provider_id))


def facts(form: ProviderForm) -> dict[str, object]:
    return {
        "issuer": form.issuer,
        "client_id": form.client_id,
        "domains": list(form.domains),
        "role": form.role,
        "permissions": form.permissions,
    }


def note(
    session: Session, platform: Platform, viewer: Viewer, provider: SsoProvider, action: str, **data: object
) -> None:
    record(
        session,
        platform,
        viewer.workspace_id,
        actor=viewer.actor,
        action=action,
        target=provider.id,
        data={"name": provider.name, **data},
    )
