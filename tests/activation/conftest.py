from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import RunningEmulator
from tests.control.serving import RunningPlatform

Emulate = Callable[..., RunningEmulator]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    running = RunningPlatform(tmp_path_factory.mktemp("control"))
    yield running
    running.close()


@pytest.fixture
def emulate(tmp_path: Path) -> Iterator[Emulate]:
    """Starts emulators on one volume; those that still run at the test's end are stopped."""
    started: list[RunningEmulator] = []

    def start(**variables: str) -> RunningEmulator:
        running = RunningEmulator(tmp_path / f"log{len(started)}", **variables)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.stop()
