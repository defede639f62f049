"""Users, sessions and one-time links."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import LinkExpired, LinkNeeded, SignInRefused, WeakPassword, WrongPassword
from cloudlet.control.accounts.passwords import hash_password, is_correct
from cloudlet.control.accounts.tables import EmailToken, User, WebSession
from cloudlet.control.errors import NotFound
from cloudlet.control.platform import Platform
from cloudlet.license.canonical import to_base64url

SESSION_DAYS = 14
SUDO_MINUTES = 15
LINK_MINUTES = 15
LEAST_PASSWORD = 10
LARGEST_PASSWORD = 200
SEEN_AGAIN = timedelta(minutes=1)  # `last_seen_at` is not written on every page view


def find_user(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def create_user(
    session: Session, platform: Platform, email: str, *, name: str = "", password: str | None = None
) -> User:
    """A user with a verified address (the operator vouches for it)."""
    user = User(
        id=platform.new_id("usr"),
        email=email.strip(),
        email_verified_at=platform.now(),
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
    if not is_correct(user.password_hash if user else None, password) or user is None or user.disabled_at:
        raise SignInRefused
    return user


def open_session(session: Session, platform: Platform, user: User, *, ip: str, user_agent: str, with_sudo: bool) -> str:
    """A new session; returns the cookie's value. `with_sudo`: the user has just proved who they are."""
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
            expires_at=platform.later(days=SESSION_DAYS),
            sudo_until=platform.later(minutes=SUDO_MINUTES) if with_sudo else None,
        )
    )
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


def confirm_password(session: Session, platform: Platform, session_id: str, password: str) -> datetime:
    """Re-authentication: what needs it is open until the returned time. Raises WrongPassword."""
    found = session.get_one(WebSession, session_id)
    user = session.get_one(User, found.user_id)
    if not is_correct(user.password_hash, password):
        raise WrongPassword
    found.sudo_until = platform.later(minutes=SUDO_MINUTES)
    return found.sudo_until


def make_link(session: Session, platform: Platform, user: User, purpose: str, minutes: int = LINK_MINUTES) -> str:
    """The secret part of a one-time link."""
    secret = to_base64url(platform.effects.random_bytes(32))
    session.add(
        EmailToken(
            hash=platform.vault.lookup_hash("link:" + purpose, secret),
            user_id=user.id,
            purpose=purpose,
            created_at=platform.now(),
            expires_at=platform.later(minutes=minutes),
        )
    )
    return secret


def find_link(session: Session, platform: Platform, purpose: str, secret: str) -> User:
    """Whose link it is, without using it up. Raises LinkExpired."""
    user = session.scalar(
        select(User)
        .join(EmailToken, EmailToken.user_id == User.id)
        .where(
            EmailToken.hash == platform.vault.lookup_hash("link:" + purpose, secret),
            EmailToken.used_at.is_(None),
            EmailToken.expires_at > platform.now(),
            User.disabled_at.is_(None),
        )
    )
    if user is None:
        raise LinkExpired
    return user


def use_link(session: Session, platform: Platform, purpose: str, secret: str) -> User:
    """Use it up; of two at the same time one wins. Raises LinkExpired."""
    user = find_link(session, platform, purpose, secret)
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
        raise LinkExpired
    return user


def forget_expired(session: Session, platform: Platform) -> None:
    """Sessions and links that are over; they mean nothing any more, and say who was there when."""
    session.execute(delete(WebSession).where(WebSession.expires_at <= platform.now()))
    session.execute(delete(EmailToken).where(EmailToken.expires_at <= platform.later(days=-1)))


def change_password(session: Session, platform: Platform, session_id: str, *, current: str, new: str) -> None:
    """Set or change it, and close the user's other sessions: who else knew the old password is out.

    The old one must be given; who has none must have proved who they are a moment ago.
    Raises WrongPassword, WeakPassword, LinkNeeded.
    """
    here = session.get_one(WebSession, session_id)
    user = session.get_one(User, here.user_id)
    if user.password_hash is not None:
        if not is_correct(user.password_hash, current):
            raise WrongPassword
    elif here.sudo_until is None or here.sudo_until <= platform.now():
        raise LinkNeeded
    if not LEAST_PASSWORD <= len(new) <= LARGEST_PASSWORD or new.strip().lower() == user.email.lower():
        raise WeakPassword(f"Choose {LEAST_PASSWORD} characters or more, and not your e-mail address.")
    user.password_hash = hash_password(new)
    close_other_sessions(session, user.id, here.id)


def sessions_of(session: Session, platform: Platform, user_id: str) -> list[WebSession]:
    """The living ones, last seen first."""
    return list(
        session.scalars(
            select(WebSession)
            .where(WebSession.user_id == user_id, WebSession.expires_at > platform.now())
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


def close_other_sessions(session: Session, user_id: str, session_id: str) -> None:
    session.execute(delete(WebSession).where(WebSession.user_id == user_id, WebSession.id != session_id))
