"""Who may open a state, and what is left of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cloudlet.emulator.store.home import EPHEMERAL_PREFIX, StateHome, ephemeral_home
from cloudlet.emulator.store.kv import StoreError
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.open import open_store
from cloudlet.emulator.store.transact import run
from cloudlet.settings import Settings

HOLD = """
import sys
from pathlib import Path
from cloudlet.emulator.store.home import StateHome, ephemeral_home
home = {call}
print(home.root, flush=True)
sys.stdin.read()
"""


def hold(call: str) -> tuple[subprocess.Popen[str], Path]:
    """Another process that has a state open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(call=call)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    process.communicate()


def test_two_emulators_cannot_open_one_state(tmp_path: Path) -> None:
    process, root = hold(f"StateHome(Path({str(tmp_path / 'state')!r}))")
    with pytest.raises(StoreError, match=f"process {process.pid}"):
        StateHome(root)
    end(process, signal.SIGKILL)
    StateHome(root).close()


def test_a_state_can_be_opened_again_in_one_process(tmp_path: Path) -> None:
    StateHome(tmp_path).close()
    home = StateHome(tmp_path)
    with pytest.raises(StoreError):
        StateHome(tmp_path)
    home.close()
    home.close()


def test_an_ephemeral_state_goes_with_its_emulator(tmp_path: Path) -> None:
    home = ephemeral_home(tmp_path)
    LmdbStore(home).close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_emulator_left_is_removed_by_the_next(tmp_path: Path) -> None:
    call = f"ephemeral_home(Path({str(tmp_path)!r}))"
    killed, stale = hold(call)
    running, used = hold(call)
    end(killed, signal.SIGKILL)
    assert stale.exists()
    home = ephemeral_home(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([used, home.root])
    home.close()
    end(running, signal.SIGKILL)


def test_other_files_in_the_temporary_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / (EPHEMERAL_PREFIX + "mine")).mkdir()
    (tmp_path / (EPHEMERAL_PREFIX + "file")).write_text("")
    ephemeral_home(tmp_path).close()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_prepared_generation_that_was_not_adopted_is_dropped(tmp_path: Path) -> None:
    home = StateHome(tmp_path)
    first = home.current
    (home.prepare() / "data").write_text("half restored")
    home.close()
    home = StateHome(tmp_path)
    assert home.current == first
    assert [path.name for path in tmp_path.glob("generation-*")] == [first.name]
    second = home.prepare()
    home.adopt(second)
    home.close()
    home = StateHome(tmp_path)
    assert home.current == second
    assert not first.exists()
    home.close()


def test_a_directory_that_cannot_be_used_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        StateHome(tmp_path / "file")


def test_the_settings_say_where_the_state_lives(tmp_path: Path) -> None:
    kept = Settings(persistence=True, volume_dir=str(tmp_path / "volume"), temporary_dir=str(tmp_path / "tmp"))
    store = open_store(kept)
    run(store, lambda tx: tx.put(b"k", b"v"))
    with pytest.raises(StoreError, match="in use"):
        open_store(kept)
    store.close()
    store = open_store(kept)
    assert run(store, lambda tx: tx.get(b"k")) == b"v"
    store.snapshots.save("one")
    store.close()
    assert (tmp_path / "volume" / "snapshots" / "one").is_dir()
    store = open_store(Settings(volume_dir=str(tmp_path / "volume"), temporary_dir=str(tmp_path / "tmp")))
    assert run(store, lambda tx: tx.get(b"k")) is None
    store.snapshots.restore("one")
    assert run(store, lambda tx: tx.get(b"k")) == b"v"
    store.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_database_that_is_not_there_is_said_clearly() -> None:
    with pytest.raises(StoreError, match="state database"):
        open_store(Settings(state_url="postgresql://nobody@127.0.0.1:9/none"))


def test_opening_a_store_imports_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from cloudlet.emulator.store.open import open_store\n"
        "from cloudlet.emulator.store import blobs, snapshot, watch, transact\n"
        "from cloudlet.emulator.effects import clock, ids, jobs\n"
        "from cloudlet.settings import Settings\n"
        "store = open_store(Settings()); store.blobs.writer().abort(); store.close()\n"
        "print([name for name in ('psycopg', 'awscrt', 'httpx', 'ctypes') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
