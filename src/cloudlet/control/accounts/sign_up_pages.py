"""Signing up, and confirming the e-mail address."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.entry import BROWSER_COOKIE, browser_cookie, enter, welcome
from cloudlet.control.accounts.errors import WrongPassword
from cloudlet.control.accounts.forms import SignUpForm, VerifyForm
from cloudlet.control.accounts.limits import check_mails, check_password_tries, forgive_password_tries
from cloudlet.control.accounts.rules import LEAST_PASSWORD
from cloudlet.control.accounts.service import find_session
from cloudlet.control.accounts.sign_up import (
    require_sign_up,
    resend_verification,
    sign_up,
    verification_of,
    verify,
)
from cloudlet.control.db import Database
from cloudlet.control.errors import InvalidForm
from cloudlet.control.given import CurrentAccount, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import PUBLIC, SIGNED_IN_UNVERIFIED, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import SESSION_COOKIE
from cloudlet.license.canonical import to_base64url


@get("/sign-up", opt=requires(PUBLIC), sync_to_thread=False)
def show_sign_up(platform: ThePlatform) -> Template:
    require_sign_up(platform)
    return sign_up_page(platform, SignUpForm())


@post("/sign-up", opt=requires(PUBLIC))
@in_thread
def submit_sign_up(
    request: WebRequest, data: URLEncodedBody[SignUpForm], database: TheDatabase, platform: ThePlatform
) -> Template:
    """The same answer whether there is such an account or not."""
    require_sign_up(platform)
    check_mails(database, platform, client_ip(request), data.email)
    browser = to_base64url(platform.effects.random_bytes(32))
    try:
        with database.transaction() as session:
            sign_up(session, platform, name=data.name, email=data.email, password=data.password, browser=browser)
    except InvalidForm as error:
        return sign_up_page(platform, data, error)
    answer = page("check_mail.html", email=data.email.strip(), shows_mail=platform.settings.dev_mail)
    answer.set_cookie(browser_cookie(browser, platform))
    return answer


def sign_up_page(platform: Platform, form: SignUpForm, problem: InvalidForm | None = None) -> Template:
    return page(
        "sign_up.html",
        form=form,
        least=LEAST_PASSWORD,
        trial_days=platform.settings.trial_days,
        problem=problem,
        status=problem.status if problem else 200,
    )


@get("/verify", opt=requires(SIGNED_IN_UNVERIFIED), sync_to_thread=False)
def show_unverified(account: CurrentAccount, platform: ThePlatform) -> Template | Redirect:
    """All that a user sees who signs in before the address is confirmed."""
    if account.is_verified:
        return go("/getting-started")
    return page("check_mail.html", account, email=account.email, shows_mail=platform.settings.dev_mail)


@post("/verify", opt=requires(SIGNED_IN_UNVERIFIED))
@in_thread
def submit_resend(
    request: WebRequest, account: CurrentAccount, database: TheDatabase, platform: ThePlatform
) -> Template | Redirect:
    if account.is_verified:
        return go("/getting-started")
    check_mails(database, platform, client_ip(request), account.email)
    with database.transaction() as session:
        resend_verification(session, platform, account.user_id)
    shows = platform.settings.dev_mail
    return page("check_mail.html", account, email=account.email, shows_mail=shows, done="We sent you another mail.")


@get("/verify/{secret:str}", opt=requires(PUBLIC))
@in_thread
def show_verify(request: WebRequest, secret: FromPath[str], database: TheDatabase, platform: ThePlatform) -> Template:
    """Looking at the link does not use it up: mail scanners look too."""
    email, is_theirs = look_at(request, secret, database, platform)
    return page("verify.html", email=email, is_theirs=is_theirs)


@post("/verify/{secret:str}", opt=requires(PUBLIC))
@in_thread
def submit_verify(
    request: WebRequest,
    secret: FromPath[str],
    data: URLEncodedBody[VerifyForm],
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    ip = client_ip(request)
    email, is_theirs = look_at(request, secret, database, platform)
    if not is_theirs:
        check_password_tries(database, platform, ip, email)
    try:
        with database.transaction() as session:
            user = verify(session, platform, secret, is_theirs=is_theirs, password=data.password, ip=ip)
            forgive_password_tries(session, platform, ip, email)
            entry = enter(session, platform, request, user)
    except WrongPassword as error:
        return page("verify.html", email=email, is_theirs=False, problem=error, status=error.status)
    answer = welcome(entry, platform, "/getting-started")
    answer.set_cookie(browser_cookie("", platform))
    return answer


def look_at(request: WebRequest, secret: str, database: Database, platform: Platform) -> tuple[str, bool]:
    """The address that a link confirms, and whether this browser is known. Raises LinkExpired."""
    with database.snapshot() as session:
        found = find_session(session, platform, request.cookies.get(SESSION_COOKIE, ""))
        user, is_theirs = verification_of(
            session,
            platform,
            secret,
            browser=request.cookies.get(BROWSER_COOKIE, ""),
            session_user=found[1].id if found else "",
        )
        return user.email, is_theirs


ROUTES = (show_sign_up, submit_sign_up, show_unverified, submit_resend, show_verify, submit_verify)
