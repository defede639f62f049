"""Running a program of others in a folder of its own, with test credentials and the emulator's address."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import RunningEmulator

LIMIT_SECONDS = 240


class Tool:
    """`tool("deploy")` is what it printed; a failure of the program fails the test."""

    def __init__(
        self, program: Path | str, folder: Path, emulator: RunningEmulator, variables: Mapping[str, str] = {}
    ) -> None:
        self.program = str(program)
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://localhost:{emulator.port}",
            **variables,
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *words],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )

    def __call__(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout
        return done.stdout
