"""Emulators whose license opens Pipes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.activation.running import licensed
from tests.conftest import RunningEmulator


def begin(folder: Path, **variables: str) -> RunningEmulator:
    return RunningEmulator(folder / "output.log", **licensed(folder / "volume"), **variables)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """One for all tests of a worker."""
    running = begin(tmp_path_factory.mktemp("pipes"))
    yield running
    running.stop()


@pytest.fixture
def start_emulator(tmp_path: Path) -> Iterator[Callable[..., RunningEmulator]]:
    """One of this test's own."""
    started: list[RunningEmulator] = []

    def start(**variables: str) -> RunningEmulator:
        started.append(begin(tmp_path, **variables))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()
