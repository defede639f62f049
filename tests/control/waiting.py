"""Waiting until one transaction waits for another, so that a test meets them at that moment."""

from __future__ import annotations

from cloudlet.control.db import Database
from tests.control.mailbox import wait_until

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def wait_until_somebody_waits(database: Database) -> None:
    """For another's lock. SQLite's writers wait before they read anything, so there is nothing to wait for."""
    wait_until(lambda: database.is_sqlite or is_anybody_waiting(database), "nobody waits for a lock")


def is_anybody_waiting(database: Database) -> bool:
    with database.engine.connect() as connection:
        return bool(connection.exec_driver_sql(WAITING).scalar())
