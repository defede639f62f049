"""Fixtures of all tests: a real emulator in a process of its own, and real clients."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

pytest_plugins = ["tests.plugins.skipped_list"]

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_SECONDS = 60
CLIENT_VARIABLES = ("AWS_", "LOCALSTACK_", "SERVICES", "PERSISTENCE", "GATEWAY_LISTEN", "DEBUG", "LS_LOG")


# A shell that runs the tests in the background lets them ignore Ctrl-C, and so would every program that they start.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningEmulator:
    """An emulator process. `url` is its endpoint, `output` the file that has what it printed."""

    def __init__(self, output: Path, **variables: str) -> None:
        listen = variables.get("GATEWAY_LISTEN", "").partition(",")[0]
        self.port = int(listen.rpartition(":")[2]) if listen else free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = output
        environment = {name: value for name, value in os.environ.items() if not name.startswith(CLIENT_VARIABLES)}
        environment |= {
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "ACTIVATE_PRO": "0",
            "LOCALSTACK_VOLUME_DIR": str(output.parent / "volume"),
            "PYTHONWARNINGS": "error",
            **variables,
        }
        self._environment = environment
        self._start()

    def _start(self) -> None:
        with self.output.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloudlet.emulator"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        end = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the emulator ended with {self.process.returncode}:\n{self.printed()}")
            try:
                with urllib.request.urlopen(f"{self.url}/_localstack/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the emulator did not answer:\n{self.printed()}")

    def wait_until(self, condition: Callable[[], bool]) -> bool:
        """Poll until the condition holds; connection errors count as not yet. False when the limit is over."""
        end = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < end:
            try:
                if condition():
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client. `account=` chooses the account by the access key; `config=` is merged with ours."""
        account = options.pop("account", "test")
        config = Config(retries={"max_attempts": 0, "mode": "standard"}, s3={"addressing_style": "path"})
        config = config.merge(options.pop("config", Config()))
        options = {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": account,
            "aws_secret_access_key": "test",
            "config": config,
            **options,
        }
        return boto3.session.Session().client(service, **options)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start again with the same settings on the same port."""
        self._start()

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def printed(self) -> str:
        return self.output.read_text(errors="replace")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """One emulator for all tests of a worker; tests keep apart by unique names."""
    running = RunningEmulator(tmp_path_factory.mktemp("emulator") / "output.log")
    yield running
    running.stop()


@pytest.fixture
def start_emulator(tmp_path: Path) -> Iterator[Callable[..., RunningEmulator]]:
    """Starts emulators of this test's own: `start_emulator(PERSISTENCE="1")`."""
    started: list[RunningEmulator] = []

    def start(**variables: str) -> RunningEmulator:
        running = RunningEmulator(tmp_path / f"emulator-{len(started)}.log", **variables)
        started.append(running)
        return running

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def client(emulator: RunningEmulator) -> Callable[..., Any]:
    """`client("sqs")`, `client("s3", account="111122223333")`."""
    return emulator.client


COUNTER = itertools.count()


@pytest.fixture
def unique() -> Callable[..., str]:
    """Names that no other test uses: `unique("queue")` -> `queue-12ab-3`."""

    def name(prefix: str = "test") -> str:
        return f"{prefix}-{os.getpid():x}-{next(COUNTER)}"

    return name
