"""The one clock. It can be frozen, set and advanced, so that timeouts, schedules and TTLs can be tested in no time.

real       now() is the machine's time                      resume()
shifted    now() runs, by an offset from the machine's      set(), advance() while running
frozen     now() stands still                               freeze()
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

ClockMode = Literal["real", "shifted", "frozen"]

# For durations: seconds from an arbitrary start, never set back, not moved by the emulator's clock.
monotonic: Callable[[], float] = time.perf_counter
# For worker threads: seconds of the machine's time, whatever the emulator's clock says.
pause: Callable[[float], None] = time.sleep


class Clock:
    """Seconds since the epoch, UTC. `clock.now()` is the time of the emulated cloud.

    `on_change` are called after the clock was frozen, set, advanced or resumed.
    """

    __slots__ = ("mode", "now", "offset", "on_change")

    now: Callable[[], float]
    wall = staticmethod(time.time)  # the machine's time, which logs and certificates go by

    def __init__(self) -> None:
        self.mode: ClockMode = "real"
        self.offset = 0.0
        self.now = time.time
        self.on_change: list[Callable[[], None]] = []

    def freeze(self, at: float | None = None) -> float:
        """Stop the clock, at `at` or where it is. Returns the time."""
        moment = self.now() if at is None else at
        self.mode = "frozen"
        self.offset = 0.0
        self.now = lambda: moment
        self._tell()
        return moment

    def set(self, to: float) -> float:
        """Go to a time, forwards or backwards. A frozen clock stays frozen, a running one runs on from there."""
        if self.mode == "frozen":
            return self.freeze(to)
        offset = to - time.time()
        self.mode = "shifted"
        self.offset = offset
        self.now = lambda: time.time() + offset
        self._tell()
        return to

    def advance(self, seconds: float) -> float:
        """Go forwards. Returns the new time."""
        return self.set(self.now() + seconds)

    def resume(self) -> float:
        """Back to the machine's time."""
        self.mode = "real"
        self.offset = 0.0
        self.now = time.time
        self._tell()
        return self.now()

    @property
    def is_frozen(self) -> bool:
        return self.mode == "frozen"

    @staticmethod
    def iso_seconds(moment: float) -> str:
        """`2026-11-24T10:35:15`, UTC, no offset."""
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))

    def _tell(self) -> None:
        for action in self.on_change:
            action()
