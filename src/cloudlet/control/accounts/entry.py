"""Letting people in: a session for who proved all that they have to, half of one for who owes the second factor."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from litestar.datastructures import Cookie
from litestar.response import Redirect
from sqlalchemy.orm import Session

from cloudlet.control.accounts.service import make_link, open_session
from cloudlet.control.accounts.tables import User
from cloudlet.control.given import WebRequest, client_ip
from cloudlet.control.pages import go, safe_next
from cloudlet.control.platform import Platform
from cloudlet.control.sso.tables import SsoProvider
from cloudlet.control.viewer import session_cookie

HALF = "half"
HALF_COOKIE = "cloudlet_half"
HALF_PATH = "/sign-in"
HALF_MINUTES = 10
NEXT_COOKIE = "cloudlet_next"
NEXT_MINUTES = 30
BROWSER_COOKIE = "cloudlet_browser"
BROWSER_HOURS = 24


class Entry(msgspec.Struct, frozen=True):
    """The value of a session's cookie, or (`is_half`) of the cookie that waits for the second factor."""

    value: str
    is_half: bool


def enter(session: Session, platform: Platform, request: WebRequest, user: User, *, how: str = "password") -> Entry:
    """After the first proof, which `how` names: password, link."""
    if user.totp_secret_enc is not None:
        return Entry(make_link(session, platform, user, HALF, HALF_MINUTES), is_half=True)
    return Entry(start_session(session, platform, request, user, how=how), is_half=False)


def start_session(
    session: Session,
    platform: Platform,
    request: WebRequest,
    user: User,
    *,
    how: str = "password",
    provider: SsoProvider | None = None,
) -> str:
    """A session for who proved everything; in the workspace of the identity `provider` alone, when that vouches for them.

    It stands for the second factor there. Returns the cookie's value.
    """
    return open_session(
        session,
        platform,
        user,
        ip=client_ip(request),
        user_agent=request.headers.get("user-agent", ""),
        with_sudo=True,
        how="sso" if provider else how,
        sso_provider_id=provider.id if provider else None,
        only_workspace_id=provider.workspace_id if provider else None,
    )


def welcome(entry: Entry, platform: Platform, target: str) -> Redirect:
    """To the page that they wanted, or to the one that asks for the second factor."""
    if entry.is_half:
        answer = go(f"{HALF_PATH}/code?{urlencode({'next': safe_next(target)})}")
        answer.set_cookie(half_cookie(entry.value, platform))
        return answer
    answer = go(safe_next(target))
    answer.set_cookie(session_cookie(entry.value, platform))
    return answer


def half_cookie(value: str, platform: Platform) -> Cookie:
    return Cookie(
        key=HALF_COOKIE,
        value=value,
        path=HALF_PATH,
        httponly=True,
        secure=platform.settings.secure_cookies,
        samesite="lax",
        max_age=HALF_MINUTES * 60 if value else 0,
    )


def next_cookie(target: str, platform: Platform) -> Cookie:
    """Which page somebody wanted who was asked to sign in, and then took a one-time link from elsewhere."""
    return Cookie(
        key=NEXT_COOKIE,
        value=target,
        path="/sign-in",
        httponly=True,
        secure=platform.settings.secure_cookies,
        samesite="lax",
        max_age=NEXT_MINUTES * 60 if target else 0,
    )


def browser_cookie(value: str, platform: Platform) -> Cookie:
    """By it the browser that signed up is known again; it opens nothing."""
    return Cookie(
        key=BROWSER_COOKIE,
        value=value,
        path="/verify",
        httponly=True,
        secure=platform.settings.secure_cookies,
        samesite="lax",
        max_age=BROWSER_HOURS * 3600 if value else 0,
    )
