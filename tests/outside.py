"""Programs of others, unmodified, each in an environment of its own under .cache/, made at the first use.

A test skips, with the reason, where the package index cannot be reached.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT

CACHE = ROOT / ".cache"
LIMIT_SECONDS = 600


def python_programs(name: str, *requirements: str) -> Path:
    """The folder of the programs of these Python packages (exact versions)."""

    def make(folder: Path) -> None:
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *requirements])

    return made(name, requirements, make) / "bin"


def node_programs(name: str, *packages: str) -> Path:
    """The folder `node_modules` with these npm packages (exact versions); the programs are in its `.bin`."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")

    def make(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "package.json").write_text("{}")
        run(["npm", "install", "--no-fund", "--no-audit", "--no-save", "--prefix", str(folder), *packages])

    return made(name, packages, make) / "node_modules"


def made(name: str, wanted: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    """The environment `name`, made anew when it holds something else than is wanted or was not finished."""
    folder = CACHE / name
    finished = folder / "finished"
    with alone(name):
        if finished.exists() and finished.read_text().split() == list(wanted):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        try:
            make(folder)
        except (subprocess.SubprocessError, OSError) as error:
            output = getattr(error, "stderr", "") or str(error)
            pytest.skip(f"{' '.join(wanted)} cannot be had from a package index: {output.strip()[-200:]}")
        finished.write_text("\n".join(wanted))
    return folder


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Only one worker of the tests makes an environment."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(arguments: list[str]) -> None:
    subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=LIMIT_SECONDS)
