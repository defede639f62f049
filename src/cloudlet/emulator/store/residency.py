"""Keeps the mapped part of the state out of the process's resident memory.

LMDB reads through a memory mapping. Each page that is read counts as resident until the kernel wants it back, which on
an idle machine is never: the process would seem to grow to the size of its state. So the pages are released from time
to time; they stay in the page cache. That has a price: a page that is read again is a minor fault, which brings its
neighbours along (64 KiB) and takes about 7 µs on a virtual machine. Pages are released as soon as nobody has used the
store for `REST_SECONDS`, and while it is busy so seldom that the faults take `BUSY_SHARE` of the time at most.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

REST_SECONDS = 0.01
BUSY_SHARE = 0.02
QUIET_SHARE = 0.2
FAULT_SECONDS = 7e-6
FAULT_BYTES = 64 * 1024
LEAST_BYTES = 6 * 1024 * 1024  # not worth the work below
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Residency:
    """Watches one mapped file. Does nothing where there is no /proc, or no running event loop."""

    __slots__ = ("_base_pages", "_path", "_released_at", "_statm", "_timer", "in_use")

    def __init__(self, path: Path) -> None:
        self._path = path
        self.in_use = False  # since the last look
        self._released_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._statm = -1
        with suppress(OSError):
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        self._base_pages = self._file_pages()

    def use(self) -> None:
        """The store is in use. Called at a transaction's begin while `in_use` is False."""
        loop = asyncio._get_running_loop()
        if loop is not None and self._statm >= 0:  # without a loop: a tool or a test, whose memory is its own business
            self.in_use = True
            if self._timer is None:
                self._timer = loop.call_later(REST_SECONDS, self._rest)

    def release(self) -> None:
        """Give the mapping's pages back now."""
        if self._statm >= 0:
            mapped: Any = importlib.import_module("cloudlet.emulator.store.mapped")  # lazy: rarely needed
            mapped.release(self._path)
            self._base_pages = self._file_pages()  # what else the process maps (libraries) is not the state's

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1

    def _rest(self) -> None:
        """Every `REST_SECONDS` while the store is in use, and once after it was."""
        loop = asyncio.get_running_loop()
        mapped_bytes = (self._file_pages() - self._base_pages) * PAGE_BYTES
        if mapped_bytes > LEAST_BYTES:
            now = loop.time()
            share = BUSY_SHARE if self.in_use else QUIET_SHARE
            if mapped_bytes / FAULT_BYTES * FAULT_SECONDS < (now - self._released_at) * share:
                self.release()
                self._released_at = now
                mapped_bytes = 0
        again = self.in_use or mapped_bytes > LEAST_BYTES
        self._timer = loop.call_later(REST_SECONDS, self._rest) if again else None
        self.in_use = False

    def _file_pages(self) -> int:
        """File pages that are resident in this process."""
        return int(os.pread(self._statm, 128, 0).split()[2]) if self._statm >= 0 else 0
