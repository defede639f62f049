"""What can go wrong when members are changed."""

from __future__ import annotations

from cloudlet.control.errors import Conflict, Forbidden, Refusal


class LastAdmin(Conflict):
    code = "member.last_admin"
    title = "A workspace needs an admin"
    hint = "Make somebody else an admin first."


class CannotGrant(Forbidden):
    """Nobody gives what they do not have: else one switch, `member.role`, would be all switches."""

    code = "member.cannot_grant"
    title = "You can give only permissions that you have yourself"
    hint = "Ask an admin of the workspace."


class AlreadyMember(Conflict):
    code = "member.exists"
    title = "They are a member already"


class AlreadyInvited(Conflict):
    code = "member.invited_already"
    title = "They are invited already"
    hint = "Send the invitation again from their page."


class InvitationOver(Refusal):
    """One answer for a link that was used, replaced, canceled, or never was."""

    status = 410
    code = "invitation.over"
    title = "This invitation does not work any more"
    hint = "It was accepted, canceled, or sent again: then the newer mail has the link. Else ask for another one."


class InvitationExpired(Refusal):
    status = 410
    code = "invitation.expired"
    title = "This invitation has expired"
    hint = "Ask for another one."


class WrongInvitee(Refusal):
    status = 403
    code = "invitation.other_address"
    title = "This invitation is for somebody else"


class SignInFirst(Refusal):
    """There is an account with the invited address."""

    status = 409
    code = "invitation.sign_in"
    title = "There is an account with this address already"
    hint = "Sign in to accept the invitation."
