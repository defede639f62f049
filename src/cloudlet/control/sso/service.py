"""Identity providers of a workspace: set up, changed, switched, deleted; and whom they have linked.

Who manages single sign-on decides who somebody is in this workspace, so it is close to being an admin. Two rules keep it
from being more: nobody lets newcomers be given what they do not have; only an admin switches a provider on, and what decides
whom it can speak for (`DECISIVE`) switches it off when somebody else changes it. A provider that becomes another one (another
issuer) gets neither the old one's client secret nor its people; they are linked anew for another client, too, because some
providers call the same person by another name there.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User, WebSession
from cloudlet.control.audit.service import record
from cloudlet.control.errors import InvalidForm, NotFound
from cloudlet.control.members.errors import CannotGrant
from cloudlet.control.members.service import lock_for
from cloudlet.control.permissions import PERMISSIONS, ROLES, effective
from cloudlet.control.platform import Platform
from cloudlet.control.sso.errors import SsoAdminNeeded, SsoLimit
from cloudlet.control.sso.forms import ProviderForm
from cloudlet.control.sso.tables import SsoIdentity, SsoProvider
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.tables import Membership, Workspace

MOST_PROVIDERS = 10
DECISIVE = ("issuer", "client_id", "domains")
PERMISSION = "sso.manage"
EVERYBODYS = frozenset(  # where anybody gets a mailbox; a list that need not be complete, since choices are shown
    """gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com aol.com icloud.com me.com mac.com
    proton.me protonmail.com pm.me gmx.com gmx.net gmx.de web.de t-online.de freenet.de mail.com zoho.com yandex.com yandex.ru
    mail.ru orange.fr free.fr laposte.net libero.it qq.com 163.com 126.com naver.com fastmail.com tutanota.com hey.com""".split()
)


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
    """Those that are switched on and that the sign-in page leads to, oldest first. Lists in JSON are compared here."""
    rows = session.execute(
        select(SsoProvider, Workspace)
        .join(Workspace, Workspace.id == SsoProvider.workspace_id)
        .where(SsoProvider.disabled_at.is_(None), Workspace.deleted_at.is_(None))
        .order_by(SsoProvider.created_at, SsoProvider.id)
    ).all()
    return [(row[0], row[1]) for row in rows if domain in row[0].domains and is_led_to(session, row[1].id, domain)]


def is_led_to(session: Session, workspace_id: str, domain: str) -> bool:
    """Whether people who type an address of that domain on the sign-in page are led to this workspace.

    Anybody may type anybody's domain into the settings, and lead people to a look-alike. So an admin must have a mailbox
    there: a confirmed address, and a password, which accounts that a provider vouched for get by mail alone.
    """
    if domain in EVERYBODYS:
        return False
    admin = (
        select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.workspace_id == workspace_id,
            Membership.role == "admin",
            Membership.status == "active",
            User.disabled_at.is_(None),
            User.email_verified_at.is_not(None),
            User.password_hash.is_not(None),
            func.lower(User.email).endswith("@" + domain, autoescape=True),
        )
    )
    return session.scalar(admin.limit(1)) is not None


def create_provider(session: Session, platform: Platform, viewer: Viewer, form: ProviderForm) -> SsoProvider:
    """On from the start where an admin makes it. Raises Forbidden, CannotGrant, SsoLimit, InvalidForm."""
    actor = lock_for(session, viewer, PERMISSION)
    check_grant(actor, viewer, form)
    if not form.client_secret:
        raise InvalidForm("Enter the client secret that the provider gave you.")
    owned = select(func.count(SsoProvider.id)).where(SsoProvider.workspace_id == viewer.workspace_id)
    if (session.scalar(owned) or 0) >= MOST_PROVIDERS:
        raise SsoLimit
    row_id = platform.new_id("idp")
    provider = SsoProvider(
        id=row_id,
        workspace_id=viewer.workspace_id,
        slug=next_slug(session, viewer.workspace_id),
        client_secret_enc=platform.vault.seal(form.client_secret.encode(), row_id),
        created_at=platform.now(),
        disabled_at=None if is_full_admin(actor, viewer) else platform.now(),
    )
    write(provider, form)
    session.add(provider)
    session.flush()
    note(session, platform, viewer, provider, "sso.created", **facts(form))
    return provider


def next_slug(session: Session, workspace_id: str) -> str:
    """The workspace's own name in addresses, with a number from the second provider on.

    Fixed then: the provider knows our address by it. Known before, so that it can be entered there first.
    """
    taken = set(session.scalars(select(SsoProvider.slug).where(SsoProvider.workspace_id == workspace_id)))
    slug = session.get_one(Workspace, workspace_id).slug
    return next(
        name for number in range(1, len(taken) + 2) if (name := f"{slug}-{number}" if number > 1 else slug) not in taken
    )


def is_full_admin(actor: Membership, viewer: Viewer) -> bool:
    """An admin, and not one who acts by an API token that has only some of the scopes."""
    return actor.role == "admin" and effective(viewer) >= PERMISSIONS


def check_grant(actor: Membership, viewer: Viewer, form: ProviderForm) -> None:
    """As with a member's role: nobody gives what they do not have. Raises CannotGrant."""
    switches = form.permissions
    wanted = frozenset(key for key, is_on in switches.items() if is_on) if switches else ROLES[form.role]
    starts_as_everybody = form.role == "member" and switches is None
    has_all = form.role != "admin" and wanted <= effective(actor) & effective(viewer)
    if not (is_full_admin(actor, viewer) or starts_as_everybody or has_all):
        raise CannotGrant


def write(provider: SsoProvider, form: ProviderForm) -> None:
    provider.name, provider.issuer, provider.client_id = form.name, form.issuer, form.client_id
    provider.scopes, provider.domains = form.scopes, list(form.domains)
    provider.default_role, provider.default_permissions = form.role, form.permissions
    provider.admits_new, provider.is_required = form.admits_new, form.is_required


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
        admits_new=provider.admits_new,
        is_required=provider.is_required,
    )


def change_provider(
    session: Session, platform: Platform, viewer: Viewer, provider_id: str, form: ProviderForm
) -> SsoProvider:
    """Raises Forbidden, NotFound, CannotGrant, InvalidForm."""
    actor = lock_for(session, viewer, PERMISSION)
    provider = find_provider(session, viewer.workspace_id, provider_id)
    before = form_of(provider)
    if (before.role, before.permissions) != (form.role, form.permissions):
        check_grant(actor, viewer, form)
    if before.issuer != form.issuer and not form.client_secret:
        raise InvalidForm("Another issuer has another client secret: enter that, too.")
    if (before.issuer, before.client_id) != (form.issuer, form.client_id):
        session.execute(delete(SsoIdentity).where(SsoIdentity.provider_id == provider.id))
        end_sessions(session, provider.id)
    is_decisive = any(getattr(before, field) != getattr(form, field) for field in DECISIVE)
    write(provider, form)
    if form.client_secret:
        provider.client_secret_enc = platform.vault.seal(form.client_secret.encode(), provider.id)
    if form_of(provider) != before or form.client_secret:
        note(session, platform, viewer, provider, "sso.changed", **facts(form), new_secret=bool(form.client_secret))
    if is_decisive and not is_full_admin(actor, viewer):
        switch_off(session, platform, viewer, provider)
    session.flush()
    return provider


def secret_of(platform: Platform, provider: SsoProvider) -> str:
    return platform.vault.unseal(provider.client_secret_enc, provider.id).decode()


def enable_provider(session: Session, platform: Platform, viewer: Viewer, provider_id: str) -> None:
    """Raises Forbidden, NotFound, SsoAdminNeeded: whom it vouches for comes in as that member, an admin too."""
    actor = lock_for(session, viewer, PERMISSION)
    provider = find_provider(session, viewer.workspace_id, provider_id)
    if not is_full_admin(actor, viewer):
        raise SsoAdminNeeded
    if provider.disabled_at is not None:
        provider.disabled_at = None
        note(session, platform, viewer, provider, "sso.enabled")


def disable_provider(session: Session, platform: Platform, viewer: Viewer, provider_id: str) -> None:
    """Nobody comes in by it, and who did is signed out. Raises Forbidden, NotFound."""
    lock_for(session, viewer, PERMISSION)
    switch_off(session, platform, viewer, find_provider(session, viewer.workspace_id, provider_id))


def switch_off(session: Session, platform: Platform, viewer: Viewer, provider: SsoProvider) -> None:
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
        "admits_new": form.admits_new,
        "required": form.is_required,
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
