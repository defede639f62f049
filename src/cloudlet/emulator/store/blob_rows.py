"""Blobs as rows beside the records, for back ends that several emulators share.

A body is received into a local file; the transaction that links it copies it into rows of `CHUNK_BYTES`. So linking and
deleting are as atomic as the rest of the transaction, and only the local spool can hold what nobody wants.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from pathlib import Path

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.protocol.message import ResponseBody
from cloudlet.emulator.store.blobs import BlobWriter, SpooledBody
from cloudlet.emulator.store.keys import pack
from cloudlet.emulator.store.kv import Store, Transaction

CHUNK_BYTES = 256 * 1024
PREFIX = b"cloudlet.blob_chunks\x00"


def chunk_key(blob_id: str, number: int) -> bytes:
    return PREFIX + pack((blob_id, number))


class RowBlobs:
    """See `blobs.Blobs`. `spool` is a local directory of this process."""

    def __init__(self, store: Store, spool: Path) -> None:
        self._store = store
        self._spool = spool
        self._ids = Ids()  # never seeded: replicas must not take the same names, and nobody sees them

    def new_id(self) -> str:
        return self._ids.hex(32)

    def writer(self, algorithms: Iterable[str] = ()) -> BlobWriter:
        blob_id = self.new_id()
        return BlobWriter(blob_id, self._spool / blob_id, algorithms, sync=False)

    def keep(self, tx: Transaction, body: SpooledBody) -> None:
        """The spooled file stays until its request is over: a conflict may want it again."""
        with body.open() as file:
            number = 0
            while data := file.read(CHUNK_BYTES):
                tx.put(chunk_key(body.blob_id, number), data)
                number += 1

    def erase(self, tx: Transaction, blob_id: str, size: int) -> None:
        for number in range(-(-size // CHUNK_BYTES)):
            tx.delete(chunk_key(blob_id, number))

    def piece(self, blob_id: str, start: int, length: int) -> ResponseBody:
        return self.chain(((blob_id, start, length),))

    async def chain(self, pieces: Sequence[tuple[str, int, int]]) -> AsyncIterator[bytes]:
        """Reads in one transaction, so that a blob that is deleted meanwhile is still sent whole."""
        tx = await asyncio.to_thread(partial(self._store.begin, read_only=True))
        try:
            for blob_id, start, length in pieces:
                for number, first, last in _chunks(start, length):
                    yield await asyncio.to_thread(_read_chunk, tx, blob_id, number, first, last)
        finally:
            await asyncio.to_thread(self._store.abort, tx)

    def read(self, tx: Transaction, blob_id: str, start: int, length: int) -> bytes:
        return b"".join([_read_chunk(tx, blob_id, *chunk) for chunk in _chunks(start, length)])

    def copy_to(self, tx: Transaction, blob_id: str, size: int, target: Path) -> None:
        with target.open("xb") as file:
            for chunk in _chunks(0, size):
                file.write(_read_chunk(tx, blob_id, *chunk))

    def spooled(self, blob_id: str, source: Path) -> SpooledBody:
        return SpooledBody(blob_id, source, source.stat().st_size, {}, {})

    def recover(self, store: Store) -> None:
        """Nothing is ever half done."""


def _chunks(start: int, length: int) -> list[tuple[int, int, int]]:
    """(number, first byte, byte behind the last) of the chunks that hold a range."""
    found = []
    while length > 0:
        number, first = divmod(start, CHUNK_BYTES)
        step = min(CHUNK_BYTES - first, length)
        found.append((number, first, first + step))
        start += step
        length -= step
    return found


def _read_chunk(tx: Transaction, blob_id: str, number: int, first: int, last: int) -> bytes:
    data = tx.get(chunk_key(blob_id, number))
    if data is None or len(data) < last:
        raise EOFError(f"blob {blob_id} is shorter than its record says")
    return data if last - first == len(data) else data[first:last]
