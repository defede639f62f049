"""A forgotten password."""

from __future__ import annotations

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.errors import WeakPassword
from cloudlet.control.accounts.forms import AddressForm, NewPasswordForm
from cloudlet.control.accounts.limits import check_mails
from cloudlet.control.accounts.reset import RESET_MINUTES, ask_for_reset, reset_password
from cloudlet.control.accounts.rules import LEAST_PASSWORD
from cloudlet.control.accounts.service import find_link
from cloudlet.control.db import Database
from cloudlet.control.given import TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import session_cookie


@get("/reset", opt=requires(PUBLIC), sync_to_thread=False)
def show_reset() -> Template:
    return page("reset.html", sent_to="", minutes=RESET_MINUTES)


@post("/reset", opt=requires(PUBLIC))
@in_thread
def submit_reset(
    request: WebRequest, data: URLEncodedBody[AddressForm], database: TheDatabase, platform: ThePlatform
) -> Template:
    """The same answer for every address, after the same time: what there is to do is done when it is out."""
    check_mails(database, platform, client_ip(request), data.email)
    answer = page(
        "reset.html", sent_to=data.email.strip(), minutes=RESET_MINUTES, shows_mail=platform.settings.dev_mail
    )
    answer.background = BackgroundTask(mail_link, database, platform, data.email)
    return answer


def mail_link(database: Database, platform: Platform, email: str) -> None:
    with database.transaction() as session:
        ask_for_reset(session, platform, email)


@get("/reset/{secret:str}", opt=requires(PUBLIC))
@in_thread
def show_new_password(secret: FromPath[str], database: TheDatabase, platform: ThePlatform) -> Template:
    with database.snapshot() as session:
        email = find_link(session, platform, "reset", secret)[0].email
    return page("new_password.html", email=email, least=LEAST_PASSWORD)


@post("/reset/{secret:str}", opt=requires(PUBLIC))
@in_thread
def submit_new_password(
    request: WebRequest,
    secret: FromPath[str],
    data: URLEncodedBody[NewPasswordForm],
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    """Signing in is up to them: with the new password, and the second factor where there is one."""
    try:
        with database.transaction() as session:
            reset_password(session, platform, secret, data.new, client_ip(request))
    except WeakPassword as error:
        with database.snapshot() as session:
            email = find_link(session, platform, "reset", secret)[0].email
        return page("new_password.html", email=email, least=LEAST_PASSWORD, problem=error, status=error.status)
    answer = go("/sign-in?done=reset")
    answer.set_cookie(session_cookie("", platform))
    return answer


ROUTES = (show_reset, submit_reset, show_new_password, submit_new_password)
