"""A forgotten password: a link by mail sets a new one."""

from __future__ import annotations

from sqlalchemy.orm import Session

from cloudlet.control.accounts.limits import forgive_password_tries
from cloudlet.control.accounts.passwords import hash_password
from cloudlet.control.accounts.rules import checked_password
from cloudlet.control.accounts.service import (
    close_all_sessions,
    end_links,
    find_user,
    make_link,
    record_for,
    tell,
    use_link,
)
from cloudlet.control.accounts.sign_up import confirm_address
from cloudlet.control.mail.service import send_letter
from cloudlet.control.platform import Platform

RESET_MINUTES = 30


def ask_for_reset(session: Session, platform: Platform, email: str) -> None:
    """Mail a link, when there is such an account; older ones end. Nobody is told whether there is."""
    user = find_user(session, email)
    if user is None or user.disabled_at is not None:
        return
    end_links(session, user.id, "reset")
    secret = make_link(session, platform, user, "reset", RESET_MINUTES)
    link = f"{platform.settings.base_url}/reset/{secret}"
    name = user.name if user.email_verified_at else ""
    send_letter(session, platform, "reset", user.email, name=name, link=link, minutes=RESET_MINUTES)


def reset_password(session: Session, platform: Platform, secret: str, new: str, ip: str) -> None:
    """The new password counts, every session ends, and the address is confirmed: the mail was read there.

    Raises LinkExpired, WeakPassword; then the link can still be used.
    """
    user = use_link(session, platform, "reset", secret)
    user.password_hash = hash_password(checked_password(new, user.email, user.name))
    close_all_sessions(session, user.id)
    end_links(session, user.id, "reset", "magic", "half")
    confirm_address(session, platform, user, ip)
    forgive_password_tries(session, platform, ip, user.email)
    tell(session, platform, user, "password_changed", how="by a link that was mailed to you")
    record_for(session, platform, user.id, "account.password_reset", ip)
