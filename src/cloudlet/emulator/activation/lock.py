"""One start at a time asks for a license; the others wait and find it in the cache."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudlet.license.effects import Effects

PAUSE_SECONDS = 0.05


@contextmanager
def exclusive(path: Path, seconds: float, effects: Effects) -> Iterator[bool]:
    """Hold the lock file. Gives False when it was not free within `seconds`.

    Where no file can be made (a read-only volume) nobody can wait for anybody: gives True at once.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield True
        return
    try:
        yield wait_for(descriptor, seconds, effects)
    finally:
        os.close(descriptor)


def wait_for(descriptor: int, seconds: float, effects: Effects) -> bool:
    end = effects.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if effects.monotonic() >= end:
                return False
            effects.sleep(PAUSE_SECONDS)
        except OSError:
            return True  # a file system without locks
        else:
            return True
