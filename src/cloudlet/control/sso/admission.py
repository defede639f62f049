"""Who somebody is here, whom a provider vouches for, and whether they may in.

    known   by the provider's own name for them (subject), whatever their address is by now
    link    by their address, when it is a member's of this workspace already
    new     nobody has the address: they get an account, and join by the provider's default

An account that is not of this workspace is never taken over: the provider speaks for its workspace alone. For the same
reason the session that follows opens that workspace alone.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.accounts.rules import checked_email
from cloudlet.control.accounts.service import close_all_sessions, create_user, end_links, find_user
from cloudlet.control.accounts.tables import User
from cloudlet.control.audit.service import record
from cloudlet.control.errors import InvalidForm
from cloudlet.control.licenses.seats import lock_seats
from cloudlet.control.members.invitations import join
from cloudlet.control.members.tables import Invitation
from cloudlet.control.platform import Platform
from cloudlet.control.sso.errors import (
    SsoDisabled,
    SsoEmail,
    SsoForeignAccount,
    SsoOff,
    SsoRefused,
    SsoRemoved,
    SsoUninvited,
)
from cloudlet.control.sso.tables import SsoIdentity, SsoProvider
from cloudlet.control.sso.tokens import Person
from cloudlet.control.workspaces.service import add_member
from cloudlet.control.workspaces.tables import Membership


class Verdict(msgspec.Struct, frozen=True):
    """`user` is None where there is nobody with that address."""

    kind: Literal["known", "link", "new"]
    user: User | None
    identity: SsoIdentity | None = None


def judge(session: Session, platform: Platform, provider: SsoProvider, person: Person) -> Verdict:
    """Changes nothing. Raises SsoEmail, SsoForeignAccount, SsoRemoved, SsoDisabled, SsoUninvited, SsoRefused."""
    check_email(provider, person)
    identity = session.scalar(
        select(SsoIdentity).where(SsoIdentity.provider_id == provider.id, SsoIdentity.subject == person.subject)
    )
    user = session.get_one(User, identity.user_id) if identity else find_user(session, person.email)
    if user is None or (identity is None and is_nobodys(session, user)):
        if platform.settings.signup == "closed":
            raise SsoRefused("The operator of this Cloudlet makes the accounts.", hint="Ask them for one.")
        if not provider.admits_new and not is_invited(session, platform, provider, person):
            raise SsoUninvited
        return Verdict("new", user)
    if user.disabled_at is not None:
        raise SsoDisabled
    statuses = set(
        session.scalars(
            select(Membership.status).where(
                Membership.workspace_id == provider.workspace_id, Membership.user_id == user.id
            )
        )
    )
    if "active" not in statuses:
        if statuses or identity is not None:
            raise SsoRemoved
        raise SsoForeignAccount(
            f"Somebody has signed up as {person.email}, and is no member of this workspace; nothing was changed."
        )
    if identity is not None:
        return Verdict("known", user, identity)
    if session.scalar(
        select(SsoIdentity.id).where(SsoIdentity.provider_id == provider.id, SsoIdentity.user_id == user.id)
    ):
        raise SsoForeignAccount(
            f"The provider knew {person.email} by another name before: an address may have passed to somebody else.",
            hint="If it is still you, an admin can unlink the old one on the page Single sign-on.",
        )
    return Verdict("link", user)


def is_invited(session: Session, platform: Platform, provider: SsoProvider, person: Person) -> bool:
    found = find_invited(session, provider.workspace_id, person.email)
    return found is not None and found[0].expires_at > platform.now()


def find_invited(session: Session, workspace_id: str, email: str) -> tuple[Invitation, Membership] | None:
    """An invitation to that address that nobody accepted, perhaps too old by now."""
    row = session.execute(
        select(Invitation, Membership)
        .join(Membership, Membership.id == Invitation.membership_id)
        .where(
            Membership.workspace_id == workspace_id,
            Membership.invited_email == email.lower(),
            Membership.status == "invited",
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def check_email(provider: SsoProvider, person: Person) -> None:
    """Raises SsoEmail."""
    try:
        checked_email(person.email)
    except InvalidForm:
        raise SsoEmail(
            f"{provider.name} told no e-mail address.", hint="The scope “email”, or a claim of that name, is missing."
        ) from None
    if not person.email_verified:
        raise SsoEmail(
            f"{provider.name} does not say that {person.email} is yours (email_verified).",
            hint="Confirm the address there, or ask whoever runs the provider.",
        )
    if person.email.rpartition("@")[2].lower() not in provider.domains:
        raise SsoEmail(f"{person.email} is not of {' or '.join(provider.domains)}.")


def is_nobodys(session: Session, user: User) -> bool:
    """Somebody typed the address into the sign-up form, and nobody ever confirmed it."""
    return user.email_verified_at is None and not session.scalar(
        select(Membership.id).where(Membership.user_id == user.id).limit(1)
    )


def admit(session: Session, platform: Platform, provider_id: str, person: Person) -> User:
    """The user who comes in; linked, and a member. The workspace is locked, so each happens once.

    Raises as `judge`, and SsoOff where the provider was switched off or deleted a moment ago.
    """
    workspace_id = session.scalar(select(SsoProvider.workspace_id).where(SsoProvider.id == provider_id))
    if workspace_id is None:
        raise SsoOff
    lock_seats(session, workspace_id)
    provider = session.get(SsoProvider, provider_id, populate_existing=True)
    if provider is None or provider.disabled_at is not None:
        raise SsoOff
    verdict = judge(session, platform, provider, person)
    if verdict.identity is not None and verdict.user is not None:
        verdict.identity.last_used_at = platform.now()
        return verdict.user
    user = (
        verdict.user if verdict.kind == "link" and verdict.user else newcomer(session, platform, verdict.user, person)
    )
    session.add(
        SsoIdentity(
            id=platform.new_id("sid"),
            provider_id=provider.id,
            user_id=user.id,
            subject=person.subject,
            created_at=platform.now(),
            last_used_at=platform.now(),
        )
    )
    session.flush()
    if verdict.kind == "new":
        become_member(session, platform, provider, user)
    record(
        session,
        platform,
        provider.workspace_id,
        actor="user:" + user.id,
        action="sso.linked",
        target=provider.id,
        data={"name": provider.name, "email": person.email},
    )
    return user


def newcomer(session: Session, platform: Platform, found: User | None, person: Person) -> User:
    """A new account, or the one that nobody confirmed, made anew. Raises SsoForeignAccount."""
    if found is not None:
        found.password_hash, found.name, found.email_verified_at = None, person.name, platform.now()
        close_all_sessions(session, found.id)
        end_links(session, found.id, "verify", "reset", "half", "magic", "email")
        return found
    try:
        with session.begin_nested():
            return create_user(session, platform, person.email, name=person.name)
    except IntegrityError as error:  # they signed up elsewhere at this moment
        raise SsoForeignAccount from error


def become_member(session: Session, platform: Platform, provider: SsoProvider, user: User) -> None:
    """By an open invitation to that address, which may give more, or else by the provider's default."""
    row = find_invited(session, provider.workspace_id, user.email)
    if row is not None and row[0].expires_at > platform.now():
        join(session, platform, row[0], row[1], user)
        return
    if row is not None:
        session.execute(delete(Invitation).where(Invitation.membership_id == row[1].id))
        session.delete(row[1])
        session.flush()
    member = add_member(session, platform, provider.workspace_id, user, role=provider.default_role)
    member.permissions = provider.default_permissions
    record(
        session,
        platform,
        provider.workspace_id,
        actor="user:" + user.id,
        action="member.joined",
        target=member.id,
        data={"role": member.role, "sso": provider.id},
    )
