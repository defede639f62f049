"""Signing in (by password or by a one-time link, then by the second factor) and out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, unquote

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.entry import (
    HALF,
    HALF_COOKIE,
    NEXT_COOKIE,
    enter,
    half_cookie,
    next_cookie,
    start_session,
    welcome,
)
from cloudlet.control.accounts.errors import LinkExpired, SignInRefused, WrongCode
from cloudlet.control.accounts.forms import CodeForm, LinkForm, SignInForm
from cloudlet.control.accounts.limits import (
    check_code_tries,
    check_password_tries,
    forgive_code_tries,
    forgive_password_tries,
)
from cloudlet.control.accounts.refused import noting
from cloudlet.control.accounts.service import (
    close_session,
    find_link,
    sign_in,
    take_code,
    use_link,
)
from cloudlet.control.given import CurrentAccount, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page, safe_next
from cloudlet.control.permissions import PUBLIC, SIGNED_IN_UNVERIFIED, requires
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import session_cookie

DONE: Mapping[str, str] = MappingProxyType(
    {
        "reset": "Your new password is set, and all browsers were signed out. Sign in with it.",
        "email": "Your new e-mail address is confirmed. Sign in with it from now on.",
        "expired": "That took more than ten minutes. Please sign in again.",
    }
)


@get("/", opt=requires(PUBLIC), sync_to_thread=False)
def show_home() -> Redirect:
    return go("/getting-started")


@get("/sign-in", opt=requires(PUBLIC), sync_to_thread=False)
def show_sign_in(platform: ThePlatform, next: FromQuery[str] = "/", done: FromQuery[str] = "") -> Template:
    target = safe_next(next)
    answer = page("sign_in.html", next=target, email="", done=DONE.get(done, ""), signup=platform.settings.signup)
    if next != "/":
        answer.set_cookie(next_cookie(quote(target), platform))
    return answer


@post("/sign-in", opt=requires(PUBLIC))
@in_thread
def submit_sign_in(
    request: WebRequest, data: URLEncodedBody[SignInForm], database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    check_password_tries(database, platform, client_ip(request), data.email)
    try:
        with database.transaction() as session:
            user = sign_in(session, data.email, data.password)
            forgive_password_tries(session, platform, client_ip(request), data.email)
            entry = enter(session, platform, request, user)
    except SignInRefused as error:
        answer = page(
            "sign_in.html",
            next=safe_next(data.next),
            email=data.email,
            problem=error.detail,
            signup=platform.settings.signup,
            status=error.status,
        )
        answer.background = noting(database, platform, error.user_id, client_ip(request), error.reason)
        return answer
    return welcome(entry, platform, data.next)


@get("/sign-in/code", opt=requires(PUBLIC))
@in_thread
def show_code(
    request: WebRequest, database: TheDatabase, platform: ThePlatform, next: FromQuery[str] = "/"
) -> Template | Redirect:
    """The second factor, in the ten minutes after the password."""
    try:
        with database.snapshot() as session:
            find_link(session, platform, HALF, request.cookies.get(HALF_COOKIE, ""))
    except LinkExpired:
        return go("/sign-in")
    return page("sign_in_code.html", next=safe_next(next))


@post("/sign-in/code", opt=requires(PUBLIC))
@in_thread
def submit_code(
    request: WebRequest, data: URLEncodedBody[CodeForm], database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    half = request.cookies.get(HALF_COOKIE, "")
    try:
        with database.snapshot() as session:
            user_id = find_link(session, platform, HALF, half)[0].id
    except LinkExpired:
        return go("/sign-in?done=expired")
    check_code_tries(database, platform, user_id)
    try:
        with database.transaction() as session:
            user = use_link(session, platform, HALF, half)
            take_code(session, platform, user, data.code, client_ip(request))
            forgive_code_tries(session, user.id)
            value = start_session(session, platform, request, user, how="code")
    except LinkExpired:
        return go("/sign-in?done=expired")
    except WrongCode as error:
        refused = page("sign_in_code.html", next=safe_next(data.next), problem=error, status=401)
        refused.background = noting(database, platform, user_id, client_ip(request), "code")
        return refused
    answer = go(safe_next(data.next))
    answer.set_cookie(session_cookie(value, platform))
    answer.set_cookie(half_cookie("", platform))
    return answer


@get("/sign-in/link/{secret:str}", opt=requires(PUBLIC))
@in_thread
def show_link(
    request: WebRequest,
    secret: FromPath[str],
    database: TheDatabase,
    platform: ThePlatform,
    next: FromQuery[str] = "",
) -> Template:
    """Looking at the link does not use it up: mail scanners and link previews look too.

    It leads to `next`, or to the page at which this browser was asked to sign in.
    """
    with database.snapshot() as session:
        email = find_link(session, platform, "magic", secret)[0].email
    return page("sign_in_link.html", email=email, next=safe_next(next or unquote(request.cookies.get(NEXT_COOKIE, ""))))


@post("/sign-in/link/{secret:str}", opt=requires(PUBLIC))
@in_thread
def submit_link(
    request: WebRequest,
    secret: FromPath[str],
    data: URLEncodedBody[LinkForm],
    database: TheDatabase,
    platform: ThePlatform,
) -> Redirect:
    with database.transaction() as session:
        entry = enter(session, platform, request, use_link(session, platform, "magic", secret), how="link")
    answer = welcome(entry, platform, data.next)
    if NEXT_COOKIE in request.cookies:
        answer.set_cookie(next_cookie("", platform))
    return answer


@post("/sign-out", opt=requires(SIGNED_IN_UNVERIFIED))
@in_thread
def submit_sign_out(account: CurrentAccount, database: TheDatabase, platform: ThePlatform) -> Redirect:
    with database.transaction() as session:
        close_session(session, account.session_id)
    answer = go("/sign-in")
    answer.set_cookie(session_cookie("", platform))
    return answer


ROUTES = (
    show_home,
    show_sign_in,
    submit_sign_in,
    show_code,
    submit_code,
    show_link,
    submit_link,
    submit_sign_out,
)
