"""Process files: a process is ours only when it is the one that was written down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloudlet.cli.processes import ServerProcess, began, stop
from cloudlet.settings import CommandSettings


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    return ServerProcess(CommandSettings(config_dir=str(tmp_path), state_dir=str(tmp_path)), "emulator", 4566)


def sleeper(code: str = "import time; time.sleep(60)") -> list[str]:
    return [sys.executable, "-c", code]


def test_a_process_that_was_written_down_is_found(server: ServerProcess) -> None:
    server.record("http://127.0.0.1:1", os.getpid(), log=False)
    record = server.running()
    assert record is not None
    assert (record.pid, record.url, record.log) == (os.getpid(), "http://127.0.0.1:1", "")


def test_another_process_with_the_same_number_is_not_ours(server: ServerProcess) -> None:
    server.record("http://127.0.0.1:1", os.getpid(), log=False)
    entry = json.loads(server.file.read_text())
    server.file.write_text(json.dumps(entry | {"began": "1"}))
    assert server.running() is None
    assert not server.file.exists()


@pytest.mark.parametrize("content", ["", "nonsense", "{}", '{"pid": "x"}'])
def test_a_broken_file_means_nothing_runs(server: ServerProcess, content: str) -> None:
    server.file.parent.mkdir(parents=True)
    server.file.write_text(content)
    assert server.running() is None


def test_a_dead_process_has_not_begun() -> None:
    process = subprocess.Popen(sleeper("pass"))
    process.wait()
    assert began(process.pid) == ""


def test_stopping_is_gentle_and_then_is_not(server: ServerProcess) -> None:
    gentle = server.spawn(sleeper(), os.environ, "http://127.0.0.1:1")
    assert stop(gentle.pid, began(gentle.pid), 10)
    assert gentle.wait() == -15
    deaf = server.spawn(
        sleeper("import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"),
        os.environ,
        "http://127.0.0.1:1",
    )
    while not server.log_size():
        assert deaf.poll() is None
    assert not stop(deaf.pid, began(deaf.pid), 0.2)
    assert deaf.wait() == -9


def test_the_log_is_readable_by_its_owner_alone_and_begins_anew_when_it_is_large(server: ServerProcess) -> None:
    server.log.parent.mkdir(parents=True)
    server.log.write_bytes(b"x" * 6 * 1024 * 1024)
    server.spawn(sleeper("print('new')"), os.environ, "http://127.0.0.1:1").wait()
    assert server.log.read_text() == "new\n"
    assert server.log.stat().st_mode & 0o077 == 0
    assert server.log.with_suffix(".log.1").exists()
    assert server.log_since(0) == "new"
