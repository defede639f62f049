"""Scripts of the stages boot, start, ready and shutdown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.gateway.internal.test_localstack_endpoints import call, get

Start = Callable[..., Any]


def write(root: Path, name: str, text: str, *, executable: bool = False) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if executable:
        path.chmod(0o755)


def test_scripts_run_in_order_and_failures_are_shown(start_emulator: Start, tmp_path: Path) -> None:
    root, trace = tmp_path / "init", tmp_path / "trace"
    write(root, "boot.d/first.sh", f"echo boot >> {trace}\n")
    write(root, "start.d/second.py", f"open({str(trace)!r}, 'a').write('start\\n')\n")
    write(root, "ready.d/a.sh", f"#!/bin/sh\necho a $AWS_ENDPOINT_URL >> {trace}\nexit 3\n", executable=True)
    write(root, "ready.d/b/inner.py", f"open({str(trace)!r}, 'a').write('b\\n')\n")
    write(root, "ready.d/notes.txt", "not a script")
    write(root, "shutdown.d/last.sh", f"echo shutdown >> {trace}\n")
    emulator = start_emulator(INIT_DIR=str(root))
    assert emulator.wait_until(lambda: call(emulator, "GET", "/_localstack/ready")[0] == 200)
    assert trace.read_text().splitlines() == ["boot", "start", f"a {emulator.url}", "b"]
    shown = get(emulator, "/_localstack/init")
    assert shown["completed"] == {"BOOT": True, "START": True, "READY": True, "SHUTDOWN": False}
    assert shown["scripts"] == [
        {"stage": "BOOT", "name": "first.sh", "state": "SUCCESSFUL"},
        {"stage": "START", "name": "second.py", "state": "SUCCESSFUL"},
        {"stage": "READY", "name": "a.sh", "state": "ERROR"},
        {"stage": "READY", "name": "b/inner.py", "state": "SUCCESSFUL"},
        {"stage": "SHUTDOWN", "name": "last.sh", "state": "UNKNOWN"},
    ]
    assert [script["name"] for script in get(emulator, "/_localstack/init/ready")["scripts"]] == ["a.sh", "b/inner.py"]
    assert get(emulator, "/_localstack/ready") == {"ready": True, "failed_scripts": ["a.sh"]}
    assert "a.sh (READY) failed with exit code 3" in emulator.printed()
    emulator.stop()
    assert trace.read_text().splitlines()[-1] == "shutdown"


def test_ready_is_503_until_the_scripts_are_done(start_emulator: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    write(tmp_path / "init", "ready.d/wait.sh", f"until [ -e {gate} ]; do sleep 0.05; done\n")
    emulator = start_emulator(INIT_DIR=str(tmp_path / "init"))
    assert emulator.wait_until(lambda: get(emulator, "/_localstack/init/ready")["scripts"] == [shown("RUNNING")])
    status, body = call(emulator, "GET", "/_localstack/ready")
    assert (status, json.loads(body)) == (503, {"ready": False})
    assert "Ready." not in emulator.printed()
    emulator.client("sqs").list_queues()  # the scripts themselves have to be served
    gate.touch()
    assert emulator.wait_until(lambda: call(emulator, "GET", "/_localstack/ready")[0] == 200)
    assert emulator.wait_until(lambda: "Ready." in emulator.printed())


def test_a_stop_does_not_wait_for_the_scripts_of_ready(start_emulator: Start, tmp_path: Path) -> None:
    write(tmp_path / "init", "ready.d/wait.sh", "exec sleep 300\n")
    emulator = start_emulator(INIT_DIR=str(tmp_path / "init"))
    assert emulator.wait_until(lambda: get(emulator, "/_localstack/init/ready")["scripts"] == [shown("RUNNING")])
    assert emulator.stop() == 0


def shown(state: str) -> dict[str, str]:
    return {"stage": "READY", "name": "wait.sh", "state": state}
