"""Oneself: profile, second factor, the browsers that are signed in."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudlet.control.accounts.second_factor import recovery_codes_left
from cloudlet.control.accounts.service import close_other_sessions, close_own_session, sessions_of
from cloudlet.control.accounts.tables import User
from cloudlet.control.api.operation import Call, Page, operation
from cloudlet.control.permissions import SIGNED_IN_ANYWHERE

ME = "/users/me"


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """`second_factor`: an authenticator app is set up."""

    id: str
    email: str
    name: str
    email_verified: bool
    has_password: bool
    second_factor: bool
    created_at: datetime


class SecondFactor(msgspec.Struct, frozen=True):
    """It is set up in the web application, which shows the code to scan."""

    enabled: bool
    recovery_codes_left: int


class Browser(msgspec.Struct, frozen=True, kw_only=True):
    """A session; `current` is the one that asks."""

    id: str
    ip: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


@operation("GET", ME, SIGNED_IN_ANYWHERE)
def get_me(call: Call) -> Me:
    """For whom the caller acts."""
    user = call.session.get_one(User, call.person.user_id)
    return Me(
        id=user.id,
        email=user.email,
        name=user.name,
        email_verified=user.email_verified_at is not None,
        has_password=user.password_hash is not None,
        second_factor=user.totp_secret_enc is not None,
        created_at=user.created_at,
    )


@operation("GET", ME + "/2fa", SIGNED_IN_ANYWHERE, people_only=True)
def get_second_factor(call: Call) -> SecondFactor:
    """Whether there is a second factor, and how many recovery codes are left."""
    user = call.session.get_one(User, call.person.user_id)
    return SecondFactor(user.totp_secret_enc is not None, recovery_codes_left(call.session, user.id))


@operation("GET", ME + "/sessions", SIGNED_IN_ANYWHERE, people_only=True)
def list_sessions(call: Call) -> Page[Browser]:
    """The browsers and programs that are signed in, last seen first."""
    return Page(
        tuple(
            Browser(
                id=found.id,
                ip=found.ip,
                user_agent=found.user_agent,
                created_at=found.created_at,
                last_seen_at=found.last_seen_at,
                expires_at=found.expires_at,
                current=found.id == call.person.session_id,
            )
            for found in sessions_of(call.session, call.platform, call.person.user_id, call.person.only_workspace_id)
        )
    )


@operation("DELETE", ME + "/sessions", SIGNED_IN_ANYWHERE, people_only=True)
def delete_other_sessions(call: Call) -> None:
    """Sign out everywhere else."""
    close_other_sessions(call.session, call.person.user_id, call.person.session_id, call.person.only_workspace_id)


@operation("DELETE", ME + "/sessions/{session_id}", SIGNED_IN_ANYWHERE, people_only=True)
def delete_one_session(call: Call, session_id: str) -> None:
    """Sign out one browser."""
    close_own_session(call.session, call.person.user_id, session_id)


OPERATIONS = (
    get_me,
    get_second_factor,
    list_sessions,
    delete_other_sessions,
    delete_one_session,
)
