"""What can go wrong with limits and repeated requests."""

from __future__ import annotations

import math

from cloudlet.control.errors import Refusal


class RateLimited(Refusal):
    """`retry_after_seconds` goes out as `Retry-After`, too."""

    status = 429
    code = "rate_limited"
    title = "Too many tries"

    def __init__(self, wait_seconds: float) -> None:
        self.retry_after_seconds = max(1, math.ceil(wait_seconds))
        unit = "second" if self.retry_after_seconds == 1 else "seconds"
        super().__init__(hint=f"Try again in {self.retry_after_seconds} {unit}.")


class KeyReused(Refusal):
    status = 422
    code = "idempotency.reused"
    title = "This Idempotency-Key belongs to another request"
    hint = "Use a new key for each new request."
