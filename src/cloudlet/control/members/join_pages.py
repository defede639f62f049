"""The page behind the link of an invitation: who invites whom where, and joining."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.service import open_session
from cloudlet.control.db import Database
from cloudlet.control.errors import Refusal
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.members import invitations
from cloudlet.control.members.errors import InvitationExpired, InvitationOver
from cloudlet.control.members.forms import JoinForm
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import SESSION_COOKIE, Account, load_account, session_cookie
from cloudlet.control.workspaces.service import switch_workspace

PATH = "/invite/{secret:str}"


@get(PATH, opt=requires(PUBLIC))
@in_thread
def show_invitation(
    request: WebRequest, secret: FromPath[str], database: TheDatabase, platform: ThePlatform
) -> Template:
    return invitation_page(database, platform, secret, visitor(request, database, platform))


@post(PATH, opt=requires(PUBLIC))
@in_thread
def submit_invitation(
    request: WebRequest,
    secret: FromPath[str],
    data: URLEncodedBody[JoinForm],
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    """Who is signed in joins as they are; somebody new makes an account here, and is signed in."""
    account = visitor(request, database, platform)
    value = ""
    try:
        with database.transaction() as session:
            if account is not None:
                joined = invitations.accept(session, platform, secret, account.user_id)
                session_id = account.session_id
                switch_workspace(session, account.user_id, session_id, joined.membership.workspace_id)
            else:
                joined = invitations.join_as_new(session, platform, secret, data)
                value = open_session(
                    session,
                    platform,
                    joined.user,
                    ip=client_ip(request),
                    user_agent=request.headers.get("user-agent", ""),
                    with_sudo=True,
                    how="invitation",
                )
    except (InvitationOver, InvitationExpired):
        raise
    except Refusal as error:
        return invitation_page(database, platform, secret, account, problem=error, tried=data)
    answer = go("/workspace/my-license?joined=" + (joined.license or "yes"))
    if value:
        answer.set_cookie(session_cookie(value, platform))
    return answer


def visitor(request: WebRequest, database: Database, platform: Platform) -> Account | None:
    cookie = request.cookies.get(SESSION_COOKIE, "")
    return load_account(database, platform, cookie) if cookie else None


def invitation_page(
    database: Database,
    platform: Platform,
    secret: str,
    account: Account | None,
    *,
    problem: Refusal | None = None,
    tried: JoinForm | None = None,
) -> Template:
    """Raises InvitationOver, InvitationExpired."""
    with database.snapshot() as session:
        invitation = invitations.look(session, platform, secret)
    return page(
        "invite.html",
        invitation=invitation,
        account=account,
        is_invitee=account is not None and account.email.lower() == invitation.email,
        secret=secret,
        closed=platform.settings.signup == "closed",
        problem=problem,
        tried=tried,
        status=problem.status if problem else 200,
    )


ROUTES = (
    show_invitation,
    submit_invitation,
)
