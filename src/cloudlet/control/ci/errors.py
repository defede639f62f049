"""What can go wrong with CI keys and credits."""

from __future__ import annotations

from datetime import datetime

from cloudlet.control.errors import Conflict, NotFound, Refusal


class QuotaExceeded(Refusal):
    """The credits of the period are used up and the workspace's policy is hard. `resets` is when there are new ones."""

    status = 403
    code = "ci.quota_exceeded"
    title = "The CI credits of this period are used up"

    def __init__(self, *, used: int, quota: int, resets: datetime) -> None:
        super().__init__(f"{used} of {quota} CI credits are used; new ones come on {resets:%Y-%m-%d}.")
        self.used = used
        self.quota = quota
        self.resets = resets


class NoSuchKey(NotFound):
    code = "ci_key.not_found"
    title = "This workspace has no such CI key"


class TooManyKeys(Conflict):
    code = "ci_key.limit"
    title = "This workspace has as many CI keys as it can have"
    hint = "Delete one that no pipeline uses any more; its page says when it was used last."


class KeyEnded(Conflict):
    code = "ci_key.ended"
    title = "This CI key has ended"
    hint = "Create a new one."
