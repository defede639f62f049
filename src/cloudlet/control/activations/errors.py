"""The license API's refusals: a verdict of `license.verdicts` with the sentence that `license.reasons` has for it."""

from __future__ import annotations

from typing import Any

from cloudlet.license.reasons import Failure, failure
from cloudlet.license.verdicts import VERDICTS, Verdict


class LicenseVerdict(Exception):
    """A definitive no (or 429, 503), with everything that the answer says."""

    def __init__(self, code: str, *, hint: str = "", **values: str) -> None:
        super().__init__(code)
        self.verdict: Verdict = VERDICTS[code]
        self.failure: Failure = failure(self.verdict.reason, hint=hint, **values)
        self.message = self.verdict.message.format_map({"version": "", **values})
        self.retry_after: int | None = None

    @property
    def status(self) -> int:
        return self.verdict.status

    def body(self, request_id: str, web: str) -> dict[str, Any]:
        """The error envelope. `hint` is the first thing to do."""
        return {
            "error": True,
            "message": self.message,
            "code": self.verdict.code,
            "detail": self.failure.text(),
            "hint": self.failure.advice()[0],
            "docs": self.failure.docs_url(web),
            "request_id": request_id,
        }
