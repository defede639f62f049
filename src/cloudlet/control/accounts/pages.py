"""Signing in (by password or by a one-time link) and out."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.accounts.errors import SignInRefused
from cloudlet.control.accounts.forms import SignInForm
from cloudlet.control.accounts.service import close_session, find_link, open_session, sign_in, use_link
from cloudlet.control.accounts.tables import User
from cloudlet.control.given import CurrentAccount, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page, safe_next
from cloudlet.control.permissions import PUBLIC, SIGNED_IN_UNVERIFIED, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import session_cookie


@get("/", opt=requires(PUBLIC), sync_to_thread=False)
def show_home() -> Redirect:
    return go("/getting-started")


@get("/sign-in", opt=requires(PUBLIC), sync_to_thread=False)
def show_sign_in(next: FromQuery[str] = "/") -> Template:
    return page("sign_in.html", next=safe_next(next), email="")


@post("/sign-in", opt=requires(PUBLIC))
@in_thread
def submit_sign_in(
    request: WebRequest, data: URLEncodedBody[SignInForm], database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    try:
        with database.transaction() as session:
            value = start_session(session, platform, request, sign_in(session, data.email, data.password))
    except SignInRefused as error:
        return page(
            "sign_in.html", next=safe_next(data.next), email=data.email, problem=error.detail, status=error.status
        )
    answer = go(safe_next(data.next))
    answer.set_cookie(session_cookie(value, platform))
    return answer


@get("/sign-in/link/{secret:str}", opt=requires(PUBLIC))
@in_thread
def show_link(secret: FromPath[str], database: TheDatabase, platform: ThePlatform) -> Template:
    """Looking at the link does not use it up: mail scanners and link previews look too."""
    with database.snapshot() as session:
        email = find_link(session, platform, "magic", secret).email
    return page("sign_in_link.html", email=email)


@post("/sign-in/link/{secret:str}", opt=requires(PUBLIC))
@in_thread
def submit_link(request: WebRequest, secret: FromPath[str], database: TheDatabase, platform: ThePlatform) -> Redirect:
    with database.transaction() as session:
        value = start_session(session, platform, request, use_link(session, platform, "magic", secret))
    answer = go("/getting-started")
    answer.set_cookie(session_cookie(value, platform))
    return answer


@post("/sign-out", opt=requires(SIGNED_IN_UNVERIFIED))
@in_thread
def submit_sign_out(account: CurrentAccount, database: TheDatabase, platform: ThePlatform) -> Redirect:
    with database.transaction() as session:
        close_session(session, account.session_id)
    answer = go("/sign-in")
    answer.set_cookie(session_cookie("", platform))
    return answer


def start_session(session: Session, platform: Platform, request: WebRequest, user: User) -> str:
    return open_session(
        session,
        platform,
        user,
        ip=client_ip(request),
        user_agent=request.headers.get("user-agent", ""),
        with_sudo=True,
    )


ROUTES = (
    show_home,
    show_sign_in,
    submit_sign_in,
    show_link,
    submit_link,
    submit_sign_out,
)
