"""The contract of a store: one ordered, transactional key-value space that holds the state of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from cloudlet.emulator.store.blobs import Blobs
    from cloudlet.emulator.store.snapshot import Snapshots
    from cloudlet.emulator.store.watch import Watch


class StoreError(Exception):
    """The store cannot do what was asked; the message says why, for a person."""


class Conflict(Exception):
    """Another transaction committed first; run this one again."""


class ReadOnlyTransaction(Exception):
    """A write inside a transaction that was opened for reading."""


class Transaction(Protocol):
    """A view of the store that is serializable with all others. Returning commits, raising aborts: see `transact`."""

    read_only: bool

    @property
    def records(self) -> dict[bytes, tuple[bytes, Any]]:
        """Decoded records of tables with `cached=True`: key -> (raw value, record). Used by `table.Table` only."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Used by the functions of the module `blobs` only."""
        ...

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> bool:
        """False when the key was not there."""
        ...

    def scan(
        self, begin: bytes, end: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with begin <= key < end in key order, read lazily: take the pairs you need.

        Keys written or deleted while it runs may or may not be seen; all others are, once each.
        """
        ...

    def on_commit(self, action: Callable[[], None]) -> None:
        """Run `action` after this transaction has committed. It must not raise."""
        ...

    def on_durable(self, action: Callable[[], None]) -> None:
        """Run `action` once this transaction is as durable as it has to be: for what cannot be undone. Must not raise."""
        ...

    def on_abort(self, action: Callable[[], None]) -> None:
        """Run `action` when this transaction is rolled back, for whatever reason. It must not raise."""
        ...


class Store(Protocol):
    """A back end.

    - `worker_threads` is 0 where transactions run on the caller's thread without waiting (LMDB).
    - `watch` wakes those who wait for a commit that touches a key range.
    - `blobs` keeps what is too big for a record.
    - `snapshots` are saved states.
    """

    worker_threads: int
    watch: Watch
    blobs: Blobs
    snapshots: Snapshots

    def begin(self, *, read_only: bool) -> Transaction: ...

    def commit(self, tx: Transaction) -> None:
        """Make it visible, and survive the death of this process. Raises Conflict.

        With `DURABILITY=disk` it also survives power loss once `when_durable` says so: answer only then.
        """
        ...

    def abort(self, tx: Transaction) -> None: ...

    def when_durable(self, action: Callable[[BaseException | None], None]) -> bool:
        """Group commit. False: all commits so far are as durable as they have to be, answer at once.

        True: `action(None)` will be called once they are, in a later iteration of the running event loop, after one
        fsync for everyone who waits; `action(error)` when the disk refused, then nothing of it may be acknowledged.
        Ask after every commit and after every read (a read may have seen what is not yet durable). It costs one
        attribute test with `DURABILITY=process`, where the answer is always False.
        """
        ...

    def clear(self) -> None:
        """Delete everything, blobs included."""
        ...

    def close(self) -> None: ...
