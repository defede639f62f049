"""The rules of a workspace: what they are, and where each acts.

    reveal_policy     may a member see their auth token again: after proving who they are (`sudo`), only in the answer that
                      makes it (`once`), or not at all on pages (`never`)           credentials.pages
    offline_window_h  how long an emulator may start without a connection, at most what the plan gives    activations.issue
    ci_policy         developers' tokens in CI: off, warn, enforce; None follows PLATFORM_CI_POLICY     activations.service
    ci_quota_policy   when CI credits are used up: `soft` counts on, `hard` refuses      ci.credits
    token_max_age_d   after so many days a token must be reset; None is never          credentials.service
    ip_allowlist      networks from which licenses are given; none is from everywhere       activations.service

Stored in `Workspace.settings`, only what differs from the default.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any, Literal, cast

import msgspec

from cloudlet.control.licenses.tables import Plan
from cloudlet.control.workspaces.tables import Workspace

RevealPolicy = Literal["sudo", "once", "never"]
REVEAL_POLICIES: tuple[RevealPolicy, ...] = ("sudo", "once", "never")
CI_POLICIES = ("off", "warn", "enforce")
QUOTA_POLICIES = ("soft", "hard")


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    reveal_policy: RevealPolicy = "sudo"
    offline_window_h: int | None = None
    ci_policy: str | None = None
    ci_quota_policy: str = "soft"
    token_max_age_d: int | None = None
    ip_allowlist: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any]:
        """For `Workspace.settings`."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        kept = {name: value for name, value in found.items() if value not in {None, ()}}
        if "ip_allowlist" in kept:
            kept["ip_allowlist"] = list(kept["ip_allowlist"])
        return kept


def policies_of(workspace: Workspace) -> Policies:
    known = {name: value for name, value in workspace.settings.items() if name in Policies.__struct_fields__}
    return msgspec.convert(known, Policies)


def reveal_policy(workspace: Workspace) -> RevealPolicy:
    found = workspace.settings.get("reveal_policy")
    return cast(RevealPolicy, found) if found in REVEAL_POLICIES else "sudo"


def offline_hours(workspace: Workspace, plan: Plan) -> int:
    """The workspace's window, never longer than the plan's."""
    wanted = workspace.settings.get("offline_window_h")
    return min(int(wanted), plan.offline_window_h) if wanted else plan.offline_window_h


def is_address_allowed(workspace: Workspace, ip: str) -> bool:
    """Is this address in one of the workspace's networks? Without a list every address is; an unknown one is not."""
    networks = workspace.settings.get("ip_allowlist") or ()
    if not networks:
        return True
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ip_network(network) for network in networks)
