"""What can go wrong with subscriptions and when licenses are assigned."""

from __future__ import annotations

from cloudlet.control.errors import Conflict, InvalidForm, NotFound


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


class TrialUsed(Conflict):
    code = "subscription.trial_used"
    title = "This workspace has had its trial"
    hint = "Choose a plan."


class SubscriptionExists(Conflict):
    code = "subscription.exists"
    title = "This workspace has a subscription already"
    hint = "Change its plan instead."


class NoSuchPlan(NotFound):
    code = "plan.unknown"
    title = "There is no such plan"


class PlanNotOffered(Conflict):
    code = "plan.not_offered"
    title = "This plan cannot be chosen here"
    hint = "Ask whoever runs this control plane."


class SeatsOutOfRange(InvalidForm):
    code = "seats.range"
    title = "That number of seats is not possible"


class SeatsInUse(Conflict):
    """`holders`: who would have to give up their license."""

    code = "seats.in_use"
    title = "More licenses are assigned than would be left"
    hint = "Unassign some first."


class NotChangeable(Conflict):
    """The subscription is run from elsewhere."""

    code = "subscription.external"
    title = "This subscription is managed elsewhere"
    hint = "Change it where it was bought."
