"""The page Account: name, address, password, second factor, the browsers that are signed in, one's workspaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from cloudlet.control.accounts.account_views import sessions_views
from cloudlet.control.accounts.forms import EmailForm, PasswordForm, ProfileForm
from cloudlet.control.accounts.limits import check_mails, check_owner_tries, forgive_owner_tries
from cloudlet.control.accounts.rules import LEAST_PASSWORD
from cloudlet.control.accounts.service import (
    change_password,
    close_other_sessions,
    close_own_session,
    find_link,
    find_session,
    record_for,
)
from cloudlet.control.accounts.sign_up import ask_for_email, change_email, rename
from cloudlet.control.db import Database
from cloudlet.control.errors import InvalidForm
from cloudlet.control.given import CurrentAccount, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import attempt, go, page
from cloudlet.control.permissions import PUBLIC, SIGNED_IN_ANYWHERE, requires
from cloudlet.control.platform import Platform
from cloudlet.control.sso.views import doors_of
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import SESSION_COOKIE, Account
from cloudlet.control.workspaces.service import opened_memberships

PATH = "/account"
DONE: Mapping[str, str] = MappingProxyType(
    {
        "name": "Your name is saved.",
        "password": "Your password is set. All other browsers were signed out.",
        "mailed": "We sent a mail to the new address. Open the link in it, and the address is yours.",
        "email": "Your new e-mail address is confirmed. Sign in with it from now on.",
        "session": "That browser was signed out.",
        "others": "All other browsers were signed out.",
        "second-factor-off": "Two-factor sign-in is off.",
    }
)


@get(PATH, opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def show_account(
    account: CurrentAccount, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return account_page(account, database, platform, done=DONE.get(done, ""))


@post(PATH + "/profile", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_profile(
    request: WebRequest,
    data: URLEncodedBody[ProfileForm],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    def save(session: Session) -> None:
        rename(session, platform, account.user_id, data.name, client_ip(request))

    return change(account, database, platform, "profile", save, "name")


@post(PATH + "/email", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_email(
    request: WebRequest,
    data: URLEncodedBody[EmailForm],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    """The address changes when the link that goes there is opened."""
    check_mails(database, platform, client_ip(request), data.email)
    check_owner_tries(database, platform, client_ip(request), account.email, account.user_id, data.code)

    def ask(session: Session) -> None:
        ask_for_email(session, platform, account.session_id, email=data.email, password=data.password, code=data.code)
        forgive_owner_tries(session, platform, client_ip(request), account.email, account.user_id)

    return change(account, database, platform, "email", ask, "mailed")


@get(PATH + "/email/{secret:str}", opt=requires(PUBLIC))
@in_thread
def show_new_email(secret: FromPath[str], database: TheDatabase, platform: ThePlatform) -> Template:
    """Looking at the link does not use it up: mail scanners look too."""
    with database.snapshot() as session:
        user, email = find_link(session, platform, "email", secret)
        return page("new_email.html", old=user.email, email=email)


@post(PATH + "/email/{secret:str}", opt=requires(PUBLIC))
@in_thread
def submit_new_email(
    request: WebRequest, secret: FromPath[str], database: TheDatabase, platform: ThePlatform
) -> Redirect:
    with database.transaction() as session:
        user = change_email(session, platform, secret, client_ip(request))
        here = find_session(session, platform, request.cookies.get(SESSION_COOKIE, ""))
        is_signed_in = here is not None and here[1].id == user.id
    return go((PATH if is_signed_in else "/sign-in") + "?done=email")


@post(PATH + "/password", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_password(
    request: WebRequest,
    data: URLEncodedBody[PasswordForm],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    ip = client_ip(request)
    check_owner_tries(database, platform, ip, account.email, account.user_id, data.code)

    def save(session: Session) -> None:
        change_password(
            session, platform, account.session_id, current=data.current, new=data.new, code=data.code, ip=ip
        )
        forgive_owner_tries(session, platform, ip, account.email, account.user_id)

    return change(account, database, platform, "password", save, "password")


@post(PATH + "/sessions/close-others", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_close_others(
    request: WebRequest, account: CurrentAccount, database: TheDatabase, platform: ThePlatform
) -> Redirect:
    with database.transaction() as session:
        close_other_sessions(session, account.user_id, account.session_id, account.only_workspace_id)
        record_for(session, platform, account.user_id, "account.sessions_revoked", client_ip(request))
    return go(PATH + "?done=others")


@post(PATH + "/sessions/{session_id:str}/close", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_close_session(
    request: WebRequest,
    session_id: FromPath[str],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Redirect:
    with database.transaction() as session:
        close_own_session(session, account.user_id, session_id)
        record_for(session, platform, account.user_id, "account.session_revoked", client_ip(request))
    return go(PATH + "?done=session")


def change(
    account: Account,
    database: Database,
    platform: Platform,
    part: str,
    run: Callable[[Session], None],
    done: str,
) -> Template | Redirect:
    """Do it; or show the page with what is wrong in the form `part`."""

    def again(error: InvalidForm) -> Template:
        return account_page(account, database, platform, problem=error, part=part)

    return attempt(database, run, f"{PATH}?done={done}", again, shown=InvalidForm)


def account_page(
    account: Account,
    database: Database,
    platform: Platform,
    *,
    done: str = "",
    problem: InvalidForm | None = None,
    part: str = "",
) -> Template:
    with database.snapshot() as session:
        workspaces = [
            workspace for _, workspace in opened_memberships(session, account.user_id, account.only_workspace_id)
        ]
        sessions = sessions_views(session, platform, account)
        doors = doors_of(session, account)
    return page(
        "account.html",
        account,
        path=PATH,
        sessions=sessions,
        workspaces=workspaces,
        doors=doors,
        least=LEAST_PASSWORD,
        done=done,
        problem=problem,
        part=part,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_account,
    submit_profile,
    submit_email,
    show_new_email,
    submit_new_email,
    submit_password,
    submit_close_others,
    submit_close_session,
)
