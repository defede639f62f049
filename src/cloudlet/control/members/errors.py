"""What can go wrong when members are changed."""

from __future__ import annotations

from cloudlet.control.errors import Conflict, Forbidden


class LastAdmin(Conflict):
    code = "member.last_admin"
    title = "A workspace needs an admin"
    hint = "Make somebody else an admin first."


class CannotGrant(Forbidden):
    """Nobody gives what they do not have: else one switch, `member.role`, would be all switches."""

    code = "member.cannot_grant"
    title = "You can give only permissions that you have yourself"
    hint = "Ask an admin of the workspace."
