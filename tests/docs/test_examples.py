"""The examples of the docs, run as they stand but for the address."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.activation.running import licensed
from tests.docs.test_pages import FENCE, PAGES

CURL = re.compile(r"^curl [^#\n]+", re.MULTILINE)


def blocks(language: str) -> list[Any]:
    """Each block of one language, named after its page."""
    found = [
        (page, body) for page in PAGES for name, body in FENCE.findall(page.read_text("utf-8")) if name == language
    ]
    return [pytest.param(body, id=page.stem) for page, body in found]


@pytest.mark.parametrize("example", [block for block in blocks("python") if "import boto3" in block.values[0]])
def test_the_python_examples_run(example: str, emulator: Any) -> None:
    text = re.sub(r"http://(localhost|127\.0\.0\.1):4566", emulator.url, example)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_curl_examples_answer(start_emulator: Callable[..., Any], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    emulator = start_emulator(**licensed(tmp_path / "volume"))
    address = emulator.url.removeprefix("http://")
    lines = [line for block in blocks("bash") for line in CURL.findall(block.values[0]) if "4566" in line]
    assert len(lines) >= 4
    for line in lines:
        command = re.sub(r"(localhost|127\.0\.0\.1):4566", address, line).replace("curl ", "curl -sS --fail ", 1)
        command = command.replace("file:///mnt/pods", (tmp_path / "pods").as_uri())
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
