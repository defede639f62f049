"""A PostgreSQL server for tests, from the machine's binaries. Without them its tests are skipped, with this reason."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psycopg
import pytest

from tests.conftest import free_port

START_LIMIT_SECONDS = 30
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=60", "-c", "shared_buffers=32MB")


class PostgresServer:
    """A server on a port of its own, with its data in a temporary directory. It does not survive a power failure."""

    def __init__(self, binaries: Path) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="cloudlet-postgres-"))
        self.port = free_port()
        self._prefix: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.directory, "postgres")
            self._prefix = ["runuser", "-u", "postgres", "--"]
        data = self.directory / "data"
        self._run(str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "cloudlet", "-E", "UTF8", "-N")
        self.process = subprocess.Popen(
            [
                *self._prefix,
                *(str(binaries / "postgres"), "-D", str(data), "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.directory}"),
                *FAST,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
        )
        self._wait()

    def new_database(self) -> str:
        """The URL of a fresh, empty database."""
        name = "t" + uuid.uuid4().hex
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str) -> str:
        return f"postgresql://cloudlet@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, *command: str) -> None:
        done = subprocess.run([*self._prefix, *command], capture_output=True, text=True, cwd=self.directory)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr}")

    def _wait(self) -> None:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.close()
                    raise
                time.sleep(0.05)
            else:
                return


def find_binaries() -> Path:
    """Where PostgreSQL's programs are; skips the test where they are not."""
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists():
            if os.geteuid() == 0 and not _has_user("postgres"):
                pytest.skip("PostgreSQL does not run as root, and there is no user postgres to run it as")
            return candidate
    pytest.skip(f"PostgreSQL's server is not installed on this machine ({getpass.getuser()} finds no initdb)")


def _has_user(name: str) -> bool:
    return subprocess.run(["id", name], capture_output=True).returncode == 0
