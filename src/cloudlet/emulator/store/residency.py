"""Keeps the mapped part of the state out of the process's resident memory.

LMDB reads through a memory mapping. Each page that is read counts as resident until the kernel wants it back, which on
an idle machine is never: the process would seem to grow to the size of its state. The pages are released (they stay in
the page cache) once the store has been quiet for `REST_SECONDS`, and while it is busy every `BUSY_RESTS` of those, or
when they are more than `MOST_BYTES`. Doing it more often costs: a page that is read again is a minor fault, about 7 µs
with its neighbours on a virtual machine, so a small limit made random reads three times as slow.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

REST_SECONDS = 1.0
BUSY_RESTS = 5
QUIET_CHECKS = 4  # of `check` in REST_SECONDS; fewer are quiet
LEAST_BYTES = 6 * 1024 * 1024  # not worth the work below
MOST_BYTES = 128 * 1024 * 1024
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Residency:
    """Watches one mapped file. Does nothing where there is no /proc, or no running event loop."""

    __slots__ = ("_base_pages", "_checks", "_path", "_rests", "_statm", "_timer")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._checks = 0
        self._rests = 0
        self._timer: asyncio.TimerHandle | None = None
        self._statm = -1
        with suppress(OSError):
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._base_pages = self._file_pages()

    def check(self) -> None:
        """The store is in use. Called every few transactions."""
        self._checks += 1
        if self._timer is None and self._statm >= 0:
            with suppress(RuntimeError):  # no loop: a tool or a test, whose memory is its own business
                self._timer = asyncio.get_running_loop().call_later(REST_SECONDS, self._rest)

    def release(self) -> None:
        """Give the mapping's pages back now."""
        if self._statm >= 0:
            mapped: Any = importlib.import_module("cloudlet.emulator.store.mapped")  # lazy: rarely needed
            mapped.release(self._path)
            self._base_pages = self._file_pages()  # what else the process maps (libraries) is not the state's
            self._rests = 0

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1

    def _rest(self) -> None:
        self._timer = None
        quiet = self._checks < QUIET_CHECKS
        self._checks = 0
        self._rests += 1
        mapped_bytes = (self._file_pages() - self._base_pages) * PAGE_BYTES
        if mapped_bytes > MOST_BYTES or (mapped_bytes > LEAST_BYTES and (quiet or self._rests >= BUSY_RESTS)):
            self.release()
        if not quiet:
            self._timer = asyncio.get_running_loop().call_later(REST_SECONDS, self._rest)

    def _file_pages(self) -> int:
        """File pages that are resident in this process."""
        return int(os.pread(self._statm, 128, 0).split()[2]) if self._statm >= 0 else 0
