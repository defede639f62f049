"""The back end for several emulators behind one load balancer: PostgreSQL, or what speaks its protocol.

One table of keys and values; bytea is ordered by bytes. Transactions are SERIALIZABLE; what PostgreSQL refuses becomes
Conflict, and the request runs again. A transaction keeps what it writes to itself and sends it all in one statement when
it commits. Commits NOTIFY the written keys, and each emulator LISTENs while somebody waits.

Calls come from `worker_threads` threads; each open transaction has a connection of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors

from cloudlet.emulator.store.blob_rows import RowBlobs
from cloudlet.emulator.store.blobs import Blobs
from cloudlet.emulator.store.home import ephemeral_home
from cloudlet.emulator.store.kv import Conflict, ReadOnlyTransaction, StoreError
from cloudlet.emulator.store.snapshot import Snapshots
from cloudlet.emulator.store.watch import Watch

TABLE = "cloudlet_kv"
CHANNEL = "cloudlet_changes"
SCHEMA_LOCK = 0x636C6F7564  # an advisory lock, so that emulators which start together create the table once
PAGE_ROWS = (32, 512)  # fetched by a scan at first, and at most
PENDING_BYTES = 8 * 1024 * 1024  # written values that a transaction holds in memory before it sends them
NOTE_BYTES = 7000  # PostgreSQL takes 8,000 in a notification
EVERYTHING = "*"
POLL_SECONDS = 1.0  # how long a waiter sleeps at most: a notification may be lost with its connection

REFUSED = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)

GET = f"SELECT value FROM {TABLE} WHERE key = %b"  # noqa: S608 - a constant
SCAN = f"SELECT key, value FROM {TABLE} WHERE key >= %b AND key < %b ORDER BY key LIMIT %s"  # noqa: S608
SCAN_BACK = f"SELECT key, value FROM {TABLE} WHERE key >= %b AND key < %b ORDER BY key DESC LIMIT %s"  # noqa: S608
PUT = (
    f"INSERT INTO {TABLE} (key, value) SELECT * FROM unnest(%b::bytea[], %b::bytea[])"  # noqa: S608
    " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"
)
DELETE = f"DELETE FROM {TABLE} WHERE key = ANY(%b::bytea[])"  # noqa: S608

Action = Callable[[], None]
Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresTransaction:
    """A transaction on PostgreSQL; see `kv.Transaction`. Belongs to one thread at a time."""

    def __init__(self, store: PostgresStore, connection: Connection, read_only: bool) -> None:
        self.read_only = read_only
        self.records = store.records
        self.blobs: Blobs = store.blobs
        self.connection = connection
        self.written: set[bytes] = set()
        self.commit_actions: list[Action] = []
        self.abort_actions: list[Action] = []
        self._pending: dict[bytes, bytes | None] = {}  # None: deleted
        self._pending_bytes = 0
        self._seen: dict[bytes, bytes | None] = {}  # what this transaction has read; it cannot change under it

    def get(self, key: bytes) -> bytes | None:
        if key in self._pending:
            return self._pending[key]
        if key in self._seen:
            return self._seen[key]
        with refusals():
            row = self.connection.execute(GET, (key,), binary=True).fetchone()
        value: bytes | None = None if row is None else row[0]
        self._seen[key] = value
        return value

    def put(self, key: bytes, value: bytes) -> None:
        if self.read_only:
            raise ReadOnlyTransaction
        self._pending[key] = value
        self._pending_bytes += len(value)
        if self._pending_bytes > PENDING_BYTES:
            self.flush()

    def delete(self, key: bytes) -> bool:
        if self.read_only:
            raise ReadOnlyTransaction
        found = self.get(key) is not None
        if found:
            self._pending[key] = None
        return found

    def scan(
        self, begin: bytes, end: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        pairs = self._scan_back(begin, end, limit) if reverse else self._scan(begin, end, limit)
        return pairs if limit is None else islice(pairs, limit)

    def on_commit(self, action: Action) -> None:
        self.commit_actions.append(action)

    on_durable = on_commit  # a commit is on PostgreSQL's disk

    def on_abort(self, action: Action) -> None:
        self.abort_actions.append(action)

    def flush(self) -> None:
        """Send what was written so far."""
        if not self._pending:
            return
        puts = {key: value for key, value in self._pending.items() if value is not None}
        deletes = [key for key, value in self._pending.items() if value is None]
        with refusals():
            if puts:
                self.connection.execute(PUT, (list(puts), list(puts.values())))
            if deletes:
                self.connection.execute(DELETE, (deletes,))
        self.written.update(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        self._seen.clear()

    def _scan(self, begin: bytes, end: bytes, limit: int | None) -> Iterator[tuple[bytes, bytes]]:
        for size in _page_sizes(limit):
            rows = self._page(SCAN, begin, end, size)
            complete = len(rows) < size
            covered = end if complete else rows[-1][0] + b"\x00"
            for key in self._merge(rows, begin, covered):
                value = self._value(key, rows)
                if value is not None:
                    yield key, value
            if complete:
                return
            begin = covered

    def _scan_back(self, begin: bytes, end: bytes, limit: int | None) -> Iterator[tuple[bytes, bytes]]:
        for size in _page_sizes(limit):
            rows = self._page(SCAN_BACK, begin, end, size)
            complete = len(rows) < size
            covered = begin if complete else rows[-1][0]
            rows.reverse()
            for key in reversed(self._merge(rows, covered, end)):
                value = self._value(key, rows)
                if value is not None:
                    yield key, value
            if complete:
                return
            end = covered

    def _page(self, statement: str, begin: bytes, end: bytes, size: int) -> list[tuple[bytes, bytes]]:
        if begin >= end:
            return []
        with refusals():
            return self.connection.execute(statement, (begin, end, size), binary=True).fetchall()

    def _merge(self, rows: list[tuple[bytes, bytes]], begin: bytes, end: bytes) -> list[bytes]:
        """The keys of stored rows and of what is not yet sent, in order."""
        keys = [key for key, _ in rows]
        if self._pending:
            keys = sorted({*keys, *[key for key in self._pending if begin <= key < end]})
        return keys

    def _value(self, key: bytes, rows: list[tuple[bytes, bytes]]) -> bytes | None:
        if key in self._pending:
            return self._pending[key]
        at = bisect_left(rows, (key, b""))
        return rows[at][1] if at < len(rows) and rows[at][0] == key else None


class PostgresStore:
    """The state in a PostgreSQL database. Raises StoreError when the database cannot be used."""

    worker_threads = 8
    name = "postgresql"

    def __init__(self, url: str, snapshots: Path | None = None) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self.records: dict[bytes, tuple[bytes, Any]] = {}
        self._home = ephemeral_home(Path(tempfile.gettempdir()))
        self.blobs: Blobs = RowBlobs(self, self._home.current)
        try:
            self._create_table()
        except (psycopg.Error, StoreError) as error:
            self._home.close()
            raise StoreError(f"The state database cannot be used: {error}") from error
        self.watch = PostgresWatch(url)
        self.snapshots = Snapshots(snapshots or self._home.root / "snapshots", self)

    def begin(self, *, read_only: bool) -> PostgresTransaction:
        connection = self._take()
        connection.read_only = read_only
        return PostgresTransaction(self, connection, read_only)

    def commit(self, tx: Any) -> None:
        """See `kv.Store`."""
        try:
            tx.flush()
            if tx.written:
                with refusals():
                    tx.connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, write_note(tx.written)))
            with refusals():
                tx.connection.commit()
        except BaseException:
            self.abort(tx)
            raise
        self._idle.append(tx.connection)
        for action in tx.commit_actions:
            action()

    def abort(self, tx: Any) -> None:
        with suppress(psycopg.Error):  # a connection that cannot roll back is closed, which rolls back
            tx.connection.rollback()
            self._idle.append(tx.connection)
        for action in tx.abort_actions:
            action()

    def when_durable(self, action: Callable[[BaseException | None], None]) -> bool:
        return False

    def clear(self) -> None:
        with self._connect() as connection:
            connection.execute(f"TRUNCATE {TABLE}")
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, EVERYTHING))
        self.records.clear()

    def save_into(self, directory: Path) -> None:
        """See `snapshot.Saveable`: the rows in COPY's binary format."""
        with self._connect() as connection, (directory / "rows.bin").open("wb") as file:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with connection.cursor().copy(f"COPY {TABLE} TO STDOUT (FORMAT binary)") as copy:
                for data in copy:
                    file.write(data)

    def restore_from(self, directory: Path) -> None:
        """See `snapshot.Saveable`."""
        with self._connect() as connection, (directory / "rows.bin").open("rb") as file:
            connection.execute(f"TRUNCATE {TABLE}")
            with connection.cursor().copy(f"COPY {TABLE} FROM STDIN (FORMAT binary)") as copy:
                while data := file.read(1 << 20):
                    copy.write(data)
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, EVERYTHING))
        self.records.clear()

    def close(self) -> None:
        self.watch.close()
        while self._idle:
            self._idle.pop().close()
        self._home.close()

    def _take(self) -> Connection:
        """An idle connection that is alive, or a new one."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if not connection.closed and not connection.broken:
                    return connection
        return self._connect()

    def _connect(self) -> Connection:
        try:
            connection = psycopg.connect(self._url, application_name="cloudlet", connect_timeout=10)
        except psycopg.OperationalError as error:
            raise StoreError(f"No connection to the state database: {error}") from error
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        return connection

    def _create_table(self) -> None:
        with self._connect() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (key bytea PRIMARY KEY, value bytea NOT NULL)")


class PostgresWatch(Watch):
    """Hears of the commits of all emulators. A thread listens from the first waiter on."""

    __slots__ = ("_closed", "_connection", "_thread", "_url")

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._closed = False
        self._connection: Connection | None = None
        self._thread: threading.Thread | None = None

    async def changed(self, prefix: bytes, timeout_seconds: float) -> bool:
        """See `Watch`. Sleeps `POLL_SECONDS` at most: what was committed before it began to listen is not heard."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._listen, args=(asyncio.get_running_loop(),), name="changes", daemon=True
            )
            self._thread.start()
        short = min(timeout_seconds, POLL_SECONDS)
        return await super().changed(prefix, short) or short < timeout_seconds

    def close(self) -> None:
        self._closed = True
        connection = self._connection
        if connection is not None:
            with suppress(psycopg.Error):
                connection.cancel()
        if self._thread is not None:
            self._thread.join(timeout=2 * POLL_SECONDS)

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Until the store is closed; waiters poll while there is no connection."""
        pause = threading.Event()
        while not self._closed:
            try:
                with psycopg.connect(self._url, autocommit=True, application_name="cloudlet-watch") as connection:
                    self._connection = connection
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._closed:
                        for note in connection.notifies(timeout=POLL_SECONDS / 2):
                            loop.call_soon_threadsafe(self._hear, note.payload)
            except psycopg.Error:
                pause.wait(POLL_SECONDS)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

    def _hear(self, note: str) -> None:
        if note == EVERYTHING:
            self.wake_all()
        elif self.active:
            self.notify(bytes.fromhex(key) for key in note.split(","))


def write_note(keys: set[bytes]) -> str:
    """What a commit tells the others: the keys, or that they are many."""
    if 2 * sum(map(len, keys)) + len(keys) > NOTE_BYTES:
        return EVERYTHING
    return ",".join(key.hex() for key in keys)


@contextmanager
def refusals() -> Iterator[None]:
    """What PostgreSQL refuses becomes Conflict; what is out of reach or full becomes StoreError."""
    try:
        yield
    except REFUSED as error:
        raise Conflict from error
    except psycopg.OperationalError as error:
        raise StoreError(f"The state database failed: {error}") from error


def _page_sizes(limit: int | None) -> Iterator[int]:
    """Rows to fetch in each round trip of a scan."""
    size, most = PAGE_ROWS
    if limit is not None:
        size = max(1, min(limit, most))
    while True:
        yield size
        size = min(2 * size, most)
