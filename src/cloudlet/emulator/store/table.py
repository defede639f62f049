"""Tables: the only writers of keys.

    class QueueRecord(Record, frozen=True):
        account_id: str
        region: str
        name: str
        arn: str

    QUEUES = Table("sqs.queues", QueueRecord, version=1, key=("account_id", "region", "name"), indexes={"by_arn": ("arn",)})

    key of a record      "sqs.queues" 00 | packed key                                  -> version byte | msgpack array
    key of its index     "sqs.queues/by_arn" 00 | packed fields | packed key           -> length of the packed key
    of a unique index    "sqs.queues/by_arn" 00 | packed fields                        -> packed key

The fields' order is the stored form. A field with a default may be added at the end without a new version: records
stored before get the default. Every other change is a new `version` with a migration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from cloudlet.emulator.store.keys import ABOVE, Part, begins_with, behind, compile_packer
from cloudlet.emulator.store.kv import StoreError, Transaction

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
CACHED_RECORDS = 2048  # decoded records kept by a store's cache, over all its cached tables
CACHED_BYTES = 32 * 1024  # a stored value longer than this is not worth keeping
COPY_BYTES = 4096  # from here on a view of the stored value is cheaper than a copy of it

Migration = Callable[[list[Any]], list[Any]]


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of everything that a table stores. Never change a list or dict inside a record that you got from a table:
    it may be shared. `msgspec.structs.replace(record, field=…)` makes a changed copy."""


R = TypeVar("R", bound=Record)


class DuplicateKey(Exception):
    """Another record has the same fields in a unique index. `table` and `index` name it."""

    def __init__(self, table: str, index: str) -> None:
        super().__init__(f"{table}: {index} has this entry already")
        self.table = table
        self.index = index


class Index(msgspec.Struct, frozen=True):
    """A secondary index. Fields are names of fields or of properties of the record.

    `unique`: two records with the same fields are refused with DuplicateKey. `sparse`: records with None in one of
    the fields are left out.
    """

    fields: tuple[str, ...]
    unique: bool = False
    sparse: bool = False


class Table(Generic[R]):
    """Records of one type under their primary key, with their indexes.

    - `name`: unique in the emulator, `service.noun`; it is stored, so it never changes.
    - `key`: names of the fields (or properties) that make the primary key; parts are str, int (64 bit), bytes, float,
      bool or None, ordered by `keys`.
    - `indexes`: name -> fields, or an `Index`.
    - `cached`: keep decoded records, valid as long as the stored bytes are the same. For small metadata that is read
      by nearly every request (a queue's attributes, a table's description).
    - `migrations`: `version - 1` functions; number n (counting from 1) turns the list of version n's values into that
      of version n+1. Where a migration changes what an index is made of, call `reindex` once.
    """

    __slots__ = (
        "_arity", "_begin", "_cached", "_decode_message", "_encode", "_indexes", "_key_of", "_migrations", "_pack",
        "_version", "_version_byte", "key_fields", "name", "record",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        record: type[R],
        *,
        version: int = 1,
        key: tuple[str, ...],
        indexes: Mapping[str, tuple[str, ...] | Index] | None = None,
        cached: bool = False,
        migrations: Sequence[Migration] = (),
    ) -> None:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a table")
        if not 1 <= version <= 255 or len(migrations) != version - 1:
            raise ValueError(f"{name}: version {version} needs {version - 1} migrations")
        self.name = name
        self.record = record
        self.key_fields = key
        self._version = version
        self._version_byte = bytes([version])
        self._migrations = tuple(migrations)
        self._cached = cached
        self._arity = len(key)
        self._begin = name.encode() + b"\x00"
        self._pack = compile_packer(name + "\x00", _types_of(record, key))
        self._key_of = _values_of(key)
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode_message = msgspec.msgpack.Decoder(record).decode
        self._indexes = {
            index: _IndexKeys(name, index, record, spec if isinstance(spec, Index) else Index(spec))
            for index, spec in (indexes or {}).items()
        }

    # --- one record

    def get(self, tx: Transaction, *key: Part) -> R | None:
        """The record with this primary key."""
        if len(key) != self._arity:
            raise TypeError(f"{self.name}: {len(key)} key parts given, the key has {self._arity}")
        packed = self._pack(*key)
        raw = tx.get(packed)
        if raw is None:
            return None
        if self._cached:
            return self._decode_cached(tx, packed, raw)
        return self._decode(raw)

    def exists(self, tx: Transaction, *key: Part) -> bool:
        return tx.get(self.key(*key)) is not None

    def put(self, tx: Transaction, record: R) -> None:
        """Write the record and its index entries, replacing the one with the same primary key. Raises DuplicateKey."""
        key = self._pack(*self._key_of(record))
        if self._indexes:
            self._put_indexes(tx, key, record)
        tx.put(key, self._version_byte + self._encode(record))

    def delete(self, tx: Transaction, *key: Part) -> bool:
        """Delete the record and its index entries; False when it was not there."""
        packed = self.key(*key)
        if not self._indexes:
            return tx.delete(packed)
        raw = tx.get(packed)
        if raw is None:
            return False
        record = self._decode(raw)
        suffix = packed[len(self._begin) :]
        for index in self._indexes.values():
            entry = index.entry(record, suffix)
            if entry is not None:
                tx.delete(entry)
        return tx.delete(packed)

    # --- ranges

    def scan(
        self,
        tx: Transaction,
        *key_prefix: Part,
        starts_with: str | bytes | None = None,
        after: tuple[Part, ...] | None = None,
        beyond: str | bytes | None = None,
        from_: tuple[Part, ...] | None = None,
        to: tuple[Part, ...] | None = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[R]:
        """Records whose key begins with `key_prefix`, in key order, read lazily. Deleting what it yields is fine.

        The rest narrows it down; tuples are the key parts that follow `key_prefix`, and need not be complete:

        - `starts_with`: the next part is a text (or bytes) that starts with this;
        - `after`: strictly behind this key (in the direction of the scan) and everything that begins with it;
        - `beyond`: strictly behind every key whose next part starts with this text (to skip a common prefix);
        - `from_` <= key < `to`, whatever the direction.
        """
        begin = self._pack(*key_prefix)
        end = begin + ABOVE
        if starts_with is not None or after is not None or beyond is not None or from_ is not None or to is not None:
            begin, end = _bounds(begin, key_prefix, self._pack, starts_with, after, beyond, from_, to, reverse)
            if begin >= end:
                return iter(())
        return map(self._decode_pair, tx.scan(begin, end, reverse=reverse, limit=limit))

    def lookup(
        self,
        tx: Transaction,
        index: str,
        *fields: Part,
        starts_with: str | bytes | None = None,
        after: tuple[Part, ...] | None = None,
        beyond: str | bytes | None = None,
        from_: tuple[Part, ...] | None = None,
        to: tuple[Part, ...] | None = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[R]:
        """Records by an index, in the order of (the index's fields, primary key). Arguments are `scan`'s, and the
        parts are those of the index's fields followed by those of the primary key (fields only in a unique index)."""
        keys = self._indexes[index]
        begin, end = _bounds(
            keys.pack(*fields), fields, keys.pack_entry, starts_with, after, beyond, from_, to, reverse
        )
        if begin >= end:
            return
        start = self._begin
        for entry, value in tx.scan(begin, end, reverse=reverse, limit=limit):
            packed = start + keys.primary(entry, value)
            raw = tx.get(packed)
            if raw is not None:
                yield self._decode_cached(tx, packed, raw) if self._cached else self._decode(raw)

    def find(self, tx: Transaction, index: str, *fields: Part) -> R | None:
        """The first record that an index has for these fields."""
        return next(self.lookup(tx, index, *fields, limit=1), None)

    def prefix(self, *key_prefix: Part) -> bytes:
        """What the keys of these records begin with; for `call.changed`."""
        return self._pack(*key_prefix)

    def key(self, *parts: Part) -> bytes:
        """The stored key of the record with this primary key."""
        if len(parts) != self._arity:
            raise TypeError(f"{self.name}: {len(parts)} key parts given, the key has {self._arity}")
        return self._pack(*parts)

    # --- upkeep

    def read(self, raw: bytes) -> R:
        """The record of a stored value of this or an earlier version. Raises what msgspec and migrations raise."""
        return self._decode(raw)

    def write(self, record: R) -> bytes:
        """The stored value of a record."""
        return self._version_byte + self._encode(record)

    def delete_record(self, tx: Transaction, record: R) -> bool:
        """Delete the record with this one's primary key; False when it was not there."""
        return self.delete(tx, *self._key_of(record))

    def stored(self, tx: Transaction, record: R) -> R | None:
        """The record with this one's primary key."""
        return self.get(tx, *self._key_of(record))

    def reindex(self, tx: Transaction) -> int:
        """Rewrite every record in the current version and compute its index entries anew. The number of records."""
        for index in self._indexes.values():
            for entry, _ in tx.scan(index.begin, index.begin + ABOVE):
                tx.delete(entry)
        count = 0
        for key, raw in tx.scan(self._begin, self._begin + ABOVE):
            record = self._decode(raw)
            for index in self._indexes.values():
                index.add(tx, record, key[len(self._begin) :])
            tx.put(key, self._version_byte + self._encode(record))
            count += 1
        return count

    def index_entries(self, tx: Transaction) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """The stored index entries and the ones that the records ask for; equal unless the store is damaged."""
        stored: dict[bytes, bytes] = {}
        wanted: dict[bytes, bytes] = {}
        for index in self._indexes.values():
            stored.update(tx.scan(index.begin, index.begin + ABOVE))
        for key, raw in tx.scan(self._begin, self._begin + ABOVE):
            suffix = key[len(self._begin) :]
            for index in self._indexes.values():
                entry = index.entry(self._decode(raw), suffix)
                if entry is not None:
                    wanted[entry] = index.value(suffix)
        return stored, wanted

    def _put_indexes(self, tx: Transaction, key: bytes, record: R) -> None:
        raw = tx.get(key)
        suffix = key[len(self._begin) :]
        old = None if raw is None else self._decode_cached(tx, key, raw) if self._cached else self._decode(raw)
        for index in self._indexes.values():
            values = index.values(record)
            before = None if old is None else index.values(old)
            if values == before:
                continue
            if before is not None:
                tx.delete(index.entry_of(before, suffix))
            if values is not None:
                index.write(tx, index.entry_of(values, suffix), suffix)

    def _decode(self, raw: bytes) -> R:
        if raw[0] != self._version:
            return self._migrate(raw)
        if len(raw) > COPY_BYTES:
            return self._decode_message(memoryview(raw)[1:])
        return self._decode_message(raw[1:])

    def _decode_pair(self, pair: tuple[bytes, bytes]) -> R:
        return self._decode(pair[1])

    def _decode_cached(self, tx: Transaction, key: bytes, raw: bytes) -> R:
        found = tx.records.get(key)
        if found is not None and found[0] == raw:
            record: R = found[1]
            return record
        record = self._decode(raw)
        if len(raw) <= CACHED_BYTES:
            if len(tx.records) >= CACHED_RECORDS:
                for stale in list(islice(tx.records, CACHED_RECORDS // 4)):
                    tx.records.pop(stale, None)
            tx.records[key] = (raw, record)
        return record

    def _migrate(self, raw: bytes) -> R:
        version = raw[0]
        if not 1 <= version < self._version:
            raise StoreError(
                f"{self.name} holds a record of version {version}; this Cloudlet knows versions up to {self._version}"
            )
        values = msgspec.msgpack.decode(raw[1:])
        for migration in self._migrations[version - 1 :]:
            values = migration(values)
        return self._decode_message(self._encode(values))


class _IndexKeys:
    """Makes and reads the entries of one index."""

    __slots__ = ("_arity", "_name", "_sparse", "_table", "_unique", "_values", "begin", "pack", "pack_entry")

    def __init__(self, table: str, name: str, record: type[Record], spec: Index) -> None:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name an index")
        self._table = table
        self._name = name
        self._unique = spec.unique
        self._sparse = spec.sparse
        self._arity = len(spec.fields)
        self._values = _values_of(spec.fields)
        start = f"{table}/{name}\x00"
        self.begin = start.encode()
        types = _types_of(record, spec.fields)
        self.pack = compile_packer(start, types)
        self.pack_entry = compile_packer(start, (*types, *[object] * 16))

    def values(self, record: Record) -> tuple[Part, ...] | None:
        """The indexed fields; None when the record is not in this index."""
        values = self._values(record)
        return None if self._sparse and None in values else values

    def entry_of(self, values: tuple[Part, ...], suffix: bytes) -> bytes:
        """The key of an entry."""
        packed = self.pack(*values)
        return packed if self._unique else packed + suffix

    def entry(self, record: Record, suffix: bytes) -> bytes | None:
        """The key of a record's entry; None when the record is not in this index."""
        values = self.values(record)
        return None if values is None else self.entry_of(values, suffix)

    def value(self, suffix: bytes) -> bytes:
        return suffix if self._unique else len(suffix).to_bytes(2, "big")

    def write(self, tx: Transaction, entry: bytes, suffix: bytes) -> None:
        if self._unique and tx.get(entry) is not None:
            raise DuplicateKey(self._table, self._name)
        tx.put(entry, self.value(suffix))

    def add(self, tx: Transaction, record: Record, suffix: bytes) -> None:
        entry = self.entry(record, suffix)
        if entry is not None:
            self.write(tx, entry, suffix)

    def primary(self, entry: bytes, value: bytes) -> bytes:
        """The packed primary key that an entry points to."""
        return value if self._unique else entry[-int.from_bytes(value, "big") :]


def _values_of(fields: tuple[str, ...]) -> Callable[[Record], tuple[Part, ...]]:
    if len(fields) == 1:
        single = attrgetter(fields[0])
        return lambda record: (single(record),)
    return attrgetter(*fields)


def _types_of(record: type[Record], fields: tuple[str, ...]) -> tuple[object, ...]:
    known = {field.name: field.type for field in msgspec.structs.fields(record)}
    for field in fields:
        if field not in known and not hasattr(record, field):
            raise ValueError(f"{record.__name__} has no {field!r} to make a key of")
    return tuple(known.get(field, object) for field in fields)


def _bounds(
    start: bytes,
    given: tuple[Part, ...],
    pack: Callable[..., bytes],
    starts_with: str | bytes | None,
    after: tuple[Part, ...] | None,
    beyond: str | bytes | None,
    from_: tuple[Part, ...] | None,
    to: tuple[Part, ...] | None,
    reverse: bool,
) -> tuple[bytes, bytes]:
    """The key range that the arguments of `scan` describe."""
    begin, end = start, start + ABOVE
    if starts_with is not None:
        begin = start + begins_with(starts_with)
        end = behind(begin)
    if from_ is not None:
        begin = max(begin, pack(*given, *from_))
    if to is not None:
        end = min(end, pack(*given, *to))
    if after is not None:
        key = pack(*given, *after)
        begin, end = (begin, min(end, key)) if reverse else (max(begin, key + ABOVE), end)
    if beyond is not None:
        key = start + begins_with(beyond)
        begin, end = (begin, min(end, key)) if reverse else (max(begin, behind(key)), end)
    return begin, end
