"""The page Account: one's password, the browsers that are signed in, one's workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.forms import PasswordForm
from cloudlet.control.accounts.service import change_password, close_other_sessions, close_own_session, sessions_of
from cloudlet.control.audit.service import record
from cloudlet.control.db import Database
from cloudlet.control.errors import InvalidForm
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer
from cloudlet.control.workspaces.service import memberships_of

PATH = "/account"
DONE: Mapping[str, str] = MappingProxyType(
    {
        "password": "Your password is set. All other browsers were signed out.",
        "session": "That browser was signed out.",
        "others": "All other browsers were signed out.",
    }
)


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_account(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, done: FromQuery[str] = ""
) -> Template:
    return account_page(viewer, database, platform, done=DONE.get(done, ""))


@post(PATH + "/password", opt=requires(SIGNED_IN))
@in_thread
def submit_password(
    request: WebRequest,
    data: URLEncodedBody[PasswordForm],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    try:
        with database.transaction() as session:
            change_password(session, platform, viewer.session_id, current=data.current, new=data.new)
            record(
                session,
                platform,
                viewer.workspace_id,
                actor=viewer.actor,
                action="account.password_changed",
                target=viewer.user_id,
                ip=client_ip(request),
            )
    except InvalidForm as error:
        return account_page(viewer, database, platform, problem=error)
    return go(PATH + "?done=password")


@post(PATH + "/sessions/close-others", opt=requires(SIGNED_IN))
@in_thread
def submit_close_others(viewer: CurrentViewer, database: TheDatabase) -> Redirect:
    with database.transaction() as session:
        close_other_sessions(session, viewer.user_id, viewer.session_id)
    return go(PATH + "?done=others")


@post(PATH + "/sessions/{session_id:str}/close", opt=requires(SIGNED_IN))
@in_thread
def submit_close_session(session_id: FromPath[str], viewer: CurrentViewer, database: TheDatabase) -> Redirect:
    with database.transaction() as session:
        close_own_session(session, viewer.user_id, session_id)
    return go(PATH + "?done=session")


def account_page(
    viewer: Viewer, database: Database, platform: Platform, *, done: str = "", problem: InvalidForm | None = None
) -> Template:
    with database.snapshot() as session:
        workspaces = [workspace for _, workspace in memberships_of(session, viewer.user_id)]
        sessions = sessions_of(session, platform, viewer.user_id)
    return page(
        "account.html",
        viewer,
        path=PATH,
        sessions=sessions,
        workspaces=workspaces,
        done=done,
        problem=problem,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_account,
    submit_password,
    submit_close_others,
    submit_close_session,
)
