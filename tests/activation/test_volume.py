"""Real emulators and the volume that they keep their license in: not writable, another's, shared by many."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import orjson
import pytest

from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.settings import read_settings
from tests.activation.conftest import Emulate
from tests.activation.running import aged, begin, get, keep_license, refused, with_token
from tests.activation.test_activate import control_plane
from tests.license import faults
from tests.license.faults import answer, verdict

LIMIT_SECONDS = 120


def test_a_volume_that_cannot_be_written_is_told_once_and_hinders_nothing(tmp_path: Path, emulate: Emulate) -> None:
    (tmp_path / "file").write_text("in the way of every folder")
    with faults.faults(control_plane(answer("200 OK", aged(0)))) as server:
        emulator = emulate(**with_token(server.url), LOCALSTACK_VOLUME_DIR=str(tmp_path / "file" / "volume"))
        assert get(emulator, "license")["state"] == "active_online"
        assert emulator.wait_until(lambda: "Ready.\n" in emulator.printed())
        told = [line for line in emulator.printed().splitlines() if "kept" in line or "written" in line]
        assert len(told) == 1
        assert re.match(r"The license cannot be kept, offline starts will not work: .*: not a directory", told[0])
        emulator.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_what_root_keeps_belongs_to_the_volumes_owner(tmp_path: Path, emulate: Emulate) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, 1234, 4321)
    with faults.faults(control_plane(answer("200 OK", aged(0)))) as server:
        emulate(**with_token(server.url)).stop()
    for name in ("license.json", "trust.json", "clock.json"):
        found = (volume / "cache" / name).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 4321, 0o600)


def test_nothing_is_written_through_a_link_that_somebody_left_in_the_volume(tmp_path: Path) -> None:
    target = tmp_path / "somebody's"
    target.write_bytes(b"precious")
    cache = LicenseCache(read_settings({"LOCALSTACK_VOLUME_DIR": str(tmp_path / "volume")}))
    cache.folder.mkdir(parents=True)
    (cache.folder / f".license.json.{os.getpid()}").symlink_to(target)
    assert "symbolic links" in cache.write(cache.license_path, b"{}")
    assert target.read_bytes() == b"precious"
    assert not cache.license_path.exists()


class Held:
    """A server that answers when `let_go` is set, and does not let its client run into a time limit until then."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.let_go = threading.Event()

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            return
        head, _, body = self.raw.partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\nX-Wait: ")
        while not self.let_go.wait(0.2):
            connection.sendall(b".")
        connection.sendall(b"\r\n\r\n" + body)


def raw_answer(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n".encode() + body


def asks_or_waits(process: subprocess.Popen[str]) -> bool:
    """Has it opened the lock file?"""
    try:
        with os.scandir(f"/proc/{process.pid}/fd") as entries:
            names = [os.readlink(entry.path) for entry in entries]
    except OSError:
        return False
    return any(name.endswith(".license.lock") for name in names)


def twenty(tmp_path: Path, held: Held, url: str) -> list[tuple[subprocess.Popen[str], str]]:
    """Twenty emulators that begin together, and what the first lines of each say."""
    variables = {**with_token(url), "LICENSE_TIMEOUT": "100", "LICENSE_ERROR_FORMAT": "json"}
    processes = [begin(tmp_path, **variables) for _ in range(20)]
    try:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not all(asks_or_waits(process) for process in processes) and time.monotonic() < deadline:
            time.sleep(0.05)
        held.let_go.set()
        found = []
        for process in processes:
            assert process.stdout is not None
            found.append((process, process.stdout.readline()))
        return found
    finally:
        held.let_go.set()
        for process in processes:
            process.terminate()
        for process in processes:
            process.communicate(timeout=LIMIT_SECONDS)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks into processes by /proc")
def test_twenty_emulators_that_start_at_once_on_one_volume_ask_once(tmp_path: Path) -> None:
    keep_license(tmp_path / "volume", b"")  # no license, but its key is known
    held = Held(raw_answer("200 OK", aged(0)))
    with faults.faults(held) as server:
        started = twenty(tmp_path, held, server.url)
    lines = sorted(line for _process, line in started)
    assert len([line for line in lines if line.startswith("Successfully requested and activated new")]) == 1
    assert len([line for line in lines if line.startswith("Successfully activated cached license")]) == 19
    assert sum(request.startswith(b"POST") for request in server.requests) == 1


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks into processes by /proc")
def test_twenty_emulators_that_are_refused_at_once_asked_once(tmp_path: Path) -> None:
    held = Held(raw_answer("403 Forbidden", orjson.dumps({"error": True, "message": "licensing.license.expired"})))
    with faults.faults(held) as server:
        started = twenty(tmp_path, held, server.url)
    reports = [orjson.loads(line) for _process, line in started]
    assert {report["code"] for report in reports} == {"license.expired"}
    assert {report["paused_seconds"] for report in reports} == {0}
    assert sum(request.startswith(b"POST") for request in server.requests) == 1


def test_a_license_that_a_verdict_ended_opens_no_start_when_it_comes_back(tmp_path: Path) -> None:
    mounted = tmp_path / "mounted.json"
    mounted.write_bytes(aged(60))
    keep_license(tmp_path / "volume", b"")
    with faults.faults(verdict("403 Forbidden", "licensing.credentials.invalid")) as server:
        variables = {**with_token(server.url), "LICENSE_FILE": str(mounted)}
        assert refused(tmp_path, **variables)["code"] == "credentials.invalid"
        server.behave = faults.hang_up  # the server is away, the license is as fresh as it was
        assert refused(tmp_path, **variables)["code"] == "credentials.invalid"
