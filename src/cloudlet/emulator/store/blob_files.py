"""Blobs as files beside LMDB.

    spool/ID        being received, or received and not linked
    blobs/ab/ID     linked (ID begins with "ab")

A commit that links a blob gives the spooled file its second name and, once the commit is durable, takes the first one
away; a commit that takes the last link writes the blob's name into `cloudlet.doomed_blobs`, and the file goes once that
is durable. So a crash leaves names in spool/ and in that table, and nothing else: `recover` looks at those only, and
its cost does not grow with the number of blobs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.protocol.message import FileSlice, ResponseBody
from cloudlet.emulator.store.blobs import BLOBS, BlobWriter, SpooledBody
from cloudlet.emulator.store.home import sync_file
from cloudlet.emulator.store.kv import Store, StoreError, Transaction
from cloudlet.emulator.store.table import Record, Table
from cloudlet.emulator.store.transact import run

CHUNK_BYTES = 256 * 1024
BLOBS_NAME = "blobs"


class DoomedRecord(Record, frozen=True):
    """A blob without links, whose file goes or is gone."""

    blob_id: str


DOOMED = Table("cloudlet.doomed_blobs", DoomedRecord, version=1, key=("blob_id",))


class FileBlobs:
    """See `blobs.Blobs`. `sync`: received bytes are on the disk before `finish` returns."""

    def __init__(self, directory: Path, *, sync: bool) -> None:
        self._spool = directory / "spool"
        self._blobs = directory / BLOBS_NAME
        self._sync = sync
        self._ids = Ids()  # never seeded: names must not come again in a kept state, and nobody sees them
        self._gone: list[str] = []  # deleted files whose name is still in DOOMED
        self._pins: dict[str, int] = {}  # blobs being sent piece by piece: their files stay that long
        self._delayed: set[str] = set()
        self._spool.mkdir(exist_ok=True)
        self._blobs.mkdir(exist_ok=True)

    def new_id(self) -> str:
        return self._ids.hex(32)

    def path(self, blob_id: str) -> Path:
        """The file of a linked blob."""
        return self._blobs / blob_id[:2] / blob_id

    def writer(self, algorithms: Iterable[str] = ()) -> BlobWriter:
        blob_id = self.new_id()
        return BlobWriter(blob_id, self._spool / blob_id, algorithms, sync=self._sync)

    def keep(self, tx: Transaction, body: SpooledBody) -> None:
        if not body.path.exists():
            raise StoreError("The request's body was lost: the state was reset or restored while it was received.")
        self._forget_gone(tx)
        if self._sync:
            sync_file(self._spool)
        spooled, path = body.path, self.path(body.blob_id)

        def move() -> None:
            give_name(spooled, path)
            body.path = path
            body.linked = True

        tx.on_commit(move)
        tx.on_durable(lambda: spooled.unlink(missing_ok=True))

    def erase(self, tx: Transaction, blob_id: str, size: int) -> None:
        self._forget_gone(tx)
        DOOMED.put(tx, DoomedRecord(blob_id))
        tx.on_durable(lambda: self._remove(blob_id))

    def piece(self, blob_id: str, start: int, length: int) -> ResponseBody:
        return FileSlice(self.path(blob_id), start, length)

    async def chain(self, pieces: Sequence[tuple[str, int, int]]) -> AsyncIterator[bytes]:
        names = [blob_id for blob_id, _, _ in pieces]
        self._pin(names)
        try:
            for blob_id, start, length in pieces:
                with self.path(blob_id).open("rb", buffering=0) as file:
                    file.seek(start)
                    while length > 0:
                        data = file.read(min(CHUNK_BYTES, length))
                        if not data:
                            raise EOFError(f"blob {blob_id} is shorter than its record says")
                        length -= len(data)
                        yield data
        finally:
            self._unpin(names)

    def read(self, tx: Transaction, blob_id: str, start: int, length: int) -> bytes:
        with self.path(blob_id).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def copy_to(self, tx: Transaction, blob_id: str, size: int, target: Path) -> None:
        copy_name(self.path(blob_id), target)

    def spooled(self, blob_id: str, source: Path) -> SpooledBody:
        path = self._spool / blob_id
        copy_name(source, path)
        return SpooledBody(blob_id, path, source.stat().st_size, {}, {})

    def recover(self, store: Store) -> None:
        spooled = os.listdir(self._spool)

        def settle(tx: Transaction) -> None:
            for record in list(DOOMED.scan(tx)):
                self.path(record.blob_id).unlink(missing_ok=True)
                DOOMED.delete(tx, record.blob_id)
            for blob_id in spooled:
                if BLOBS.exists(tx, blob_id):
                    give_name(self._spool / blob_id, self.path(blob_id))
                else:
                    self.path(blob_id).unlink(missing_ok=True)
                (self._spool / blob_id).unlink(missing_ok=True)

        if spooled or bool(run(store, _any_doomed, read_only=True)):
            run(store, settle)

    def _forget_gone(self, tx: Transaction) -> None:
        """Tidy DOOMED on the way. A name lost to a rolled back transaction is tidied at the next start."""
        gone, self._gone = self._gone, []
        for blob_id in gone:
            DOOMED.delete(tx, blob_id)

    def _remove(self, blob_id: str) -> None:
        if blob_id in self._pins:
            self._delayed.add(blob_id)
            return
        with suppress(OSError):  # a file that will not go stays in DOOMED's care until the next start
            self.path(blob_id).unlink(missing_ok=True)
            self._gone.append(blob_id)

    def _pin(self, names: Sequence[str]) -> None:
        for name in names:
            self._pins[name] = self._pins.get(name, 0) + 1

    def _unpin(self, names: Sequence[str]) -> None:
        for name in names:
            count = self._pins.pop(name) - 1
            if count:
                self._pins[name] = count
            elif name in self._delayed:
                self._delayed.discard(name)
                self._remove(name)


def _any_doomed(tx: Transaction) -> bool:
    return next(DOOMED.scan(tx), None) is not None


def copy_name(source: Path, target: Path) -> None:
    """A second name for the file, or a copy where the file system has none or is another one."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        shutil.copyfile(source, target)


def give_name(source: Path, target: Path) -> None:
    """`target` is a name of the file, and `source` may go. Works without hard links too; repeating it is harmless."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        if target.exists():
            return
        target.parent.mkdir()
        give_name(source, target)
    except OSError:  # a file system without hard links
        source.rename(target)
