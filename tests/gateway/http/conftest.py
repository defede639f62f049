"""Doors for the tests of this directory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.gateway.http.serving import RunningServer

Serve = Callable[..., RunningServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers, and stops them after the test."""
    started: list[RunningServer] = []

    def start(**options: Any) -> RunningServer:
        server = RunningServer(tmp_path, **options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def door(request: pytest.FixtureRequest, serve: Serve) -> RunningServer:
    """A server with the usual settings, on both loops."""
    return serve(loop_factory=request.param)
