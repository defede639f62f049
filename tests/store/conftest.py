"""The stores of the contract suite: every test that takes `store` runs on each back end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudlet.emulator.store.home import StateHome
from cloudlet.emulator.store.kv import Store
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.emulator.store.postgres import PostgresStore
from tests.store.postgres_server import PostgresServer, find_binaries

OpenStore = Callable[[], Store]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer(find_binaries())
    yield server
    server.close()


@pytest.fixture(params=["lmdb", "lmdb-direct", "lmdb-disk", "postgres"])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Opens the test's state; a second call opens it again, after the first store was closed."""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new_database()
        return lambda: PostgresStore(url, tmp_path / "snapshots")
    durability = "disk" if request.param == "lmdb-disk" else "process"
    direct = request.param == "lmdb-direct"
    return lambda: LmdbStore(StateHome(tmp_path / "state"), durability, tmp_path / "snapshots", direct=direct)


@pytest.fixture
def store(open_again: OpenStore) -> Iterator[Store]:
    opened = open_again()
    yield opened
    opened.close()
