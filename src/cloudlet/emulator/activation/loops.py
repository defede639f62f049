"""A container that is restarted again and again must not hammer the control plane.

`refused.json` remembers the failed starts of the last minute. The second start still asks (something may have been put
right); from the third on the recorded verdict is told again. Each failed start after the first waits before it ends,
up to 10 seconds.

It also remembers which licenses a verdict ended: one that could not be removed (it was mounted) opens no start any more.
The next license that the control plane gives ends all of it.
"""

from __future__ import annotations

import json
from typing import Any

from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.license.reasons import REASONS, Failure
from cloudlet.license.verify import VerifiedLicense

WINDOW_SECONDS = 60
ASKS_BEFORE_REUSE = 2
LONGEST_PAUSE_SECONDS = 10.0


class LoopGuard:
    """The failed starts with one token against one control plane; `subject` names the two without revealing either."""

    def __init__(self, cache: LicenseCache, subject: str) -> None:
        self.cache = cache
        self.subject = subject
        self.path = cache.folder / "refused.json"

    def record(self, why: Failure, now: float) -> float:
        """Remember a failure. Gives the seconds that this start should wait before it ends."""
        times = [*self.times(now), now]
        self.write(why, times, now)
        return min(LONGEST_PAUSE_SECONDS, 2.0 ** (len(times) - 1)) if len(times) > 1 else 0.0

    def note(self, why: Failure, now: float) -> None:
        """Tell starts that wait for this one; whether this one fails by it is not decided here."""
        self.write(why, self.times(now), now)

    def deny(self, why: Failure, license: VerifiedLicense, now: float) -> None:
        """A verdict ended this license and the ones that were issued before it."""
        self.write(why, self.times(now), now, license.claims.iat)

    def denies(self, license: VerifiedLicense) -> bool:
        """Was there a verdict since this license was issued? A license file does not depend on any."""
        ended = self.entry().get("ended")
        return not license.is_file and isinstance(ended, int) and license.claims.iat <= ended

    def write(self, why: Failure, times: list[float], now: float, ended: int | None = None) -> None:
        entry = {
            "subject": self.subject,
            "times": times,
            "ended": self.entry().get("ended") if ended is None else ended,
            "told": now,
            "code": why.code,
            "values": why.values,
            "detail": why.detail,
            "hint": why.hint,
            "request_id": why.request_id,
        }
        self.cache.write(self.path, json.dumps(entry).encode())

    def verdict(self, now: float) -> Failure | None:
        """What to tell again instead of asking: a definitive no that was told twice within the last minute."""
        why = self.last()
        if why is None or not why.reason.is_final or len(self.times(now)) < ASKS_BEFORE_REUSE:
            return None
        return why

    def told_since(self, began: float) -> Failure | None:
        """What another start was told while this one waited for it."""
        told = self.entry().get("told")
        return self.last() if isinstance(told, int | float) and told >= began else None

    def forget(self) -> None:
        if self.path.exists():
            self.cache.remove(self.path)

    def last(self) -> Failure | None:
        entry = self.entry()
        reason = REASONS.get(str(entry.get("code")))
        values = entry.get("values")
        if reason is None or not isinstance(values, dict):
            return None
        return Failure(
            reason=reason,
            values={str(name): str(value) for name, value in values.items()},
            detail=str(entry.get("detail", "")),
            hint=str(entry.get("hint", "")),
            request_id=str(entry.get("request_id", "")),
        )

    def times(self, now: float) -> list[float]:
        """The failed starts that count: none from the future, none older than the window."""
        found = self.entry().get("times")
        if not isinstance(found, list):
            return []
        return [time for time in found if isinstance(time, int | float) and abs(time - now) < WINDOW_SECONDS][-20:]

    def entry(self) -> dict[str, Any]:
        try:
            entry = json.loads(self.cache.read(self.path) or b"")
        except ValueError:
            return {}
        mine = isinstance(entry, dict) and entry.get("subject") == self.subject
        return entry if mine else {}
