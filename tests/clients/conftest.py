"""Outside clients as their users have them: real programs, run as processes against the running emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningEmulator
from tests.control.serving import RunningPlatform

LIMIT_SECONDS = 100


class AwsCommandLine:
    """Runs `aws …` of the virtual environment; `aws.json(…)` gives its answer."""

    def __init__(self, url: str, home: Path) -> None:
        self.home = home
        self.url = url
        self.program = Path(sys.executable).with_name("aws")
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.program), "--endpoint-url", self.url, *words],
            env=self.variables,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )

    def __call__(self, *words: str) -> str:
        """What it printed; an exit code that is not 0 fails the test."""
        done = self.run(*words)
        assert done.returncode == 0, f"aws {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--output", "json"))


@pytest.fixture
def aws(emulator: Any, tmp_path: Path) -> AwsCommandLine:
    line = AwsCommandLine(emulator.url, tmp_path)
    if not line.program.exists():
        pytest.skip("the AWS CLI is not installed in the virtual environment")
    return line


@pytest.fixture
def licensed_emulator(start_emulator: Callable[..., RunningEmulator], tmp_path: Path) -> Iterator[RunningEmulator]:
    """An emulator with a trial license, which opens every service, and the control plane that gave it."""
    platform = RunningPlatform(tmp_path)
    member = platform.bootstrap()
    yield start_emulator(ACTIVATE_PRO="1", LOCALSTACK_AUTH_TOKEN=member.token, API_ENDPOINT=f"{platform.url}/v1")
    platform.close()
