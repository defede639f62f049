"""Snapshots on every back end."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudlet import __version__
from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.kv import Store, StoreError
from cloudlet.emulator.store.transact import run
from tests.store.conftest import OpenStore

LARGE = b"0123456789" * 30_000


def put(store: Store, key: bytes, value: bytes) -> None:
    run(store, lambda tx: tx.put(key, value))


def get(store: Store, key: bytes) -> bytes | None:
    return run(store, lambda tx: tx.get(key), read_only=True)


def test_a_restored_state_is_the_saved_one(store: Store) -> None:
    put(store, b"k", b"saved")
    put(store, b"long" * 300, b"saved")
    blob_id = run(store, lambda tx: blobs.link(tx, LARGE))
    saved = store.snapshots.save("one")
    assert (saved.name, saved.version) == ("one", __version__)
    assert saved.size_bytes > 0
    put(store, b"k", b"changed")
    put(store, b"new", b"new")
    run(store, lambda tx: blobs.unlink(tx, blob_id))
    later = run(store, lambda tx: blobs.link(tx, LARGE))
    assert store.snapshots.restore("one") == saved
    assert get(store, b"k") == b"saved"
    assert get(store, b"long" * 300) == b"saved"
    assert get(store, b"new") is None
    assert run(store, lambda tx: blobs.read(tx, blob_id)) == LARGE
    with pytest.raises(KeyError):
        run(store, lambda tx: blobs.read(tx, later))


def test_a_state_branches(store: Store) -> None:
    store.snapshots.save("root")
    for name in ("left", "right"):
        store.snapshots.restore("root")
        put(store, b"branch", name.encode())
        run(store, lambda tx: blobs.link(tx, LARGE))
        store.snapshots.save(name)
    for name in ("left", "right", "left"):
        store.snapshots.restore(name)
        assert get(store, b"branch") == name.encode()
    assert [snapshot.name for snapshot in store.snapshots.list()] == ["root", "left", "right"]


def test_a_snapshot_outlives_the_emulator_and_a_reset(open_again: OpenStore) -> None:
    store = open_again()
    put(store, b"k", b"saved")
    store.snapshots.save("one")
    store.clear()
    store.close()
    store = open_again()
    assert get(store, b"k") is None
    store.snapshots.restore("one")
    assert get(store, b"k") == b"saved"
    store.close()
    store = open_again()
    assert get(store, b"k") == b"saved"
    store.close()


def test_saving_again_replaces(store: Store) -> None:
    put(store, b"k", b"1")
    store.snapshots.save("one")
    put(store, b"k", b"2")
    store.snapshots.save("one")
    put(store, b"k", b"3")
    store.snapshots.restore("one")
    assert get(store, b"k") == b"2"
    assert len(store.snapshots.list()) == 1


@pytest.mark.parametrize("name", ["unknown", "", "../state", ".hidden", "a/b"])
def test_what_is_not_there_is_a_key_error(store: Store, name: str) -> None:
    with pytest.raises(KeyError):
        store.snapshots.restore(name)
    with pytest.raises(KeyError):
        store.snapshots.delete(name)


def test_a_deleted_snapshot_is_gone(store: Store, tmp_path: Path) -> None:
    assert store.snapshots.list() == []
    store.snapshots.save("one")
    store.snapshots.delete("one")
    assert store.snapshots.list() == []
    assert list((tmp_path / "snapshots").iterdir()) == []


def test_half_made_snapshots_are_tidied_at_the_start(open_again: OpenStore, tmp_path: Path) -> None:
    store = open_again()
    put(store, b"k", b"saved")
    store.snapshots.save("one")
    store.snapshots.save("two")
    store.close()
    directory = tmp_path / "snapshots"
    (directory / "one").rename(directory / ".old-one")  # killed between the renames
    (directory / ".saving-one").mkdir()
    (directory / ".old-two").mkdir()
    store = open_again()
    assert sorted(path.name for path in directory.iterdir()) == ["one", "two"]
    store.snapshots.restore("one")
    assert get(store, b"k") == b"saved"
    store.close()


def test_a_snapshot_of_another_back_end_is_refused(store: Store, tmp_path: Path) -> None:
    store.snapshots.save("one")
    metadata = tmp_path / "snapshots" / "one" / "snapshot.json"
    metadata.write_text(metadata.read_text().replace('"backend":"', '"backend":"other-'))
    with pytest.raises(StoreError, match="other-"):
        store.snapshots.restore("one")
