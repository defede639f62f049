"""New accounts: signing up and confirming the address, and what follows an address that changes.

Whoever fills in the form learns nothing about an address: the answer is the same for one that has an account, whose owner
gets a mail about it. A link of the mail does its work with one click in the browser that signed up; in another one the
password is asked for, so that nobody confirms an account that somebody else made with their address.
"""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import LinkExpired, SignUpClosed, WrongPassword
from cloudlet.control.accounts.passwords import hash_password, is_correct
from cloudlet.control.accounts.rules import checked_email, checked_name, checked_password
from cloudlet.control.accounts.service import (
    close_all_sessions,
    create_user,
    end_links,
    find_link,
    find_user,
    make_link,
    prove_owner,
    record_for,
    stored_email,
    tell,
    use_link,
)
from cloudlet.control.accounts.tables import User
from cloudlet.control.errors import InvalidForm
from cloudlet.control.mail.service import send_letter
from cloudlet.control.platform import Platform

VERIFY_HOURS = 24


def require_sign_up(platform: Platform) -> None:
    """Raises SignUpClosed where accounts are made by invitation, or by the operator alone."""
    if platform.settings.signup != "open":
        raise SignUpClosed(
            hint="Ask its operator for an account." if platform.settings.signup == "closed" else SignUpClosed.hint
        )


def sign_up(session: Session, platform: Platform, *, name: str, email: str, password: str, browser: str) -> None:
    """A new account, or a mail to the owner of the one that exists. `browser` is the value of this browser's cookie.

    An account whose address nobody confirmed is made anew: it belongs to whoever confirms it.
    Raises SignUpClosed, InvalidForm, WeakPassword.
    """
    require_sign_up(platform)
    name, email = checked_name(name), checked_email(email)
    password_hash = hash_password(checked_password(password, email, name))
    user = find_user(session, email)
    if user is None:
        try:
            with session.begin_nested():
                user = create_user(session, platform, email, is_verified=False)
        except IntegrityError:
            user = find_user(session, email)  # another request was first
    if user is None or user.disabled_at is not None:
        return
    if user.email_verified_at is not None:
        send_letter(session, platform, "account_exists", user.email, name=user.name)
        return
    user.name, user.password_hash = name, password_hash
    close_all_sessions(session, user.id)
    end_links(session, user.id, "verify", "reset", "half", "magic")
    send_verification(session, platform, user, browser)


def send_verification(session: Session, platform: Platform, user: User, browser: str = "") -> None:
    """The mail does not repeat the name that somebody typed: they could have typed anything, to anybody."""
    detail = browser_hash(platform, browser) if browser else None
    secret = make_link(session, platform, user, "verify", VERIFY_HOURS * 60, detail)
    link = f"{platform.settings.base_url}/verify/{secret}"
    send_letter(session, platform, "verify", user.email, link=link, hours=VERIFY_HOURS)


def resend_verification(session: Session, platform: Platform, user_id: str) -> None:
    """For a user who is signed in, with the password, and has not confirmed the address."""
    user = session.get_one(User, user_id)
    if user.email_verified_at is None:
        send_verification(session, platform, user)


def verification_of(
    session: Session, platform: Platform, secret: str, *, browser: str, session_user: str
) -> tuple[User, bool]:
    """Whose address a link confirms, and whether this browser may without the password. Raises LinkExpired."""
    user, detail = find_link(session, platform, "verify", secret)
    signed_up_here = bool(browser) and detail == browser_hash(platform, browser)
    return user, signed_up_here or session_user == user.id


def verify(session: Session, platform: Platform, secret: str, *, is_theirs: bool, password: str, ip: str) -> User:
    """The address is confirmed. Raises LinkExpired, WrongPassword."""
    user, _ = find_link(session, platform, "verify", secret)
    if not is_theirs and not is_correct(user.password_hash, password):
        raise WrongPassword
    use_link(session, platform, "verify", secret)
    confirm_address(session, platform, user, ip)
    return user


def confirm_address(session: Session, platform: Platform, user: User, ip: str) -> None:
    """They read the mail that we sent there."""
    end_links(session, user.id, "verify")
    if user.email_verified_at is None:
        user.email_verified_at = platform.now()
        record_for(session, platform, user.id, "account.email_verified", ip)


def browser_hash(platform: Platform, browser: str) -> str:
    return platform.vault.lookup_hash("sign-up", browser)


def rename(session: Session, platform: Platform, user_id: str, name: str, ip: str) -> None:
    """Raises InvalidForm."""
    user = session.get_one(User, user_id)
    found = checked_name(name)
    if found != user.name:
        user.name = found
        record_for(session, platform, user.id, "account.renamed", ip)


def ask_for_email(
    session: Session, platform: Platform, session_id: str, *, email: str, password: str, code: str = ""
) -> str:
    """Mail a link to the new address; only that moves the account. Returns the address.

    The owner of an account that has this address gets a mail instead. Raises InvalidForm, and as `prove_owner`.
    """
    user = prove_owner(session, platform, session_id, password, code)
    email = checked_email(email)
    if email == user.email:
        raise InvalidForm("That is the address that you have.")
    other = find_user(session, email)
    if other is not None and other.id != user.id and other.email_verified_at is not None:
        if other.disabled_at is None:
            send_letter(session, platform, "account_exists", other.email, name=other.name)
        return email
    end_links(session, user.id, "email")
    secret = make_link(session, platform, user, "email", VERIFY_HOURS * 60, email)
    link = f"{platform.settings.base_url}/account/email/{secret}"
    send_letter(session, platform, "email_change", email, name=user.name, old=user.email, link=link, hours=VERIFY_HOURS)
    return email


def change_email(session: Session, platform: Platform, secret: str, ip: str) -> User:
    """The account moves to the address of the link, and the old one is told. Raises LinkExpired."""
    _, email = find_link(session, platform, "email", secret)
    user = use_link(session, platform, "email", secret)
    other = find_user(session, email)
    if other is not None and other.id != user.id:
        if other.email_verified_at is not None:
            raise LinkExpired("Another account has this address meanwhile.")
        session.delete(other)  # nobody ever confirmed it
        session.flush()
    tell(session, platform, user, "email_changed", new=email)
    try:
        with session.begin_nested():
            user.email, user.email_verified_at = stored_email(email), platform.now()
    except IntegrityError as error:  # somebody took the address at this moment
        raise LinkExpired("Another account has this address meanwhile.") from error
    end_links(session, user.id, "verify", "reset", "magic", "half")
    record_for(session, platform, user.id, "account.email_changed", ip)
    session.flush()
    return user
