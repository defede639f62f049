"""One start at a time asks for a license; the others wait and find it in the cache."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cloudlet.license.effects import Effects

PAUSE_SECONDS = 0.05


class Held(msgspec.Struct, frozen=True):
    """`is_mine`: false when the lock was not free in time. `has_waited`: somebody else had it before."""

    is_mine: bool = True
    has_waited: bool = False


@contextmanager
def exclusive(path: Path, seconds: float, effects: Effects) -> Iterator[Held]:
    """Hold the lock file, waiting for it for `seconds` at most.

    Where no file can be made (a read-only volume) nobody can wait for anybody: it counts as held at once.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield Held()
        return
    try:
        yield wait_for(descriptor, seconds, effects)
    finally:
        os.close(descriptor)


def wait_for(descriptor: int, seconds: float, effects: Effects) -> Held:
    end = effects.monotonic() + seconds
    has_waited = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if effects.monotonic() >= end:
                return Held(is_mine=False, has_waited=has_waited)
            effects.sleep(PAUSE_SECONDS)
            has_waited = True
        except OSError:
            return Held()  # a file system without locks
        else:
            return Held(has_waited=has_waited)
