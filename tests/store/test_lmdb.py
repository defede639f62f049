"""What only LMDB can get wrong: growth, a full disk, memory, group commit."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudlet.emulator.store import environment
from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.kv import StoreError, Transaction
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.mapped import mappings
from cloudlet.emulator.store.transact import run

FULL_DISK = """
import resource, sys
from pathlib import Path
from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.kv import StoreError
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.transact import run
store = LmdbStore(StateHome(Path(sys.argv[1])), sys.argv[2])
run(store, lambda tx: tx.put(b"first", b"kept"))
store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
errors = []
try:
    run(store, lambda tx: [tx.put(b"%d" % n, b"x" * 50_000) for n in range(20)])
    store._waiting.append(errors.append)
    store.flush()
except StoreError as error:
    errors.append(error)
print(errors[0])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
run(store, lambda tx: tx.put(b"second", b"kept"))
store.flush()
print(run(store, lambda tx: [key for key, _ in tx.scan(b"", b"z")]))
store.close()
"""


@pytest.fixture(params=["process", "disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LmdbStore]:
    opened = LmdbStore(StateHome(tmp_path / "state"), request.param)
    yield opened
    opened.close()


def test_the_map_grows_when_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PLAIN_MAP_BYTES", 1 << 17)
    store = LmdbStore(StateHome(tmp_path / "state"))
    for number in range(40):
        run(store, lambda tx, number=number: tx.put(b"%d" % number, b"x" * 100_000))
    run(store, lambda tx: [tx.put(b"more%d" % number, b"x" * 50_000) for number in range(40)])
    assert run(store, lambda tx: len(list(tx.scan(b"", b"\xff")))) == 80
    store.close()


def test_a_direct_map_grows_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"), direct=True)
    path = store.home.current / "data.mdb"
    first = path.stat()
    assert first.st_blocks * 512 >= first.st_size == environment.DIRECT_MAP_BYTES
    enlarged: list[int] = []
    monkeypatch.setattr(store, "_enlarge", lambda: enlarged.append(1))
    for number in range(2000):
        run(store, lambda tx, number=number: tx.put(b"%d" % number, b"x" * 30_000))
    assert enlarged == []  # no transaction had to run again
    last = path.stat()
    assert last.st_blocks * 512 >= last.st_size > 60_000_000
    store.close()
    store = LmdbStore(StateHome(tmp_path / "state"), direct=True)
    assert run(store, lambda tx: len(list(tx.scan(b"", b"\xff")))) == 2000
    store.close()


def test_a_direct_map_that_one_transaction_fills_grows(tmp_path: Path) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"), direct=True)
    run(store, lambda tx: [tx.put(b"%d" % number, b"x" * 400_000) for number in range(100)])
    assert run(store, lambda tx: len(list(tx.scan(b"", b"\xff")))) == 100
    store.close()


def test_without_room_for_a_direct_map_it_is_a_plain_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment, "allocate", refuse)
    store = LmdbStore(StateHome(tmp_path / "state"), direct=True)
    run(store, lambda tx: tx.put(b"k", b"v"))
    assert run(store, lambda tx: tx.get(b"k")) == b"v"
    assert not store._env.flags()["writemap"]
    store.close()


def test_a_direct_map_that_cannot_grow_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"), direct=True)

    def refuse(path: Path, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment, "allocate", refuse)

    def fill() -> None:
        for number in range(1000):
            run(store, lambda tx, number=number: tx.put(b"%d" % number, b"x" * 30_000))

    with pytest.raises(StoreError, match="No space left"):
        fill()
    assert run(store, lambda tx: len(list(tx.scan(b"", b"\xff")))) > 100
    monkeypatch.undo()
    run(store, lambda tx: tx.put(b"more", b"x" * 30_000))
    store.close()


def test_a_system_with_little_address_space_gets_a_smaller_map(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from cloudlet.emulator.store.home import StateHome\n"
        "from cloudlet.emulator.store.lmdb import LmdbStore\n"
        "from cloudlet.emulator.store.transact import run\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "store = LmdbStore(StateHome(Path(sys.argv[1])))\n"
        "run(store, lambda tx: tx.put(b'k', b'v'))\n"
        "print(store._env.info()['map_size'] < 4 << 30)\n"
        "store.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_a_full_disk_is_said_clearly_and_harms_nothing(tmp_path: Path, durability: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "state"), durability], capture_output=True, text=True
    )
    said, keys = done.stdout.splitlines()
    assert "could not be written" in said
    assert "MB are free there" in said
    assert keys == "[b'first', b'second']"


def test_a_file_that_is_no_state_is_said_clearly(tmp_path: Path) -> None:
    home = StateHome(tmp_path / "state")
    (home.current / "data.mdb").write_bytes(b"nonsense" * 2000)
    with pytest.raises(StoreError, match="cannot be opened"):
        LmdbStore(home)
    home.close()


def test_deleting_long_keys_leaves_no_signposts(store: LmdbStore) -> None:
    keys = [b"a" * length + end for length in (400, 505, 600, 1500) for end in (b"", b"x", b"y" * 600)]
    run(store, lambda tx: [tx.put(key, b"") for key in keys])
    run(store, lambda tx: [tx.delete(key) for key in keys])
    store.flush()
    assert store._env.stat()["entries"] == 0


def test_durability_is_lmdbs_own(store: LmdbStore) -> None:
    assert store._env.flags()["sync"] == (store.durability == "disk")
    assert store._env.flags()["metasync"] == (store.durability == "disk")


def test_a_failed_group_commit_tells_all_who_wait(tmp_path: Path) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"), "disk")

    async def check() -> list[BaseException | None]:
        answers: list[BaseException | None] = []
        for number in range(3):
            run(store, lambda tx, number=number: tx.put(b"%d" % number, b""))
            assert store.when_durable(answers.append)
        store._group.abort()  # LMDB refuses to commit it now
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return answers

    answers = asyncio.run(check())
    assert [type(answer) for answer in answers] == [StoreError] * 3
    assert run(store, lambda tx: list(tx.scan(b"", b"\xff"))) == []
    run(store, lambda tx: tx.put(b"k", b"v"))
    store.close()


def test_a_reader_sees_what_was_committed_before_it_in_the_same_group(tmp_path: Path) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"), "disk")
    run(store, lambda tx: tx.put(b"k", b"v"))
    assert run(store, lambda tx: tx.get(b"k"), read_only=True) == b"v"
    with pytest.raises(LookupError):
        run(store, fail)
    assert run(store, lambda tx: list(tx.scan(b"", b"\xff")), read_only=True) == [(b"k", b"v")]
    store.close()


def test_a_commit_that_nobody_waits_for_is_soon_durable(tmp_path: Path) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"), "disk")

    async def check() -> None:
        run(store, lambda tx: tx.put(b"k", b"v"))
        deadline = asyncio.get_running_loop().time() + 20
        while store._group is not None:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)

    asyncio.run(check())
    store._env.close()  # without a flush
    again = LmdbStore(store.home, "disk")
    assert run(again, lambda tx: tx.get(b"k")) == b"v"
    again.close()


def fail(tx: Transaction) -> None:
    tx.put(b"other", b"")
    raise LookupError


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc to measure memory by")
def test_the_memory_of_a_read_state_is_given_back(tmp_path: Path) -> None:
    store = LmdbStore(StateHome(tmp_path / "state"))
    for number in range(200):
        run(store, lambda tx, number=number: tx.put(b"%05d" % number, b"x" * 100_000))

    async def check() -> None:
        for _ in range(100):
            run(store, lambda tx: sum(len(value) for _, value in tx.scan(b"", b"\xff")), read_only=True)
        high = resident_bytes(store)
        assert high > 15_000_000
        deadline = asyncio.get_running_loop().time() + 20
        while resident_bytes(store) > high // 4:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)
        assert run(store, lambda tx: tx.get(b"00199"), read_only=True) == b"x" * 100_000

    asyncio.run(check())
    store.close()


def resident_bytes(store: LmdbStore) -> int:
    """How much of the mapped state is resident in this process, by the kernel's account."""
    path = store.home.current / "data.mdb"
    (begin, _), *_ = mappings(path)
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    for line in lines:
        if line.startswith(f"{begin:x}-"):
            return next(int(entry.split()[1]) * 1024 for entry in lines if entry.startswith("Rss:"))
    raise AssertionError("the state is not mapped")
