"""What can go wrong when licenses are assigned."""

from __future__ import annotations

from cloudlet.control.errors import Conflict, NotFound


class SeatsExhausted(Conflict):
    code = "seats.exhausted"
    title = "All licenses are assigned"
    hint = "Unassign one or add seats."


class AlreadyAssigned(Conflict):
    code = "license.already_assigned"
    title = "This member has a license already"


class NoSubscription(NotFound):
    code = "subscription.none"
    title = "This workspace has no subscription"
    hint = "Start the trial or choose a plan."
