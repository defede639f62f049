"""Server processes that the command line started: their files in the state directory, and whether they still live.

<state>/run/emulator.json     pid, when that process began (so that a reused pid is not taken for ours), URL, log
<state>/logs/emulator.log     what it prints, in the background

On another port than the usual one the files are called `emulator-4567`, so that several can run beside each other.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from cloudlet.settings import CommandSettings

STOP_SECONDS = 12.0  # a graceful stop lets requests in flight finish
USUAL_PORTS = frozenset({4566, 4580})
LOG_BYTES_KEPT = 5 * 1024 * 1024


class ProcessRecord(msgspec.Struct, frozen=True):
    """What is written down about a server process."""

    pid: int
    began: str
    url: str
    log: str = ""


class ServerProcess:
    """The process of one server on one port, running or not. `kind` is `emulator`, `control` or `quickstart`."""

    def __init__(self, settings: CommandSettings, kind: str, port: int) -> None:
        self.kind = kind
        name = kind if port in USUAL_PORTS else f"{kind}-{port}"
        self.file = Path(settings.state_dir) / "run" / f"{name}.json"
        self.log = Path(settings.state_dir) / "logs" / f"{name}.log"

    def record(self, url: str, pid: int, *, log: bool) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        entry = ProcessRecord(pid, began(pid), url, str(self.log) if log else "")
        temporary = self.file.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(msgspec.json.encode(entry))
        temporary.replace(self.file)

    def running(self) -> ProcessRecord | None:
        """The record of the live process; None when there is none. Removes the file of a dead one."""
        try:
            entry = msgspec.json.decode(self.file.read_bytes(), type=ProcessRecord)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        if entry.began and began(entry.pid) == entry.began:
            return entry
        self.forget()
        return None

    def forget(self) -> None:
        self.file.unlink(missing_ok=True)

    def spawn(self, arguments: Sequence[str], environment: Mapping[str, str], url: str) -> subprocess.Popen[bytes]:
        """Start it in a session of its own (a Ctrl-C in the terminal reaches only us), its output in the log file."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_KEPT:
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        self.record(url, process.pid, log=True)
        return process

    def log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, position: int, lines: int = 15) -> str:
        """The last lines that were logged after `position`."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(position, self.log_size() - 64 * 1024))
            text = file.read().decode("utf-8", "replace")
        return "\n".join(text.rstrip().splitlines()[-lines:])


def began(pid: int) -> str:
    """When the process began, as an opaque text that a later process with the same pid does not have; empty if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return ""
        shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip()
    return "" if fields[0] in "ZX" else fields[19]


def stop(pid: int, began_at: str, seconds: float = STOP_SECONDS) -> bool:
    """SIGTERM, and SIGKILL when it takes too long. True when it went by itself."""
    if not send(pid, signal.SIGTERM) or wait_gone(pid, began_at, seconds):
        return True
    send(pid, signal.SIGKILL)
    wait_gone(pid, began_at, 5.0)
    return False


def send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def wait_gone(pid: int, began_at: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while began(pid) == began_at:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
