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
    goes at the end. Snapshots are in the volume in any case. Raises StoreError, whose message is for the user.
    """
    snapshots = Path(settings.volume_dir) / "snapshots" if settings.volume_dir else None
    if settings.state_url:
        postgres = importlib.import_module("cloudlet.emulator.store.postgres")  # its driver is an optional dependency
        store: Store = postgres.PostgresStore(settings.state_url, snapshots)
        return store
    temporary_dir = Path(settings.temporary_dir or tempfile.gettempdir())
    home = ephemeral_home(temporary_dir) if settings.state_dir is None else StateHome(settings.state_dir)
    return LmdbStore(home, settings.durability, snapshots, direct=home.ephemeral)
