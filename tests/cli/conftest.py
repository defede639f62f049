"""The command line as its users run it: a real process, an empty home directory, ports of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.control.serving import RunningPlatform

DEADLINE = 60.0


class Finished:
    """What a command printed, and how it ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """Runs `cloudlet …` in a home directory of its own; `variables` is its environment."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.web_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self.variables = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "PLATFORM_LISTEN": f"127.0.0.1:{self.web_port}",
            "API_ENDPOINT": f"{self.web_url}/v1",
            "CLOUDLET_KEYRING": "file",  # who runs the tests keeps their own keyring as it is
        }
        self.started: list[subprocess.Popen[str]] = []

    def file(self, folder: str, name: str) -> Path:
        """`run/emulator-….json` or `logs/control-….log` of this home directory."""
        port, suffix = self.web_port if name == "control" else self.port, "json" if folder == "run" else "log"
        return self.home / ".local/state/cloudlet" / folder / f"{name}-{port}.{suffix}"

    def arguments(self, *words: str, program: str = "cloudlet") -> list[str]:
        return [str(Path(sys.executable).with_name(program)), *words]

    def __call__(self, *words: str, input: str | None = None, program: str = "cloudlet", **extra: str) -> Finished:
        done = subprocess.run(
            self.arguments(*words, program=program),
            env=self.variables | extra,
            input=input if input is not None else "",
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return Finished(done)

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        """A command that goes on; ended with the test."""
        process = subprocess.Popen(
            self.arguments(*words),
            env=self.variables | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def clean_up(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(DEADLINE)
            if process.stdout is not None:
                process.stdout.close()
        self("stop")


def poll(found: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    """The first truthy answer; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def cloudlet(tmp_path: Path) -> Iterator[CommandLine]:
    line = CommandLine(tmp_path)
    yield line
    line.clean_up()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A control plane, shared by a module's tests: each makes its own people."""
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


@pytest.fixture
def connected(cloudlet: CommandLine, platform: RunningPlatform) -> CommandLine:
    """A command line whose control plane is `platform`."""
    cloudlet.variables |= {"API_ENDPOINT": f"{platform.url}/v1", "WEB_APP_URL": platform.url}
    return cloudlet
