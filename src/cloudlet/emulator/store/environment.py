"""LMDB's environment: how its file is mapped, and how the map grows.

    plain     the map is 1 TiB of address space, written through `pwrite`; the file has what is stored
    direct    (MDB_WRITEMAP) the map is written through, no `pwrite`s; the file is as large as the map

A direct map saves 3 µs of a commit, and 8 µs once free pages are scattered over the file. Its danger is that a write
to a page for which the disk has no room kills the process, so its whole length is allocated beforehand, in steps that a
transaction's beginning takes before they are needed. It is for ephemeral states: nobody minds the size of their file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import lmdb

from cloudlet.emulator.store.kv import StoreError

PLAIN_MAP_BYTES = 1 << 40
LEAST_MAP_BYTES = 1 << 28
DIRECT_MAP_BYTES = 16 << 20  # at first
MOST_STEP_BYTES = 256 << 20
LEAST_ROOM_BYTES = 8 << 20
LOOK_EVERY = 8  # writing transactions


class Environment:
    """An open environment. `begin` is LMDB's. Raises StoreError, also when the disk is full."""

    __slots__ = ("_direct", "_map_bytes", "_page_bytes", "_path", "_writes", "begin", "env")

    def __init__(self, directory: Path, *, sync: bool, direct: bool) -> None:
        self._path = directory / "data.mdb"
        self._map_bytes = PLAIN_MAP_BYTES
        self._writes = LOOK_EVERY  # the first writer looks
        self._direct = direct and self._open_direct(directory)
        if not self._direct:
            self._open_plain(directory, sync)
        self._page_bytes: int = self.env.stat()["psize"]
        self.begin: Any = self.env.begin

    def make_room(self) -> None:
        """Called before a writing transaction begins: enlarges a direct map in time."""
        self._writes += 1
        if self._writes < LOOK_EVERY or not self._direct:
            return
        self._writes = 0
        used = self.env.info()["last_pgno"] * self._page_bytes
        if self._map_bytes - used < max(LEAST_ROOM_BYTES, self._map_bytes // 4):
            try:
                self.enlarge()
            except StoreError:
                return  # there may be room for what comes; if not, it says so

    def enlarge(self) -> None:
        """The map is full, or nearly. No transaction is open. Raises StoreError when there is no room."""
        size = self._map_bytes + (min(self._map_bytes, MOST_STEP_BYTES) if self._direct else self._map_bytes)
        try:
            if self._direct:
                allocate(self._path, size)
            self.env.set_mapsize(size)
        except (lmdb.Error, OSError) as error:
            raise StoreError(
                f"The state in {self._path.parent} cannot grow beyond {self._map_bytes >> 20} MiB: {error}"
            ) from error
        self._map_bytes = size

    def close(self) -> None:
        self.env.close()

    def _open_direct(self, directory: Path) -> bool:
        """False where the file cannot be allocated: then it is opened plainly."""
        size = DIRECT_MAP_BYTES
        if self._path.exists():
            size = max(size, self._path.stat().st_size)
        try:
            self.env = _open(directory, map_size=size, writemap=True, sync=False)
        except lmdb.Error as error:
            raise StoreError(f"The state in {directory} cannot be opened: {error}") from error
        try:
            allocate(self._path, size)
        except OSError:
            self.env.close()
            return False
        self._map_bytes = size
        return True

    def _open_plain(self, directory: Path, sync: bool) -> None:
        """Reserves as much address space as the system gives."""
        while True:
            try:
                self.env = _open(directory, map_size=self._map_bytes, writemap=False, sync=sync)
                return
            except lmdb.MemoryError as error:
                if self._map_bytes <= LEAST_MAP_BYTES:
                    raise StoreError(f"The state in {directory} cannot be opened: {error}") from error
                self._map_bytes //= 2
            except lmdb.Error as error:
                raise StoreError(f"The state in {directory} cannot be opened: {error}") from error


def allocate(path: Path, size: int) -> None:
    """The file has `size` bytes, with room on the disk for each. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def _open(directory: Path, *, map_size: int, writemap: bool, sync: bool) -> lmdb.Environment:
    return lmdb.Environment(
        str(directory),
        map_size=map_size,
        max_dbs=0,
        writemap=writemap,
        sync=sync,
        metasync=sync,
        readahead=False,
        meminit=False,
        max_spare_txns=4,
        mode=0o600,
    )
