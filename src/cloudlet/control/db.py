"""The database: engine, transactions, migrations. SQLite by default, PostgreSQL by PLATFORM_DATABASE_URL.

Services take a `Session` and never commit; whoever opens the transaction does, by leaving the `with` block.
"""

from __future__ import annotations

import fcntl
import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from cloudlet.settings import PlatformSettings, SettingError

BUSY_TIMEOUT_MILLISECONDS = 10_000
MIGRATION_LOCK = 0x636C6F75646C6574  # "cloudlet"
HEAD = "0009"
WAKE = "wake"
WRONG_URL = "PLATFORM_DATABASE_URL is neither postgresql://user:password@host/name nor sqlite:///path"


class DatabaseUnavailable(Exception):
    """The database cannot be reached or opened. The message has no password."""


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """A point in time, UTC with its zone in Python; SQLite, which knows no zones, holds it without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One engine. `transaction()` writes, `snapshot()` only reads. `wake` is told which tasks have something to do.

    Making one connects to nothing. Raises SettingError for a URL of no database that we know.
    """

    def __init__(self, settings: PlatformSettings) -> None:
        self.wake: Callable[[str], None] = lambda _task: None
        self.url = database_url(settings)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = make_engine(self.url)
        self._writer = threading.Lock()
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._readers = sessionmaker(
            self.engine.execution_options(cloudlet_read_only=True), expire_on_commit=False, autoflush=False
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commits on leaving, rolls back on an exception.

        On SQLite the threads of a process queue up here. Left to SQLite they would poll for its one write lock with
        growing sleeps, and some would sleep for a second while others come and go.
        """
        queued = self.is_sqlite and self._writer.acquire(timeout=BUSY_TIMEOUT_MILLISECONDS / 1000)
        try:
            with self._sessions.begin() as session:
                yield session
        finally:
            if queued:
                self._writer.release()
        for task in session.info.pop(WAKE, ()):
            self.wake(task)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """For reading; takes no write lock, and nothing is ever committed."""
        with self._readers() as session:
            yield session

    def lock(self, session: Session) -> None:
        """Let only one process at a time go on, until the transaction ends. SQLite's writers are alone anyway."""
        if not self.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})

    def migrate(self) -> None:
        """Bring the tables up to date. Only one process does it, the others wait. Raises DatabaseUnavailable."""
        try:
            with self.engine.connect() as connection:
                self.check_encoding(connection)
                if self.revision(connection) == HEAD:
                    return
            with self.migration_lock() as connection:
                if self.revision(connection) != HEAD:
                    # lazy: alembic is needed once in a database's life, not at each start
                    importlib.import_module("cloudlet.control.migrate").upgrade(connection)
                    connection.commit()
        except OperationalError as error:
            shown = self.url.render_as_string(hide_password=True)
            reason = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
            raise DatabaseUnavailable(f"{shown}: {reason}") from error

    def check_encoding(self, connection: Connection) -> None:
        """Any other than UTF-8 cannot keep what people are called. Raises DatabaseUnavailable."""
        encoding = "UTF8" if self.is_sqlite else str(connection.execute(text("SHOW server_encoding")).scalar())
        if encoding != "UTF8":
            shown = self.url.render_as_string(hide_password=True)
            raise DatabaseUnavailable(
                f"{shown}: the database has the encoding {encoding}; use one that was made with UTF8"
                f" (CREATE DATABASE cloudlet ENCODING 'UTF8' TEMPLATE template0)"
            )

    def revision(self, connection: Connection) -> str:
        """The migration that the tables are at, "" for none."""
        if not connection.dialect.has_table(connection, "alembic_version"):
            return ""
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")

    @contextmanager
    def migration_lock(self) -> Iterator[Connection]:
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                yield connection
            return
        path = self.url.database
        if not path or path == ":memory:":
            with self.engine.connect() as connection:
                yield connection
            return
        with open(path + ".migrate", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self.engine.connect() as connection:
                yield connection

    def is_ready(self) -> bool:
        """Does the database answer, with current tables?"""
        try:
            with self.engine.connect() as connection:
                return self.revision(connection) == HEAD
        except DBAPIError:
            return False

    def close(self) -> None:
        self.engine.dispose()


def wake_after_commit(session: Session, task: str) -> None:
    """Let the worker of this process run a task as soon as the transaction is committed."""
    session.info.setdefault(WAKE, set()).add(task)


def database_url(settings: PlatformSettings) -> URL:
    """The settings' URL with the driver that we ship; SQLite in the state directory when they name none.

    Raises SettingError.
    """
    if not settings.database_url:
        folder = Path(settings.state_dir)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "control.sqlite3"
        path.touch(mode=0o600)
        return URL.create("sqlite", database=str(path))
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        raise SettingError(WRONG_URL) from None  # not its text: there is a password in it
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"postgresql+psycopg", "sqlite", "sqlite+pysqlite"}:
        raise SettingError(WRONG_URL)
    return url


def make_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(
            url,
            connect_args={"client_encoding": "utf8"},  # whatever the server's is: of other ones the driver makes bytes
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=10,
            hide_parameters=True,
        )
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_MILLISECONDS / 1000, "check_same_thread": False},
        pool_size=10,
        max_overflow=30,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        """The driver's own transaction handling is switched off; `begin` below says what a transaction is."""
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",
        ):
            connection.execute("PRAGMA " + pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        """Writers take the lock at once: upgrading a read lock later would fail instead of waiting."""
        reads = connection.get_execution_options().get("cloudlet_read_only")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
