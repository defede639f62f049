"""Who may do what. Each route declares what it requires; a route that declares nothing is refused, to everybody.

    @get("/workspace/members", opt=requires("license.assign"))

    SIGNED_IN               signed in, and a member of a workspace: the handler gets its `viewer`
    a permission's key      the same, and allowed to do this
    SIGNED_IN_ANYWHERE      signed in, perhaps without any workspace: the handler gets its `account` (a Viewer or not)
    SIGNED_IN_UNVERIFIED    the same, and the e-mail address may still be somebody else's
    PUBLIC                  everybody

A member's permissions are their role's, changed by the switches of "Advanced Permissions".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from anyio.to_thread import run_sync
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler

from cloudlet.control.errors import Forbidden, NotSignedIn, NotVerified, NoWorkspace
from cloudlet.control.viewer import SESSION_COOKIE, Account, Viewer, load_account

REQUIREMENT = "requires"
CALLER = "caller"  # in the `opt` of a route that knows its callers by something else than the cookie: connection -> Account | None
PUBLIC = "public"
SIGNED_IN = "signed_in"
SIGNED_IN_ANYWHERE = "signed_in.anywhere"
SIGNED_IN_UNVERIFIED = "signed_in.unverified"
LEVELS = frozenset({PUBLIC, SIGNED_IN, SIGNED_IN_ANYWHERE, SIGNED_IN_UNVERIFIED})

PERMISSIONS = frozenset(
    {
        "license.self_assign",
        "license.assign",
        "member.invite",
        "member.remove",
        "member.role",
        "subscription.read",
        "subscription.manage",
        "ci_key.read",
        "ci_key.manage",
        "api_key.manage",
        "usage.read",
        "machine.manage",
        "offline_file.issue",
        "pod.read",
        "pod.write",
        "pod.delete",
        "pod.publish",
        "instance.manage",
        "insight.read",
        "ci_project.manage",
        "extension.manage",
        "audit.read",
        "webhook.manage",
        "sso.manage",
        "workspace.update",
        "workspace.delete",
    }
)
READERS = frozenset({"ci_key.read", "usage.read", "pod.read", "insight.read"})
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "admin": PERMISSIONS,
        "member": READERS | {"pod.write", "instance.manage", "extension.manage"},
        "billing": READERS | {"subscription.read", "subscription.manage"},
        "auditor": READERS | {"subscription.read", "audit.read"},
    }
)


def requires(what: str) -> dict[str, Any]:
    """The `opt` of a route: one of LEVELS or a permission's key."""
    if what not in PERMISSIONS | LEVELS:
        raise ValueError(f"{what!r} is no permission")
    return {REQUIREMENT: what}


class HasRole(Protocol):
    """A Viewer or a Membership."""

    @property
    def role(self) -> Any: ...  # str; SQLAlchemy's mapped attributes are typed as descriptors

    @property
    def permissions(self) -> Any: ...  # dict[str, bool] | None


def is_allowed(who: HasRole, permission: str) -> bool:
    """The switch of this member where there is one, else their role's answer."""
    switch = (who.permissions or {}).get(permission)
    return permission in ROLES[who.role] if switch is None else bool(switch)


def effective(who: HasRole) -> frozenset[str]:
    """All that they may do."""
    return frozenset(key for key in PERMISSIONS if is_allowed(who, key))


def load_from_cookie(connection: ASGIConnection[Any, Any, Any, State]) -> Account | None:
    cookie = connection.cookies.get(SESSION_COOKIE, "")
    state = connection.app.state
    return load_account(state.database, state.platform, cookie) if cookie else None


async def authorize(connection: ASGIConnection[Any, Any, Any, State], handler: BaseRouteHandler) -> None:
    """The guard of the whole application. Raises NotSignedIn, NotVerified, NoWorkspace or Forbidden."""
    needed = handler.opt.get(REQUIREMENT)
    if needed == PUBLIC:
        return
    if needed is None:
        raise Forbidden("This address does not say who may use it.")
    account = await run_sync(handler.opt.get(CALLER, load_from_cookie), connection)
    if account is None:
        raise NotSignedIn
    connection.scope["account"] = account  # type: ignore[typeddict-unknown-key]
    if needed == SIGNED_IN_UNVERIFIED:
        return
    if not account.is_verified:
        raise NotVerified
    if needed == SIGNED_IN_ANYWHERE:
        return
    if not isinstance(account, Viewer):
        raise NoWorkspace
    connection.scope["viewer"] = account  # type: ignore[typeddict-unknown-key]
    if needed != SIGNED_IN and not is_allowed(account, needed):
        raise Forbidden
