"""Gives back the memory of a mapped file. The pages stay in the system's page cache, so what is needed again costs a
minor fault and no reading. Loaded when a process has mapped enough to make it worth while (it needs ctypes)."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

MADV_DONTNEED = 4  # Linux: drop the page table entries of a shared mapping; its data is the file's


def release(path: Path) -> bool:
    """Unmap the pages of every shared mapping of `path` in this process. False when there is none, or it is refused."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    size = os.stat(path).st_size
    done = False
    for start, end in mappings(path):
        length = min(end - start, size)
        done = libc.madvise(start, length, MADV_DONTNEED) == 0 or done
    return done


def mappings(path: Path) -> list[tuple[int, int]]:
    """Start and end addresses of the shared mappings of a file, from /proc/self/maps."""
    name = str(path.resolve())
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(name) and "s" in line.split()[1]:
            start, _, end = line.split()[0].partition("-")
            found.append((int(start, 16), int(end, 16)))
    return found
