"""What can go wrong with credentials."""

from __future__ import annotations

from cloudlet.control.errors import Refusal


class NotRevealable(Refusal):
    status = 409
    code = "credential.not_revealable"
    title = "This token can not be shown again"
    hint = "Reset it to get a new one."
