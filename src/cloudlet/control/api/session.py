"""The session of a browser or a program that signs in with a password."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudlet.control.accounts.errors import SignInRefused, WrongCode
from cloudlet.control.accounts.limits import (
    check_code_tries,
    check_password_tries,
    forgive_code_tries,
    forgive_password_tries,
)
from cloudlet.control.accounts.service import close_session, find_session, open_session, sign_in, take_code
from cloudlet.control.api.callers import csrf_token
from cloudlet.control.api.errors import CodeNeeded
from cloudlet.control.api.operation import Arrival, Body, Call, operation
from cloudlet.control.limits.errors import RateLimited
from cloudlet.control.permissions import PUBLIC, SIGNED_IN_UNVERIFIED
from cloudlet.control.viewer import session_cookie

SESSION = "/session"


class SignIn(Body, frozen=True, kw_only=True):
    """`code`: of the authenticator app, or a recovery code, where the account has a second factor."""

    email: str
    password: str
    code: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """`csrf_token` goes into the header X-CSRF-Token of everything that changes something; "" with an API token.

    `sudo`: what needs proof of who you are goes on without a password.
    """

    user_id: str
    email: str
    csrf_token: str
    sudo: bool
    expires_at: datetime | None


def count_tries(arrival: Arrival, body: SignIn) -> None:
    """Tries at a code count for who has the password: a stranger's must not lock the owner out.

    Raises RateLimited, SignInRefused.
    """
    check_password_tries(arrival.database, arrival.platform, arrival.ip, body.email)
    if body.code:
        with arrival.database.snapshot() as session:
            user_id = sign_in(session, body.email, body.password).id
        check_code_tries(arrival.database, arrival.platform, user_id)


@operation("GET", SESSION, SIGNED_IN_UNVERIFIED)
def get_session(call: Call) -> Session:
    """Who is signed in, and the token against forged requests."""
    person = call.person
    found = find_session(call.session, call.platform, call.cookie) if person.session_id else None
    return Session(
        user_id=person.user_id,
        email=person.email,
        csrf_token=csrf_token(call.platform, call.cookie) if found else "",
        sudo=person.has_sudo,
        expires_at=found[0].expires_at if found else None,
    )


@operation(
    "POST", SESSION, PUBLIC, status=201, before=count_tries, refuses=(SignInRefused, CodeNeeded, WrongCode, RateLimited)
)
def create_session(call: Call, body: SignIn) -> Session:
    """Sign in. The session is in the cookie of the answer."""
    user = sign_in(call.session, body.email, body.password)
    if user.totp_secret_enc is not None:
        if not body.code:
            raise CodeNeeded
        try:
            take_code(call.session, call.platform, user, body.code, call.ip)
        except WrongCode as error:
            error.user_id = user.id
            raise
        forgive_code_tries(call.session, user.id)
    forgive_password_tries(call.session, call.platform, call.ip, body.email)
    value = open_session(
        call.session,
        call.platform,
        user,
        ip=call.ip,
        user_agent=call.user_agent,
        with_sudo=True,
        how="code" if body.code else "password",
    )
    call.session.flush()
    found = find_session(call.session, call.platform, value)
    assert found is not None
    call.reply.cookies.append(session_cookie(value, call.platform))
    return Session(
        user_id=user.id,
        email=user.email,
        csrf_token=csrf_token(call.platform, value),
        sudo=True,
        expires_at=found[0].expires_at,
    )


@operation("DELETE", SESSION, SIGNED_IN_UNVERIFIED, people_only=True)
def delete_session(call: Call) -> None:
    """Sign out."""
    close_session(call.session, call.person.session_id)
    call.reply.cookies.append(session_cookie("", call.platform))


OPERATIONS = (
    get_session,
    create_session,
    delete_session,
)
