"""What people fill in about members."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cloudlet.control.accounts.rules import LARGEST_NAME, checked_email
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


class InviteForm(msgspec.Struct, frozen=True, kw_only=True):
    """`email` in lower case; `name` is a placeholder until they join."""

    email: str
    name: str = ""
    role: str = "member"
    assign_license: bool = False


class JoinForm(msgspec.Struct, frozen=True):
    """What somebody without an account fills in to join."""

    name: str = ""
    password: str = ""


def read_invite_form(fields: Mapping[str, str]) -> InviteForm:
    """Raises InvalidForm."""
    role = fields.get("role", "member")
    if role not in ROLES:
        raise InvalidForm("Choose a Member Role.")
    name = " ".join(fields.get("name", "").split())
    if len(name) > LARGEST_NAME or not name.isprintable():
        raise InvalidForm(f"A name has {LARGEST_NAME} characters at most.")
    email = checked_email(fields.get("email", "")).lower()
    return InviteForm(email=email, name=name, role=role, assign_license=bool(fields.get("assign_license")))
