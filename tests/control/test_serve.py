from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.control.serving import RunningPlatform


def test_it_says_where_it_is_and_stops_when_it_is_told_to(tmp_path: Path) -> None:
    running = RunningPlatform(tmp_path)
    assert f"Control plane ready at {running.url}\n" in running.printed()
    assert running.stop() == 0
    running.close()


def test_ctrl_c_is_a_clean_end(tmp_path: Path) -> None:
    running = RunningPlatform(tmp_path)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=20) == 0
    assert "Traceback" not in running.printed()
    running.close()


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "cloudlet.control"],
            env={**os.environ, "PLATFORM_LISTEN": f"127.0.0.1:{port}", "PLATFORM_STATE_DIR": str(tmp_path / "state")},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.strip() == f"cloudlet: port {port} on 127.0.0.1 is taken"
    assert not (tmp_path / "state").exists()


def test_what_was_issued_before_a_restart_is_good_after_it(tmp_path: Path) -> None:
    running = RunningPlatform(tmp_path)
    token = running.bootstrap().token
    keys = httpx.get(f"{running.url}/.well-known/license-keys.json").json()
    running.stop()
    running.start()
    assert httpx.get(f"{running.url}/.well-known/license-keys.json").json() == keys
    assert running.request_license(token).status_code == 200
    running.close()


def test_logs_may_be_json(tmp_path: Path) -> None:
    running = RunningPlatform(tmp_path, PLATFORM_LOG_FORMAT="json")
    httpx.get(f"{running.url}/sign-in")
    running.stop()
    assert '"route": "/sign-in"' in running.printed()
    running.close()
