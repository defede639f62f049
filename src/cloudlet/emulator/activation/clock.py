"""A clock that was turned back must not prolong a license; one that is wrong must not shorten it.

`clock.json` holds the latest time known for certain: what the control plane said at the last contact, or what this
machine's clock showed at a later start. With it stands by how much this machine's clock was wrong at the last contact;
from 5 minutes on, windows are judged on the control plane's time. The file has a MAC, so that a time written by hand
does not count. A license's own issue time is a floor that needs no file.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

import msgspec

from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.license.reasons import Failure, failure

TOLERANCE_SECONDS = 3600
SKEW_SECONDS = 300


class Mark(msgspec.Struct, frozen=True):
    """`seen`: seconds since the epoch, 0 when nothing is known. `skew`: what to add to this machine's clock."""

    seen: int = 0
    skew: int = 0


class ClockGuard:
    """Reads and moves the mark. `machine_id` keys the MAC: a file from another machine does not count."""

    def __init__(self, cache: LicenseCache, machine_id: str) -> None:
        self.cache = cache
        self.path = cache.folder / "clock.json"
        self.key = hashlib.sha256(b"cloudlet clock " + machine_id.encode()).digest()

    def mark(self) -> Mark:
        try:
            entry = json.loads(self.cache.read(self.path) or b"")
            mark = Mark(int(entry["seen"]), int(entry["skew"]))
            return mark if hmac.compare_digest(str(entry["mac"]), self.mac(mark)) else Mark()
        except (ValueError, KeyError, TypeError):
            return Mark()

    def true_time(self, now: float) -> float:
        """The control plane's time when this machine's clock shows `now`, as far as it is known.

        A correction that would lead to before the mark is out of date: somebody has set the clock right.
        """
        mark = self.mark()
        corrected = now + mark.skew
        return corrected if corrected >= mark.seen - TOLERANCE_SECONDS else now

    def problem(self, now: float, issued: int) -> Failure | None:
        """Why cached licenses must not be used at `now`, a true time."""
        mark = max(self.mark().seen, issued)
        if now >= mark - TOLERANCE_SECONDS:
            return None
        return failure("clock.rollback", now=moment(now), hwm=moment(mark))

    def advance(self, now: float) -> None:
        """It was `now`, a true time; the mark never goes back."""
        mark = self.mark()
        if now > mark.seen:
            self.write(Mark(int(now), mark.skew))

    def set(self, trusted: float, now: float) -> str:
        """The control plane said what time it is when this machine's clock showed `now`.

        This heals a mark that a wrong clock left in the future. Gives what went wrong, "" for nothing.
        """
        skew = int(trusted - now)
        return self.write(Mark(int(trusted), skew if abs(skew) > SKEW_SECONDS else 0))

    def write(self, mark: Mark) -> str:
        entry = {"seen": mark.seen, "skew": mark.skew, "mac": self.mac(mark)}
        return self.cache.write(self.path, json.dumps(entry).encode())

    def mac(self, mark: Mark) -> str:
        return hmac.new(self.key, f"{mark.seen} {mark.skew}".encode(), hashlib.sha256).hexdigest()


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
