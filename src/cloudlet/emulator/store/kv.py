"""The contract of a store: one ordered, transactional key-value space that holds the state of everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Conflict(Exception):
    """Another transaction committed first; run this one again."""


class ReadOnlyTransaction(Exception):
    """A write inside a transaction that was opened for reading."""


class Transaction(Protocol):
    """A view of the store that is serializable with all others. Returning commits, raising aborts: see `transact`."""

    read_only: bool

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None: ...

    def scan(
        self, begin: bytes, end: bytes, *, reverse: bool = False, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with begin <= key < end in key order. Keys written or deleted while it runs may or may not be seen."""
        ...


class Store(Protocol):
    """A back end. `worker_threads` is 0 where transactions run on the caller's thread without waiting (LMDB)."""

    worker_threads: int

    def begin(self, *, read_only: bool) -> Transaction: ...

    def commit(self, tx: Transaction) -> None:
        """Make it durable (as far as the store's durability says) and visible. Raises Conflict."""
        ...

    def abort(self, tx: Transaction) -> None: ...

    def clear(self) -> None:
        """Delete everything."""
        ...

    def close(self) -> None: ...
