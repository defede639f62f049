"""A clock that was turned back must not prolong a license.

`clock.json` holds the latest time known for certain: what the control plane said at the last contact, or what this
machine's clock showed at a later start. It has a MAC, so that a time written by hand does not count. A license's own
issue time is a floor that needs no file.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.license.reasons import Failure, failure

TOLERANCE_SECONDS = 3600
SKEW_SECONDS = 300


class ClockGuard:
    """Reads and moves the mark. `machine_id` keys the MAC: a file from another machine does not count."""

    def __init__(self, cache: LicenseCache, machine_id: str) -> None:
        self.cache = cache
        self.path = cache.folder / "clock.json"
        self.key = hashlib.sha256(b"cloudlet clock " + machine_id.encode()).digest()

    def mark(self) -> int:
        """Seconds since the epoch; 0 when nothing is known."""
        try:
            entry = json.loads(self.cache.read(self.path) or b"")
            seconds = int(entry["seen"])
            return seconds if hmac.compare_digest(str(entry["mac"]), self.mac(seconds)) else 0
        except (ValueError, KeyError, TypeError):
            return 0

    def problem(self, now: float, issued: int) -> Failure | None:
        """Why cached licenses must not be used at `now`."""
        mark = max(self.mark(), issued)
        if now >= mark - TOLERANCE_SECONDS:
            return None
        return failure("clock.rollback", now=moment(now), hwm=moment(mark))

    def advance(self, now: float) -> None:
        """This machine's clock was seen at `now`; the mark never goes back."""
        if now > self.mark():
            self.set(now)

    def set(self, trusted: float) -> None:
        """The control plane said what time it is: this heals a mark that a wrong clock left in the future."""
        seconds = int(trusted)
        self.cache.write(self.path, json.dumps({"seen": seconds, "mac": self.mac(seconds)}).encode())

    def mac(self, seconds: int) -> str:
        return hmac.new(self.key, str(seconds).encode(), hashlib.sha256).hexdigest()


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
