"""What people fill in about members."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cloudlet.control.errors import InvalidForm
from cloudlet.control.permissions import PERMISSIONS, ROLES

SWITCH = "allow."


class MemberForm(msgspec.Struct, frozen=True):
    """`permissions`: None when Advanced Permissions is off, else the answer of every switch."""

    role: str
    permissions: dict[str, bool] | None


def read_member_form(fields: Mapping[str, str]) -> MemberForm:
    """A browser sends only the boxes that are ticked. An admin has everything, so they have no switches.

    Raises InvalidForm.
    """
    role = fields.get("role", "")
    if role not in ROLES:
        raise InvalidForm("Choose a Member Role.")
    ticked = {name.removeprefix(SWITCH) for name in fields if name.startswith(SWITCH)}
    if not ticked <= PERMISSIONS:
        raise InvalidForm("One of the permissions does not exist.")
    if role == "admin" or "advanced" not in fields:
        return MemberForm(role, None)
    return MemberForm(role, {key: key in ticked for key in sorted(PERMISSIONS)})
