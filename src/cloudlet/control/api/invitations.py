"""Inviting members by mail."""

from __future__ import annotations

from cloudlet.control.api.members import MEMBER, MEMBERS, Member, Role, find
from cloudlet.control.api.operation import Body, Call, operation
from cloudlet.control.errors import Forbidden, InvalidForm
from cloudlet.control.members import invitations as service
from cloudlet.control.members.errors import AlreadyInvited, AlreadyMember, CannotGrant
from cloudlet.control.members.forms import read_invite_form
from cloudlet.control.permissions import ROLES, effective, is_allowed
from cloudlet.control.viewer import Viewer


class Invitation(Body, frozen=True, kw_only=True):
    """`name` is shown until they join; with `assign_license` they get a license when they do."""

    email: str
    name: str = ""
    role: Role = "member"
    assign_license: bool = False


@operation(
    "POST",
    MEMBERS,
    "member.invite",
    status=201,
    once=True,
    refuses=(AlreadyMember, AlreadyInvited, CannotGrant, InvalidForm),
)
def invite_member(call: Call, body: Invitation) -> Member:
    """Invite somebody by e-mail."""
    check_token_grants(call.viewer, body)
    fields = {"email": body.email, "name": body.name, "role": body.role}
    form = read_invite_form({**fields, "assign_license": "on"} if body.assign_license else fields)
    made = service.invite(call.session, call.platform, call.viewer, form)
    return find(call.session, call.viewer, made.id)


@operation("POST", MEMBER + "/resend", "member.invite", once=True)
def resend_invitation(call: Call, member_id: str) -> Member:
    """Send the invitation again, with a new link; the older one is dead."""
    service.resend(call.session, call.platform, call.viewer, member_id)
    return find(call.session, call.viewer, member_id)


@operation("DELETE", MEMBER + "/invitation", "member.invite")
def cancel_invitation(call: Call, member_id: str) -> None:
    """Take an invitation back: its link is dead."""
    service.cancel_invitation(call.session, call.platform, call.viewer, member_id)


def check_token_grants(viewer: Viewer, body: Invitation) -> None:
    """A token gives no more than its scopes, whatever its owner may. Raises CannotGrant, Forbidden."""
    if not viewer.credential_id:
        return
    if body.role != "member" and not ROLES[body.role] <= effective(viewer):
        raise CannotGrant
    if body.assign_license and not is_allowed(viewer, "license.assign"):
        raise Forbidden("This token may not assign licenses.")


OPERATIONS = (
    invite_member,
    resend_invitation,
    cancel_invitation,
)
