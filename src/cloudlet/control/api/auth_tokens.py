"""One's own auth token."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudlet.control.accounts.errors import WrongCode, WrongPassword
from cloudlet.control.api.errors import SudoNeeded
from cloudlet.control.api.operation import Body, Call, operation
from cloudlet.control.credentials.errors import NotRevealable
from cloudlet.control.credentials.service import ensure_auth_token, living_auth_token, reset_auth_token, reveal
from cloudlet.control.credentials.tables import Credential
from cloudlet.control.credentials.views import machines_of
from cloudlet.control.errors import InvalidForm, NotFound
from cloudlet.control.limits.service import Limit
from cloudlet.control.permissions import SIGNED_IN
from cloudlet.control.workspaces.policies import reveal_policy
from cloudlet.control.workspaces.tables import Membership, Workspace

MINE = "/workspaces/{workspace_id}/tokens/auth"
PASSWORDS = Limit("api-password", 1 / 30, 10)
RESET_WORD = "reset"


class TokenMachine(msgspec.Struct, frozen=True):
    """A machine that was activated with the token."""

    machine_id: str
    system: str
    last_seen: datetime


class AuthToken(msgspec.Struct, frozen=True, kw_only=True):
    """`shown` is the token, masked. `machines` stop at their next start when it is reset."""

    id: str
    shown: str
    created_at: datetime
    last_used_at: datetime | None
    last_used_machine: str | None
    machines: tuple[TokenMachine, ...]


class Proof(Body, frozen=True, kw_only=True):
    """The password (and the second factor's code), where signing in was more than 15 minutes ago."""

    password: str = ""
    code: str = ""


class Reset(Body, frozen=True, kw_only=True):
    """`confirm` must say `reset`: the old token is dead at once and never comes back."""

    confirm: str
    password: str = ""
    code: str = ""


class ClearToken(msgspec.Struct, frozen=True):
    """The token in clear; null where the workspace's policy is that nobody sees one."""

    id: str
    token: str | None


@operation("GET", MINE, SIGNED_IN)
def get_auth_token(call: Call) -> AuthToken:
    """Masked, and where it was used."""
    return shape(call, living(call))


@operation("PUT", MINE, SIGNED_IN, people_only=True)
def ensure_token(call: Call) -> AuthToken:
    """Make one where there is none; it is not told here."""
    membership = call.session.get_one(Membership, call.viewer.membership_id)
    if living_auth_token(call.session, membership.id) is None:
        ensure_auth_token(call.session, call.platform, membership, actor=call.viewer.actor)
    return shape(call, living(call))


@operation(
    "POST",
    MINE + "/reveal",
    SIGNED_IN,
    people_only=True,
    limit=PASSWORDS,
    refuses=(SudoNeeded, WrongPassword, WrongCode, NotRevealable),
)
def reveal_auth_token(call: Call, body: Proof) -> ClearToken:
    """The token in clear, after proof of who you are. It is written to the audit log."""
    call.prove(body.password, body.code)
    found = living(call)
    return ClearToken(found.id, reveal(call.session, call.platform, found, actor=call.viewer.actor, ip=call.ip))


@operation(
    "POST",
    MINE + "/reset",
    SIGNED_IN,
    once=True,
    people_only=True,
    limit=PASSWORDS,
    refuses=(SudoNeeded, WrongPassword, WrongCode, InvalidForm),
)
def reset_token(call: Call, body: Reset) -> ClearToken:
    """A new token in place of the old one, which is dead at once."""
    if body.confirm != RESET_WORD:
        raise InvalidForm(f"Send “{RESET_WORD}” as `confirm`.")
    call.prove(body.password, body.code)
    membership = call.session.get_one(Membership, call.viewer.membership_id)
    made = reset_auth_token(call.session, call.platform, membership, actor=call.viewer.actor, ip=call.ip)
    is_told = reveal_policy(call.session.get_one(Workspace, call.viewer.workspace_id)) != "never"
    return ClearToken(made.credential_id, made.token if is_told else None)


def living(call: Call) -> Credential:
    found = living_auth_token(call.session, call.viewer.membership_id)
    if found is None:
        raise NotFound("You have no auth token yet.")
    return found


def shape(call: Call, found: Credential) -> AuthToken:
    return AuthToken(
        id=found.id,
        shown=found.prefix8 + "-****",
        created_at=found.created_at,
        last_used_at=found.last_used_at,
        last_used_machine=found.last_used_machine,
        machines=tuple(
            TokenMachine(machine.machine_id, machine.system, machine.last_seen)
            for machine in machines_of(call.session, [found.id])
        ),
    )


OPERATIONS = (
    get_auth_token,
    ensure_token,
    reveal_auth_token,
    reset_token,
)
