"""Time, randomness and waiting, as inputs: the licensing code reads them from here and from nowhere else.

Licensing judges real time: the emulator's own clock can be frozen or moved by its users, this one cannot.
"""

from __future__ import annotations

import os
import time
from typing import Protocol


class Effects(Protocol):
    """The outside world, as far as licensing needs it. Tests pass one that stands still."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back; for budgets and intervals."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """Bytes fit for secrets."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemEffects:
    """The real world."""

    __slots__ = ()

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def random_bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


SYSTEM = SystemEffects()
