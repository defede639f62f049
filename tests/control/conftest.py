"""Control planes for the tests: one a module on SQLite, and one on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.control.people import sequence
from tests.control.serving import RunningPlatform
from tests.store.postgres_server import PostgresServer, find_binaries


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer(find_binaries())
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; "" is SQLite in the state directory."""
    if request.param == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """A running control plane, shared by a module's tests: each makes its own people."""
    folder: Path = tmp_path_factory.mktemp("control")
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_server").new_database()
    running = RunningPlatform(folder, url)
    yield running
    running.close()


@pytest.fixture
def email() -> str:
    return f"person{next(sequence)}@example.com"


@pytest.fixture
def new_email() -> Callable[[], str]:
    return lambda: f"person{next(sequence)}@example.com"
