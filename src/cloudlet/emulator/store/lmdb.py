"""The default back end: LMDB, in one process. Decisions and measurements are in docs/decisions/0003-lmdb.md."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import lmdb

from cloudlet.emulator.store.blob_files import BLOBS_NAME, FileBlobs
from cloudlet.emulator.store.blobs import Blobs
from cloudlet.emulator.store.environment import Environment
from cloudlet.emulator.store.home import StateHome, sync_file
from cloudlet.emulator.store.kv import Conflict, ReadOnlyTransaction, StoreError
from cloudlet.emulator.store.longkeys import LIMIT, SPACE, fold, signposts, walk
from cloudlet.emulator.store.residency import Residency
from cloudlet.emulator.store.snapshot import Snapshots, link_tree
from cloudlet.emulator.store.watch import Watch

GROUP_SECONDS = 0.05  # how long a commit may lie in a group when nobody waits for it (a job's end)

Durability = Literal["process", "disk"]
Action = Callable[[], None]


class MapFull(Conflict):
    """The reserved address space is used up; it is enlarged before the transaction runs again."""


class Hooks:
    """What is to be done when a transaction has ended."""

    __slots__ = ("abort", "commit", "durable")

    def __init__(self) -> None:
        self.abort: list[Action] = []
        self.commit: list[Action] = []
        self.durable: list[Action] = []


class LmdbTransaction:
    """A transaction on LMDB; see `kv.Transaction`. Used up by commit or abort."""

    __slots__ = ("_get", "_store", "_txn", "changes", "hooks", "read_only", "written")

    def __init__(self, txn: Any, read_only: bool, store: LmdbStore) -> None:
        self._txn = txn
        self._get = txn.get
        self._store = store
        self.read_only = read_only
        self.written: list[bytes] | None = [] if store.waiters else None
        self.changes = 0
        self.hooks: Hooks | None = None

    @property
    def records(self) -> dict[bytes, tuple[bytes, Any]]:
        return self._store.records

    @property
    def blobs(self) -> Blobs:
        return self._store.blobs

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._get(key if len(key) <= LIMIT else fold(key))
        return value

    def put(self, key: bytes, value: bytes) -> None:
        if self.read_only:
            raise ReadOnlyTransaction
        self.changes += 1
        if self.written is not None:
            self.written.append(key)
        try:
            if len(key) <= LIMIT:
                self._txn.put(key, value)
            else:
                self._put_long(key, value)
        except lmdb.MapFullError:
            self._store.map_full = True
            raise MapFull from None

    def delete(self, key: bytes) -> bool:
        if self.read_only:
            raise ReadOnlyTransaction
        self.changes += 1
        if self.written is not None:
            self.written.append(key)
        try:
            if len(key) <= LIMIT:
                return bool(self._txn.delete(key))
            return self._delete_long(key)
        except lmdb.MapFullError:
            self._store.map_full = True
            raise MapFull from None

    def scan(
        self, begin: bytes, end: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        pairs = walk(self, begin, min(end, SPACE), reverse)
        return pairs if limit is None else islice(pairs, limit)

    def on_commit(self, action: Action) -> None:
        self._hooks().commit.append(action)

    def on_durable(self, action: Action) -> None:
        self._hooks().durable.append(action)

    def on_abort(self, action: Action) -> None:
        self._hooks().abort.append(action)

    def _hooks(self) -> Hooks:
        if self.hooks is None:
            self.hooks = Hooks()
        return self.hooks

    def cursor(self) -> Any:
        return self._txn.cursor()

    def _put_long(self, key: bytes, value: bytes) -> None:
        for signpost, _ in signposts(key):
            if self._get(signpost) is None:
                self._txn.put(signpost, b"")
        self._txn.put(fold(key), value)

    def _delete_long(self, key: bytes) -> bool:
        """Also takes down the signposts that point to nothing now, innermost first."""
        if not self._txn.delete(fold(key)):
            return False
        for signpost, space in reversed(signposts(key)):
            cursor = self._txn.cursor()
            if cursor.set_range(space) and cursor.key().startswith(space):
                break
            self._txn.delete(signpost)
        return True


class LmdbStore:
    """One ordered key-value space in a memory-mapped file. All calls come from one thread.

    With `durability="process"` a commit writes into the page cache: it survives the death of the process at any
    moment, not that of the machine. With `"disk"`, transactions are nested into one LMDB transaction that is committed
    with an fsync when somebody waits for it (`when_durable`): nobody is answered before, and one fsync serves all.
    `direct`: write through the map, see `environment`; not with `"disk"`.
    """

    worker_threads = 0
    name = "lmdb"

    def __init__(
        self,
        home: StateHome,
        durability: Durability = "process",
        snapshots: Path | None = None,
        *,
        direct: bool = False,
    ) -> None:
        self.home = home
        self._direct = direct
        self.durability = durability
        self.map_full = False
        self._nested = durability == "disk"
        self.watch = Watch()
        self.waiters = self.watch.by_length  # empty while nobody waits
        self.records: dict[bytes, tuple[bytes, Any]] = {}
        self._group: Any = None  # with durability="disk": the LMDB transaction that holds what is not yet durable
        self._group_actions: list[Action] = []
        self._group_timer: asyncio.TimerHandle | None = None
        self._waiting: list[Callable[[BaseException | None], None]] = []
        self._open(home.current)
        self.blobs.recover(self)
        self.snapshots = Snapshots(snapshots or home.root / "snapshots", self)

    def _open(self, directory: Path) -> None:
        self._environment = Environment(directory, sync=self._nested, direct=self._direct and not self._nested)
        self._env = self._environment.env
        self._begin = self._environment.begin
        self._residency = Residency(directory / "data.mdb")
        self.blobs: Blobs = FileBlobs(directory, sync=self.durability == "disk")

    def begin(self, *, read_only: bool) -> LmdbTransaction:
        if not self._residency.in_use:
            self._residency.use()
        if self._nested:
            return self._begin_nested(read_only)
        if read_only:
            return LmdbTransaction(self._begin(), True, self)
        self._environment.make_room()
        return LmdbTransaction(self._begin(write=True), False, self)

    def commit(self, tx: Any) -> None:
        """See `kv.Store`. Raises MapFull, which is a Conflict, and StoreError when the disk is full."""
        try:
            if tx._txn is not self._group:
                tx._txn.commit()
        except lmdb.Error as error:
            self._refused(tx, error)
        if tx.written:
            self.watch.notify(tx.written)
        if tx.hooks is not None:
            for action in tx.hooks.commit:
                action()
            if self._group is not None:
                self._group_actions += tx.hooks.durable
            else:
                for action in tx.hooks.durable:
                    action()

    def abort(self, tx: Any) -> None:
        if tx._txn is not self._group:
            tx._txn.abort()
        if tx.hooks is not None:
            for action in tx.hooks.abort:
                action()
        if self.map_full:
            self._enlarge()

    def when_durable(self, action: Callable[[BaseException | None], None]) -> bool:
        if self._group is None:
            return False
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append(action)
        return True

    def flush(self) -> None:
        """Make all that was committed durable now, and tell those who wait."""
        if self._group_timer is not None:
            self._group_timer.cancel()
            self._group_timer = None
        error: BaseException | None = None
        group, self._group = self._group, None
        if group is not None:
            try:
                group.commit()
            except lmdb.Error as failure:
                error = self._failure(failure)
        actions, self._group_actions = self._group_actions, []
        if error is None:
            for durable_action in actions:
                durable_action()
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            action(error)

    def clear(self) -> None:
        """Delete everything, blobs included: an empty generation takes the place of this one."""
        self.switch(self.home.prepare())

    def switch(self, generation: Path) -> None:
        """Go on with the state in a prepared directory. Everybody who waits is woken."""
        old = self.home.current
        self.flush()
        self._shut()
        self.home.adopt(generation)
        self.records.clear()
        self._open(generation)
        self.blobs.recover(self)
        self.home.discard(old)
        self.watch.wake_all()

    def save_into(self, directory: Path) -> None:
        """See `snapshot.Saveable`: a compact copy of LMDB's file, and second names of the blobs."""
        self.flush()
        try:
            self._env.copy(str(directory), compact=True)
        except lmdb.Error as error:
            raise StoreError(f"The state could not be copied to {directory}: {error}") from error
        sync_file(directory / "data.mdb")
        link_tree(self.home.current / BLOBS_NAME, directory / BLOBS_NAME)
        self._residency.release()

    def restore_from(self, directory: Path) -> None:
        """See `snapshot.Saveable`."""
        generation = self.home.prepare()
        shutil.copyfile(directory / "data.mdb", generation / "data.mdb")
        if not self.home.ephemeral:
            sync_file(generation / "data.mdb")
        link_tree(directory / BLOBS_NAME, generation / BLOBS_NAME)
        self.switch(generation)

    def close(self) -> None:
        self.flush()
        self._shut()
        self.home.close()

    def _shut(self) -> None:
        if not self.home.ephemeral:
            self._env.sync(True)  # a state that was closed in order is on the disk, whatever the durability
        self._environment.close()
        self._residency.close()

    def _begin_nested(self, read_only: bool) -> LmdbTransaction:
        if read_only:
            if self._group is None:
                return LmdbTransaction(self._env.begin(), True, self)
            return LmdbTransaction(self._group, True, self)
        if self._group is None:
            self._group = self._env.begin(write=True)
            loop = asyncio._get_running_loop()
            if loop is not None:
                self._group_timer = loop.call_later(GROUP_SECONDS, self.flush)
        return LmdbTransaction(self._env.begin(write=True, parent=self._group), False, self)

    def _enlarge(self) -> None:
        self.map_full = False
        self.flush()
        self._environment.enlarge()

    def _refused(self, tx: LmdbTransaction, error: lmdb.Error) -> None:
        """A commit failed: nothing of it was stored."""
        self.map_full = map_full = isinstance(error, lmdb.MapFullError)
        self.abort(tx)
        if map_full:
            raise MapFull from None
        raise self._failure(error) from error

    def _failure(self, error: lmdb.Error) -> StoreError:
        """What went wrong, with what it nearly always is: LMDB reports a full disk as an input/output error."""
        free = shutil.disk_usage(self.home.root).free // 1_000_000
        return StoreError(f"The state could not be written to {self.home.root} ({free} MB are free there): {error}")
