"""The store that the settings ask for."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

from cloudlet.emulator.store.home import StateHome, ephemeral_home
from cloudlet.emulator.store.kv import Store
from cloudlet.emulator.store.lmdb import LmdbStore
from cloudlet.settings import Settings


def open_store(settings: Settings) -> Store:
    """PostgreSQL for `STATE_URL`, else LMDB: in the volume with `PERSISTENCE=1`, else in a temporary directory that
    goes at the end. Raises StoreError, whose message is for the user.
    """
    if settings.state_url:
        postgres = importlib.import_module("cloudlet.emulator.store.postgres")  # its driver is an optional dependency
        store: Store = postgres.PostgresStore(settings.state_url)
        return store
    if settings.state_dir is not None:
        return LmdbStore(StateHome(settings.state_dir), settings.durability)
    return LmdbStore(ephemeral_home(Path(settings.temporary_dir or tempfile.gettempdir())), settings.durability)
