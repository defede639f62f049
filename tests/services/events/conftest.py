"""A clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import RunningEmulator
from tests.eventing.timed import Timed


@pytest.fixture
def timed(start_emulator: Callable[..., RunningEmulator]) -> Timed:
    return Timed(start_emulator())
