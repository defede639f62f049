"""Bodies too big for a record: written while they are received, linked by the transaction that wants them.

The gateway:   writer = store.blobs.writer(("crc32",)); writer.write(data); body = writer.finish()
               … the operation runs with `body` as its payload …
               body.discard()     after the answer; does nothing when a transaction has linked it

A service:     blob_id = blobs.link(call.tx, request["Body"])               keep it: one link
               blobs.link(call.tx, blob_id)                                 another link (a copy of an object)
               blobs.content(call.tx, blob_id, start, length)               what to answer with
               blobs.unlink(call.tx, blob_id)                               one link less; the last one deletes it
               blobs.join(call.tx, [blob_id, blob_id, …])                   one blob made of others, nothing is copied

Everything happens with the transaction: a rolled back link or unlink never was. How the bytes are kept is the back
end's business (`Blobs`): files beside LMDB (`blob_files`), rows on PostgreSQL (`blob_rows`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from cloudlet.emulator.protocol.message import NO_STRINGS, Body, ResponseBody
from cloudlet.emulator.store.checksums import Digest, make_digests
from cloudlet.emulator.store.kv import StoreError, Transaction
from cloudlet.emulator.store.table import Record, Table

if TYPE_CHECKING:
    from cloudlet.emulator.store.kv import Store

INLINE_BYTES = 64 * 1024  # bodies up to this size stay in memory and belong into records; larger ones are spooled


class BlobRecord(Record, frozen=True):
    """A blob. `parts` are the blobs, with their sizes, that a joined one is made of; None for one with bytes."""

    blob_id: str
    size: int
    links: int
    parts: tuple[tuple[str, int], ...] | None = None


BLOBS = Table("cloudlet.blobs", BlobRecord, version=1, key=("blob_id",))


class Blobs(Protocol):
    """How a back end keeps bytes. Services use the functions of this module, not this."""

    def writer(self, algorithms: Iterable[str] = ()) -> BlobWriter:
        """Receives a body. `algorithms` (of `checksums.ALGORITHMS`) are computed on the way, and md5 always."""
        ...

    def new_id(self) -> str: ...

    def keep(self, tx: Transaction, body: SpooledBody) -> None:
        """The spooled bytes stay when `tx` commits."""
        ...

    def erase(self, tx: Transaction, blob_id: str, size: int) -> None:
        """The bytes go when `tx` commits."""
        ...

    def piece(self, blob_id: str, start: int, length: int) -> ResponseBody:
        """Part of the bytes of an unjoined blob, as a response body."""
        ...

    def chain(self, pieces: Sequence[tuple[str, int, int]]) -> AsyncIterator[bytes]:
        """Several pieces (blob id, start, length) one after the other."""
        ...

    def read(self, tx: Transaction, blob_id: str, start: int, length: int) -> bytes: ...

    def copy_to(self, tx: Transaction, blob_id: str, size: int, target: Path) -> None:
        """Write the bytes of an unjoined blob to a file that is not there yet."""
        ...

    def spooled(self, blob_id: str, source: Path) -> SpooledBody:
        """A file as a received body that gets this name when a transaction keeps it. `source` stays."""
        ...

    def recover(self, store: Store) -> None:
        """At start: finish or undo what a killed process left half done."""
        ...


class SpooledBody:
    """A received body on the disk; `message.Body`. `blob_id` is its name once a transaction has linked it.

    `checksums` has the hex digests of md5 and of what the writer was asked for.
    """

    __slots__ = ("blob_id", "checksums", "linked", "path", "size", "trailers")

    def __init__(
        self, blob_id: str, path: Path, size: int, checksums: dict[str, str], trailers: dict[str, str]
    ) -> None:
        self.blob_id = blob_id
        self.path = path  # where the bytes are now; moves when a transaction links them
        self.size = size
        self.checksums = checksums
        self.trailers = trailers
        self.linked = False

    def read(self) -> bytes:
        return self.path.read_bytes()

    def open(self) -> BinaryIO:
        return self.path.open("rb")

    def discard(self) -> None:
        """Delete the bytes unless a committed transaction has linked them. May be called more than once."""
        if not self.linked:
            self.path.unlink(missing_ok=True)


class BlobWriter:
    """Receives one body into a file, hashing on the way. End it with `finish` or `abort`."""

    __slots__ = ("_descriptor", "_digests", "_path", "_sync", "blob_id", "size")

    def __init__(self, blob_id: str, path: Path, algorithms: Iterable[str], *, sync: bool) -> None:
        self._digests: dict[str, Digest] = make_digests(("md5", *algorithms))
        self.blob_id = blob_id
        self._path = path
        self._sync = sync
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append. Raises StoreError when the disk is full (then call `abort`)."""
        for digest in self._digests.values():
            digest.update(data)
        self.size += len(data)
        try:
            written = os.write(self._descriptor, data)
            while written < len(data):
                data = memoryview(data)[written:]
                written = os.write(self._descriptor, data)
        except OSError as error:
            raise StoreError(f"A body could not be written to {self._path.parent}: {error.strerror}") from error

    def finish(self, trailers: dict[str, str] | None = None) -> SpooledBody:
        """The body, with its digests. It is on the disk when `DURABILITY=disk`."""
        if self._sync:
            os.fdatasync(self._descriptor)
        self._close()
        checksums = {name: digest.hexdigest() for name, digest in self._digests.items()}
        return SpooledBody(
            self.blob_id, self._path, self.size, checksums, trailers if trailers is not None else NO_STRINGS
        )

    def abort(self) -> None:
        """The body will not come: remove what there is."""
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def link(tx: Transaction, content: Body | bytes | str) -> str:
    """Keep a request's body, bytes, or (by its id) a blob that exists already. The blob's id; its links are one more.

    Raises KeyError for an id without a blob.
    """
    if isinstance(content, str):
        record = _record(tx, content)
        BLOBS.put(tx, BlobRecord(record.blob_id, record.size, record.links + 1, record.parts))
        return content
    if not isinstance(content, SpooledBody):
        body = _spool(tx, content if isinstance(content, bytes) else content.read())
    else:
        body = content
    if BLOBS.exists(tx, body.blob_id):
        return link(tx, body.blob_id)
    tx.blobs.keep(tx, body)
    BLOBS.put(tx, BlobRecord(body.blob_id, body.size, 1))
    return body.blob_id


def unlink(tx: Transaction, blob_id: str) -> None:
    """Take one link away; the last one deletes the blob. Raises KeyError for an id without a blob."""
    record = _record(tx, blob_id)
    if record.links > 1:
        BLOBS.put(tx, BlobRecord(blob_id, record.size, record.links - 1, record.parts))
        return
    BLOBS.delete(tx, blob_id)
    if record.parts is None:
        tx.blobs.erase(tx, blob_id, record.size)
        return
    for part_id, _ in record.parts:
        unlink(tx, part_id)


def join(tx: Transaction, parts: Sequence[Body | bytes | str]) -> str:
    """One blob made of others, in order; it holds a link to each, and nothing is copied. Its id; it has one link.

    Complete a multipart upload with this and `unlink` the parts: whatever is not part of the object goes.
    """
    pieces: list[tuple[str, int]] = []
    for part in parts:
        part_id = link(tx, part)
        record = _record(tx, part_id)
        if record.parts is None:
            pieces.append((part_id, record.size))
        else:
            for piece_id, size in record.parts:
                link(tx, piece_id)
                pieces.append((piece_id, size))
            unlink(tx, part_id)
    blob_id = tx.blobs.new_id()
    BLOBS.put(tx, BlobRecord(blob_id, sum(size for _, size in pieces), 1, tuple(pieces)))
    return blob_id


def size(tx: Transaction, blob_id: str) -> int:
    """Bytes in a blob. Raises KeyError for an id without one."""
    return _record(tx, blob_id).size


def content(tx: Transaction, blob_id: str, start: int = 0, length: int | None = None) -> ResponseBody:
    """The bytes from `start`, `length` of them or all, as the body of an answer; read after the transaction.

    A `FileSlice`, or an async iterator where the bytes are in several places or not in files. A blob that is deleted
    while it is being sent is still sent whole. Raises KeyError for an id without a blob.
    """
    pieces = _pieces(_record(tx, blob_id), start, length)
    if not pieces:
        return b""
    if len(pieces) == 1:
        return tx.blobs.piece(*pieces[0])
    return tx.blobs.chain(pieces)


def read(tx: Transaction, blob_id: str, start: int = 0, length: int | None = None) -> bytes:
    """The bytes from `start`, `length` of them or all, in memory. Raises KeyError for an id without a blob."""
    return b"".join([tx.blobs.read(tx, *piece) for piece in _pieces(_record(tx, blob_id), start, length)])


def _record(tx: Transaction, blob_id: str) -> BlobRecord:
    record = BLOBS.get(tx, blob_id)
    if record is None:
        raise KeyError(blob_id)
    return record


def _pieces(record: BlobRecord, start: int, length: int | None) -> list[tuple[str, int, int]]:
    """(blob id, start, length) of the unjoined blobs that hold a range."""
    end = record.size if length is None else min(record.size, start + length)
    found = []
    at = 0
    for piece_id, piece_size in record.parts or ((record.blob_id, record.size),):
        first, last = max(start, at), min(end, at + piece_size)
        if first < last:
            found.append((piece_id, first - at, last - first))
        at += piece_size
    return found


def _spool(tx: Transaction, data: bytes) -> SpooledBody:
    writer = tx.blobs.writer()
    writer.write(data)
    body = writer.finish()
    tx.on_abort(body.discard)
    tx.on_durable(body.discard)
    return body
