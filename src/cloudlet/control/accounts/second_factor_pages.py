"""Setting up the second factor, its recovery codes, and switching it off."""

from __future__ import annotations

from litestar import get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect, Template

from cloudlet.control.accounts.errors import WrongCode
from cloudlet.control.accounts.forms import CodeForm, ProofForm
from cloudlet.control.accounts.limits import (
    check_code_tries,
    check_owner_tries,
    forgive_code_tries,
    forgive_owner_tries,
)
from cloudlet.control.accounts.second_factor import (
    make_recovery_codes,
    offer,
    recovery_codes_left,
    turn_off,
    turn_on,
)
from cloudlet.control.accounts.service import close_other_sessions, prove_owner, record_for, tell
from cloudlet.control.accounts.tables import User
from cloudlet.control.db import Database
from cloudlet.control.errors import InvalidForm
from cloudlet.control.given import CurrentAccount, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import SIGNED_IN_ANYWHERE, requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Account

PATH = "/account/second-factor"


@get(PATH, opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def show_second_factor(account: CurrentAccount, database: TheDatabase, platform: ThePlatform) -> Template:
    return second_factor_page(account, database, platform)


@post(PATH + "/start", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_start(
    request: WebRequest,
    data: URLEncodedBody[ProofForm],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template:
    """Show a key to who proved a moment ago, or proves now by the password, that they are the owner."""
    try:
        prove(request, account, database, platform, data)
        return setup_page(account, database, platform)
    except InvalidForm as error:
        return second_factor_page(account, database, platform, problem=error)


@post(PATH + "/confirm", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_confirm(
    request: WebRequest,
    data: URLEncodedBody[CodeForm],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    """From the first good code on it counts; every other browser, which never gave one, is signed out."""
    if account.has_second_factor:
        return go(PATH)
    check_code_tries(database, platform, account.user_id)
    try:
        with database.transaction() as session:
            codes = turn_on(session, platform, account.user_id, data.code)
            close_other_sessions(session, account.user_id, account.session_id)
            forgive_code_tries(session, account.user_id)
            tell(session, platform, session.get_one(User, account.user_id), "second_factor", is_on=True)
            record_for(session, platform, account.user_id, "account.totp_enabled", client_ip(request))
    except WrongCode as error:
        if not account.has_sudo:
            return second_factor_page(account, database, platform, problem=error)
        return setup_page(account, database, platform, problem=error)
    return page("recovery_codes.html", account, path="/account", codes=codes, is_new=True)


@post(PATH + "/recovery-codes", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_recovery_codes(
    request: WebRequest,
    data: URLEncodedBody[ProofForm],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    if not account.has_second_factor:
        return go(PATH)
    try:
        prove(request, account, database, platform, data, even_with_sudo=account.has_password)
    except InvalidForm as error:
        return second_factor_page(account, database, platform, problem=error)
    with database.transaction() as session:
        codes = make_recovery_codes(session, platform, account.user_id)
        record_for(session, platform, account.user_id, "account.recovery_codes_created", client_ip(request))
    return page("recovery_codes.html", account, path="/account", codes=codes, is_new=False)


@post(PATH + "/off", opt=requires(SIGNED_IN_ANYWHERE))
@in_thread
def submit_off(
    request: WebRequest,
    data: URLEncodedBody[ProofForm],
    account: CurrentAccount,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    if not account.has_second_factor:
        return go(PATH)
    try:
        prove(request, account, database, platform, data, even_with_sudo=account.has_password)
    except InvalidForm as error:
        return second_factor_page(account, database, platform, problem=error)
    with database.transaction() as session:
        turn_off(session, account.user_id)
        tell(session, platform, session.get_one(User, account.user_id), "second_factor", is_on=False)
        record_for(session, platform, account.user_id, "account.totp_disabled", client_ip(request))
    return go("/account?done=second-factor-off")


def prove(
    request: WebRequest,
    account: Account,
    database: Database,
    platform: Platform,
    data: ProofForm,
    *,
    even_with_sudo: bool = False,
) -> None:
    """As `prove_owner`, or by nothing where they signed in a moment ago. Raises as that does, and RateLimited."""
    if account.has_sudo and not even_with_sudo and not account.only_workspace_id:
        return
    ip = client_ip(request)
    check_owner_tries(database, platform, ip, account.email, account.user_id, data.code)
    with database.transaction() as session:
        prove_owner(session, platform, account.session_id, data.password, data.code)
        forgive_owner_tries(session, platform, ip, account.email, account.user_id)


def setup_page(
    account: Account, database: Database, platform: Platform, *, problem: InvalidForm | None = None
) -> Template:
    with database.transaction() as session:
        offered = offer(session, platform, account.user_id)
    return page(
        "second_factor_setup.html",
        account,
        path="/account",
        offered=offered,
        problem=problem,
        status=problem.status if problem else 200,
    )


def second_factor_page(
    account: Account, database: Database, platform: Platform, *, problem: InvalidForm | None = None
) -> Template:
    with database.snapshot() as session:
        left = recovery_codes_left(session, account.user_id)
    return page(
        "second_factor.html",
        account,
        path="/account",
        left=left,
        problem=problem,
        status=problem.status if problem else 200,
    )


ROUTES = (show_second_factor, submit_start, submit_confirm, submit_recovery_codes, submit_off)
