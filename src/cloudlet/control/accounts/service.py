"""Users, sessions and one-time links."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import delete, func, select, true, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import FreshSignInNeeded, LinkExpired, LinkNeeded, SignInRefused, WrongPassword
from cloudlet.control.accounts.passwords import hash_password, is_correct
from cloudlet.control.accounts.rules import checked_password
from cloudlet.control.accounts.second_factor import accept, recovery_codes_left
from cloudlet.control.accounts.tables import EmailToken, User, WebSession
from cloudlet.control.audit.service import record
from cloudlet.control.errors import NotFound
from cloudlet.control.mail.service import send_letter
from cloudlet.control.platform import Platform
from cloudlet.control.workspaces.tables import Membership, Workspace
from cloudlet.license.canonical import to_base64url

SESSION_DAYS = 14
SUDO_MINUTES = 15
LINK_MINUTES = 15
LINK_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "magic": "Links work once and for a short time. Run `cloudlet admin bootstrap` for a new one.",
        "verify": "Sign in with your password to get a new one.",
        "reset": "Ask for a new one on the page “Forgot your password?”.",
        "email": "Enter the new address on your account page again.",
    }
)
SEEN_AGAIN = timedelta(minutes=1)  # `last_seen_at` is not written on every page view


def find_user(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def stored_email(email: str) -> str:
    """As it is typed, but for capital letters beyond ASCII: not every database can tell that Ä and ä are one."""
    return "".join(letter if letter.isascii() else letter.lower() for letter in email.strip())


def create_user(
    session: Session,
    platform: Platform,
    email: str,
    *,
    name: str = "",
    password: str | None = None,
    is_verified: bool = True,
) -> User:
    """A new user. `is_verified`: an operator, a provider or a mail that they answered vouches for the address.

    Raises IntegrityError when there is one with that address.
    """
    user = User(
        id=platform.new_id("usr"),
        email=stored_email(email),
        email_verified_at=platform.now() if is_verified else None,
        name=name,
        password_hash=hash_password(password) if password else None,
        created_at=platform.now(),
    )
    session.add(user)
    session.flush()
    return user


def sign_in(session: Session, email: str, password: str) -> User:
    """Raises SignInRefused, for every reason with the same words and after the same time."""
    user = find_user(session, email)
    fits = is_correct(user.password_hash if user else None, password)
    if fits and user is not None and user.disabled_at is None:
        return user
    refused = SignInRefused()
    refused.user_id = user.id if user else ""
    refused.reason = "disabled" if fits else "password"
    raise refused


def open_session(
    session: Session,
    platform: Platform,
    user: User,
    *,
    ip: str,
    user_agent: str,
    with_sudo: bool,
    how: str = "password",
    sso_provider_id: str | None = None,
    only_workspace_id: str | None = None,
) -> str:
    """A new session; returns the cookie's value. `with_sudo`: the user has just proved who they are.

    `how` they did is for the audit log: password, code, link, invitation, sso.
    By single sign-on it is for a day: who is gone at the provider is gone here soon.
    """
    value = to_base64url(platform.effects.random_bytes(32))
    session.add(
        WebSession(
            id=platform.new_id("ses"),
            user_id=user.id,
            hash=platform.vault.lookup_hash("session", value),
            ip=ip[:45],
            user_agent=user_agent[:300],
            created_at=platform.now(),
            last_seen_at=platform.now(),
            expires_at=platform.later(days=1 if sso_provider_id else SESSION_DAYS),
            sudo_until=platform.later(minutes=SUDO_MINUTES) if with_sudo else None,
            sso_provider_id=sso_provider_id,
            only_workspace_id=only_workspace_id,
        )
    )
    session.flush()
    record_for(session, platform, user.id, "account.signed_in", ip, only=only_workspace_id, how=how)
    return value


def find_session(session: Session, platform: Platform, value: str) -> tuple[WebSession, User] | None:
    """The living session of a cookie, and its user."""
    row = session.execute(
        select(WebSession, User)
        .join(User, User.id == WebSession.user_id)
        .where(
            WebSession.hash == platform.vault.lookup_hash("session", value),
            WebSession.expires_at > platform.now(),
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def touch_session(session: Session, session_id: str, now: datetime) -> None:
    session.execute(update(WebSession).where(WebSession.id == session_id).values(last_seen_at=now))


def close_session(session: Session, session_id: str) -> None:
    found = session.get(WebSession, session_id)
    if found:
        session.delete(found)


def confirm_password(session: Session, platform: Platform, session_id: str, password: str, code: str = "") -> datetime:
    """Re-authentication: what needs it is open until the returned time. Who has a second factor gives its `code` too.

    Raises WrongPassword, WrongCode, and LinkNeeded for who has no password.
    """
    found = session.get_one(WebSession, session_id)
    user = session.get_one(User, found.user_id)
    if user.password_hash is None:
        raise LinkNeeded
    if not is_correct(user.password_hash, password):
        raise WrongPassword
    if user.totp_secret_enc is not None:
        take_code(session, platform, user, code)
    found.sudo_until = platform.later(minutes=SUDO_MINUTES)
    return found.sudo_until


def make_link(
    session: Session,
    platform: Platform,
    user: User,
    purpose: str,
    minutes: int = LINK_MINUTES,
    detail: str | None = None,
) -> str:
    """The secret part of a one-time link."""
    secret = to_base64url(platform.effects.random_bytes(32))
    session.add(
        EmailToken(
            hash=platform.vault.lookup_hash("link:" + purpose, secret),
            user_id=user.id,
            purpose=purpose,
            detail=detail,
            created_at=platform.now(),
            expires_at=platform.later(minutes=minutes),
        )
    )
    return secret


def find_link(session: Session, platform: Platform, purpose: str, secret: str) -> tuple[User, str]:
    """Whose link it is and its detail, without using it up. Raises LinkExpired."""
    row = session.execute(
        select(User, EmailToken.detail)
        .join(EmailToken, EmailToken.user_id == User.id)
        .where(
            EmailToken.hash == platform.vault.lookup_hash("link:" + purpose, secret),
            EmailToken.used_at.is_(None),
            EmailToken.expires_at > platform.now(),
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise LinkExpired(hint=LINK_HINTS.get(purpose, ""))
    return row[0], row[1] or ""


def use_link(session: Session, platform: Platform, purpose: str, secret: str) -> User:
    """Use it up; of two at the same time one wins. Raises LinkExpired."""
    user, _ = find_link(session, platform, purpose, secret)
    used = session.execute(
        update(EmailToken)
        .where(
            EmailToken.hash == platform.vault.lookup_hash("link:" + purpose, secret),
            EmailToken.used_at.is_(None),
        )
        .values(used_at=platform.now())
        .returning(EmailToken.hash)
    ).all()
    if not used:
        raise LinkExpired(hint=LINK_HINTS.get(purpose, ""))
    return user


def end_links(session: Session, user_id: str, *purposes: str) -> None:
    session.execute(delete(EmailToken).where(EmailToken.user_id == user_id, EmailToken.purpose.in_(purposes)))


def take_code(session: Session, platform: Platform, user: User, code: str, ip: str = "") -> None:
    """A code of the second factor, or a recovery code, of which its owner hears. Raises WrongCode, NoSecondFactor."""
    if accept(session, platform, user, code):
        tell(session, platform, user, "recovery_code_used", left=recovery_codes_left(session, user.id))
        record_for(session, platform, user.id, "account.recovery_code_used", ip)


def record_for(
    session: Session,
    platform: Platform,
    user_id: str,
    action: str,
    ip: str = "",
    *,
    actor: str = "",
    only: str | None = None,
    **data: str,
) -> None:
    """What a user did to their account is in the audit log of each workspace that they belong to, or of `only` that one.

    `actor`: who else did it.
    """
    workspaces = session.scalars(
        select(Membership.workspace_id)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.user_id == user_id, Membership.status == "active", Workspace.deleted_at.is_(None))
        .where(Membership.workspace_id == only if only else true())
        .order_by(Membership.workspace_id)
    )
    for workspace_id in workspaces.all():
        record(
            session,
            platform,
            workspace_id,
            actor=actor or "user:" + user_id,
            action=action,
            target=user_id,
            ip=ip,
            data={**data},
        )


def forget_expired(session: Session, platform: Platform) -> None:
    """Sessions and links that are over; they mean nothing any more, and say who was there when."""
    session.execute(delete(WebSession).where(WebSession.expires_at <= platform.now()))
    session.execute(delete(EmailToken).where(EmailToken.expires_at <= platform.later(days=-1)))


def prove_owner(session: Session, platform: Platform, session_id: str, password: str, code: str = "") -> User:
    """By the password; who has a second factor gives its `code` too, unless they signed in a moment ago.

    Who has no password must have done that. Raises WrongPassword, WrongCode, LinkNeeded, FreshSignInNeeded.
    """
    here = session.get_one(WebSession, session_id)
    user = session.get_one(User, here.user_id)
    # what an identity provider says counts in its own workspace; the account is more than that
    is_fresh = here.sudo_until is not None and here.sudo_until > platform.now() and here.only_workspace_id is None
    if user.password_hash is None and not is_fresh:
        raise LinkNeeded(hint="Set a password by “Forgot your password?”." if here.only_workspace_id else "")
    if user.password_hash is not None and not is_correct(user.password_hash, password):
        raise WrongPassword
    if user.totp_secret_enc is not None and not is_fresh:
        if not code:
            raise FreshSignInNeeded
        take_code(session, platform, user, code)
    return user


def change_password(
    session: Session, platform: Platform, session_id: str, *, current: str, new: str, code: str = "", ip: str = ""
) -> None:
    """Set or change it, and close the user's other sessions: who else knew the old password is out.

    Raises WeakPassword, and as `prove_owner`.
    """
    user = prove_owner(session, platform, session_id, current, code)
    user.password_hash = hash_password(checked_password(new, user.email, user.name))
    close_other_sessions(session, user.id, session_id)
    end_links(session, user.id, "reset", "magic", "half")
    tell(session, platform, user, "password_changed", how="on the account page")
    record_for(session, platform, user.id, "account.password_changed", ip)


def tell(session: Session, platform: Platform, user: User, kind: str, **facts: object) -> None:
    """A letter to the user about their account."""
    send_letter(session, platform, kind, user.email, name=user.name, at=platform.now(), **facts)


def sessions_of(session: Session, platform: Platform, user_id: str, only: str = "") -> list[WebSession]:
    """The living ones, last seen first; those of single sign-on to the workspace `only`, where that is given."""
    return list(
        session.scalars(
            select(WebSession)
            .where(WebSession.user_id == user_id, WebSession.expires_at > platform.now())
            .where(WebSession.only_workspace_id == only if only else true())
            .order_by(WebSession.last_seen_at.desc(), WebSession.id.desc())
            .limit(50)
        )
    )


def close_own_session(session: Session, user_id: str, session_id: str) -> None:
    """Raises NotFound, for another user's session too."""
    found = session.get(WebSession, session_id)
    if found is None or found.user_id != user_id:
        raise NotFound
    session.delete(found)


def close_other_sessions(session: Session, user_id: str, session_id: str, only: str = "") -> None:
    """All but this one; those of single sign-on to the workspace `only`, where that is given."""
    session.execute(
        delete(WebSession)
        .where(WebSession.user_id == user_id, WebSession.id != session_id)
        .where(WebSession.only_workspace_id == only if only else true())
    )


def close_all_sessions(session: Session, user_id: str) -> None:
    session.execute(delete(WebSession).where(WebSession.user_id == user_id))
