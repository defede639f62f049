"""Blobs on every back end."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloudlet.emulator.protocol.message import FileSlice, InlineBody, ResponseBody
from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.blob_files import FileBlobs
from cloudlet.emulator.store.blobs import BLOBS, SpooledBody
from cloudlet.emulator.store.checksums import ALGORITHMS, hex_digest
from cloudlet.emulator.store.kv import Store, StoreError, Transaction
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.transact import run
from tests.store.conftest import OpenStore

DATA = random.Random(1).randbytes(700_001)

# Published check values: RFC 1321, FIPS 180, and the CRC catalogue's check of "123456789".
CHECKS = {
    "md5": "25f9e794323b453885f5181f1b624d0b",
    "sha1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
}


def receive(store: Store, data: bytes, *algorithms: str) -> SpooledBody:
    writer = store.blobs.writer(algorithms)
    for start in range(0, len(data), 100_000):
        writer.write(data[start : start + 100_000])
    return writer.finish()


def link(store: Store, content: SpooledBody | bytes | str) -> str:
    return run(store, lambda tx: blobs.link(tx, content))


def unlink(store: Store, blob_id: str) -> None:
    run(store, lambda tx: blobs.unlink(tx, blob_id))


def read(store: Store, blob_id: str, start: int = 0, length: int | None = None) -> bytes:
    return run(store, lambda tx: blobs.read(tx, blob_id, start, length), read_only=True)


def content(store: Store, blob_id: str, start: int = 0, length: int | None = None) -> ResponseBody:
    return run(store, lambda tx: blobs.content(tx, blob_id, start, length), read_only=True)


async def received(body: ResponseBody) -> bytes:
    """What a client gets of a response body."""
    if isinstance(body, bytes):
        return body
    if isinstance(body, FileSlice):
        return body.path.read_bytes()[body.start : body.start + body.length]
    return b"".join([data async for data in body])


def flush(store: Store) -> None:
    if isinstance(store, LmdbStore):
        store.flush()


def kept_files(store: Store) -> list[str]:
    """Names of all blob files, spooled ones with a mark."""
    flush(store)
    if not isinstance(store, LmdbStore):
        return []
    root = store.home.current
    return sorted(
        [path.name for path in (root / "blobs").glob("*/*")]
        + ["spool:" + path.name for path in (root / "spool").iterdir()]
    )


def test_digests_are_the_published_ones() -> None:
    assert {name: hex_digest(name, b"123456789") for name in ALGORITHMS} == CHECKS
    with pytest.raises(ValueError, match="crc7"):
        hex_digest("crc7", b"")


def test_a_body_is_hashed_on_the_way(store: Store) -> None:
    body = receive(store, DATA, *sorted(ALGORITHMS))
    assert body.size == len(DATA)
    assert body.read() == DATA
    assert body.checksums == {name: hex_digest(name, DATA) for name in ALGORITHMS}
    with body.open() as file:
        assert file.read(3) == DATA[:3]
    body.discard()


def test_md5_is_always_there(store: Store) -> None:
    body = receive(store, b"abc")
    assert body.checksums == {"md5": hashlib.md5(b"abc").hexdigest()}
    assert body.trailers == {}
    body.discard()


def test_a_linked_blob_stays_when_its_request_is_over(open_again: OpenStore) -> None:
    store = open_again()
    body = receive(store, DATA)
    blob_id = link(store, body)
    flush(store)
    body.discard()
    store.close()
    store = open_again()
    assert read(store, blob_id) == DATA
    assert read(store, blob_id, 300_000, 200_000) == DATA[300_000:500_000]
    assert run(store, lambda tx: blobs.size(tx, blob_id)) == len(DATA)
    store.close()


def test_what_nobody_linked_is_gone(store: Store) -> None:
    body = receive(store, DATA)
    writer = store.blobs.writer()
    writer.write(b"half")
    writer.abort()
    assert body.path.exists()
    body.discard()
    body.discard()
    assert not body.path.exists()
    assert kept_files(store) == []


def test_a_rolled_back_link_never_was(store: Store) -> None:
    body = receive(store, DATA)

    def work(tx: Transaction) -> None:
        blobs.link(tx, body)
        blobs.link(tx, b"made by the operation")
        raise LookupError

    with pytest.raises(LookupError):
        run(store, work)
    assert run(store, lambda tx: list(BLOBS.scan(tx))) == []
    assert body.read() == DATA
    body.discard()
    assert kept_files(store) == []


def test_a_rolled_back_unlink_never_was(store: Store) -> None:
    blob_id = link(store, receive(store, DATA))

    def work(tx: Transaction) -> None:
        blobs.unlink(tx, blob_id)
        raise LookupError

    with pytest.raises(LookupError):
        run(store, work)
    assert read(store, blob_id) == DATA


def test_the_last_link_takes_the_blob_along(store: Store) -> None:
    blob_id = link(store, receive(store, DATA))
    assert link(store, blob_id) == blob_id
    unlink(store, blob_id)
    assert read(store, blob_id) == DATA
    unlink(store, blob_id)
    with pytest.raises(KeyError):
        read(store, blob_id)
    with pytest.raises(KeyError):
        link(store, blob_id)
    with pytest.raises(KeyError):
        unlink(store, blob_id)
    assert kept_files(store) == []
    link(store, b"x")
    left = [key for key, _ in run(store, lambda tx: list(tx.scan(b"", b"\xff")))]
    assert [key.partition(b"\x00")[0] for key in left if not key.startswith(b"cloudlet.blob_chunks")] == [
        b"cloudlet.blobs"
    ]


def test_a_body_may_be_linked_by_two_things(store: Store) -> None:
    body = receive(store, DATA)

    def work(tx: Transaction) -> str:
        assert blobs.link(tx, body) == body.blob_id
        return blobs.link(tx, body)

    blob_id = run(store, work)
    unlink(store, blob_id)
    assert read(store, blob_id) == DATA
    assert link(store, body) == blob_id


def test_bytes_and_bodies_in_memory_can_be_blobs(store: Store) -> None:
    assert read(store, link(store, b"bytes")) == b"bytes"
    body_id = run(store, lambda tx: blobs.link(tx, InlineBody(b"body")))
    assert read(store, body_id) == b"body"
    assert read(store, link(store, b"")) == b""


def test_a_joined_blob_reads_as_one(store: Store) -> None:
    first, second = link(store, DATA[:300_000]), link(store, DATA[300_000:600_000])
    joined = run(store, lambda tx: blobs.join(tx, [first, second, DATA[600_000:]]))
    unlink(store, first)
    unlink(store, second)
    assert read(store, joined) == DATA
    assert read(store, joined, 299_999, 2) == DATA[299_999:300_001]
    again = run(store, lambda tx: blobs.join(tx, [joined, b"end", joined]))
    unlink(store, joined)
    assert read(store, again) == DATA + b"end" + DATA
    unlink(store, again)
    assert run(store, lambda tx: list(BLOBS.scan(tx))) == []
    assert kept_files(store) == []


def test_answers_have_the_range_that_was_asked_for(store: Store) -> None:
    whole = link(store, DATA)
    joined = run(store, lambda tx: blobs.join(tx, [whole, b"middle", whole]))
    everything = DATA + b"middle" + DATA

    async def check() -> None:
        for start, length in [(0, None), (5, 10), (262_143, 2), (len(DATA) - 1, 3), (len(everything) - 1, 100)]:
            end = None if length is None else start + length
            assert await received(content(store, whole, min(start, 1000), length)) == DATA[min(start, 1000) :][:length]
            assert await received(content(store, joined, start, length)) == everything[start:end]
        assert await received(content(store, joined, len(everything), 1)) == b""

    asyncio.run(check())


def test_a_blob_that_is_deleted_while_it_is_sent_is_sent_whole(store: Store) -> None:
    whole = link(store, DATA)
    joined = run(store, lambda tx: blobs.join(tx, [whole, whole, b"end"]))
    unlink(store, whole)

    async def check() -> None:
        body = content(store, joined)
        assert isinstance(body, AsyncIterator)
        first = await anext(body)
        unlink(store, joined)
        flush(store)
        assert first + await received(body) == DATA + DATA + b"end"

    asyncio.run(check())
    assert kept_files(store) == []


def test_a_reset_forgets_blobs_too(store: Store) -> None:
    blob_id = link(store, DATA)
    body = receive(store, DATA)
    store.clear()
    with pytest.raises(KeyError):
        read(store, blob_id)
    assert kept_files(store) == []
    if isinstance(store.blobs, FileBlobs):
        with pytest.raises(StoreError, match="reset"):
            link(store, body)
    body.discard()


def test_a_killed_emulator_leaves_nothing_behind(tmp_path: Path, open_again: OpenStore) -> None:
    """Each state that a kill can leave, made by hand: received and not linked, linked and not tidied, unlinked."""
    store = open_again()
    if not isinstance(store, LmdbStore):
        store.close()
        return
    linked = link(store, DATA)
    doomed = link(store, DATA)
    flush(store)
    spool, kept = store.home.current / "spool", store.home.current / "blobs"
    assert isinstance(store.blobs, FileBlobs)
    saved = tmp_path / "saved"
    os.link(store.blobs.path(doomed), saved)
    unlink(store, doomed)
    flush(store)
    store.close()
    os.link(saved, kept / doomed[:2] / doomed)  # its file was not yet deleted
    (kept / linked[:2] / linked).rename(spool / linked)  # its file had not yet been moved
    (spool / "f00d").write_bytes(b"received")  # nobody linked it
    (kept / "f0").mkdir(exist_ok=True)
    os.link(spool / "f00d", kept / "f0" / "f00d")  # its commit was not durable
    store = open_again()
    assert read(store, linked) == DATA
    assert kept_files(store) == [linked]
    store.close()


def test_a_blob_is_copied_out_and_kept_again_under_its_name(tmp_path: Path, open_again: OpenStore) -> None:
    store = open_again()
    blob_id = link(store, DATA)
    copy = tmp_path / "copy"
    run(store, lambda tx: tx.blobs.copy_to(tx, blob_id, len(DATA), copy), read_only=True)
    unlink(store, blob_id)
    flush(store)
    assert copy.read_bytes() == DATA

    def keep(tx: Transaction) -> None:
        tx.blobs.keep(tx, tx.blobs.spooled(blob_id, copy))
        BLOBS.put(tx, blobs.BlobRecord(blob_id, len(DATA), 1))

    run(store, keep)
    flush(store)
    assert read(store, blob_id) == DATA
    assert copy.read_bytes() == DATA
    store.close()
    store = open_again()
    assert read(store, blob_id) == DATA
    store.close()


def test_a_full_disk_is_said_clearly(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = store.blobs.writer()

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="No space left"):
        writer.write(b"x")
    writer.abort()
