"""A consistent copy of the database while it is in use, and its return.

SQLite is copied with its own online backup into one file; PostgreSQL by pg_dump in its custom format. The secret key is
not in it: whoever has the copy alone can neither read what is sealed nor use a token.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cloudlet.control.accounts.tables import User
from cloudlet.control.db import HEAD, Database
from cloudlet.control.licenses.signing import active_private_key
from cloudlet.control.platform import Platform
from cloudlet.control.work.tables import Lease
from cloudlet.settings import PlatformSettings

SQLITE_MAGIC = b"SQLite format 3\x00"
POSTGRES_MAGIC = b"PGDMP"
RUNNING = timedelta(seconds=60)  # a running control plane ends a task more often than that


class BackupError(Exception):
    """What is in the way, and what to do about it."""

    def __init__(self, message: str, *actions: str) -> None:
        super().__init__(message)
        self.actions = actions


class BackupReport(msgspec.Struct, frozen=True):
    path: str
    kind: str
    bytes: int


def back_up(settings: PlatformSettings, path: Path, variables: Mapping[str, str]) -> BackupReport:
    """Write the copy to `path`, readable by its owner alone; whole or not at all. Raises BackupError."""
    database = Database(settings)
    try:
        with whole_file(path) as unfinished:
            if database.is_sqlite:
                copy_sqlite(str(database.url.database), str(unfinished))
            else:
                run_tool(database, ["pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}"], variables)
        return BackupReport(str(path), "sqlite" if database.is_sqlite else "postgresql", path.stat().st_size)
    finally:
        database.close()


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def copy_sqlite(source: str, target: str) -> None:
    """By SQLite itself, a transaction's state; writers go on meanwhile. Raises BackupError."""
    if not Path(source).exists():
        raise BackupError(f"There is no database at {source}.")
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=30)) as old,
            contextlib.closing(sqlite3.connect(target, timeout=30)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise BackupError(f"SQLite: {error}") from None


def run_tool(database: Database, command: list[str], variables: Mapping[str, str]) -> None:
    """One of PostgreSQL's, whose password goes by the environment: arguments are for everybody to see."""
    if shutil.which(command[0], path=variables.get("PATH")) is None:
        raise BackupError(
            f"{command[0]} is not installed here.",
            f"Install PostgreSQL's client programs, or run {command[0]} elsewhere.",
        )
    url = database.url
    connection = {
        "PGHOST": url.host or str(url.query.get("host", "")),
        "PGPORT": str(url.port or url.query.get("port", "")),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
    }
    environment = {**variables, **{name: value for name, value in connection.items() if value}}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise BackupError(f"{command[0]}: {lines[-1]}")


def restore(
    settings: PlatformSettings, platform: Platform, path: Path, variables: Mapping[str, str], *, is_forced: bool
) -> BackupReport:
    """Put the copy in place of what is there. Raises BackupError, without having changed anything.

    Refuses a database that is in use or holds accounts, unless `is_forced`.
    """
    kind = kind_of(path)
    database = Database(settings)
    try:
        if (kind == "sqlite") != database.is_sqlite:
            raise BackupError(f"{path} is a copy of {kind}, and PLATFORM_DATABASE_URL is another kind of database.")
        if not is_forced:
            refuse_living(database, platform)
        if kind == "sqlite":
            check_copy(settings, platform, path)
            copy_sqlite(str(path), str(database.url.database))
        else:
            options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
            target = f"--dbname={database.url.database}"
            run_tool(database, ["pg_restore", *options, target, str(path)], variables)
        return BackupReport(str(path), kind, path.stat().st_size)
    finally:
        database.close()


def kind_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    if start.startswith(POSTGRES_MAGIC):
        return "postgresql"
    if start == SQLITE_MAGIC:
        return "sqlite"
    raise BackupError(f"{path} is no copy that `cloudlet admin backup` made.")


def refuse_living(database: Database, platform: Platform) -> None:
    """Raises BackupError."""
    try:
        with database.snapshot() as session:
            accounts = session.scalar(select(User.id).limit(1))
            lately = session.scalar(select(Lease.task).where(Lease.ran_at > platform.now() - RUNNING).limit(1))
    except DBAPIError:
        return  # no tables, so nothing to lose
    if lately is not None:
        raise BackupError("A control plane uses this database.", "Stop it (all of its processes), then try again.")
    if accounts is not None:
        raise BackupError("This database holds accounts already.", "Back it up, then use --force to replace it.")


def check_copy(settings: PlatformSettings, platform: Platform, path: Path) -> None:
    """Is it whole, not from a newer version, and made with our secret key? Raises BackupError, SecretKeyError."""
    copy = Database(msgspec.structs.replace(settings, database_url=f"sqlite:///{path}"))
    try:
        with copy.engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check").scalar()
            if found != "ok":
                raise BackupError(f"{path} is damaged: {found}")
            revision = copy.revision(connection)
        if not revision or revision > HEAD:
            raise BackupError(f"{path} was made by {'a newer version' if revision else 'something else'}.")
        with copy.snapshot() as session:
            check_secret(session, platform)
    except DBAPIError as error:
        raise BackupError(f"{path} cannot be read: {error.orig}") from None
    finally:
        copy.close()


def check_secret(session: Session, platform: Platform) -> None:
    """Raises SecretKeyError when the copy was made with another secret key."""
    active_private_key(session, platform)
