"""Keys of any length on LMDB, which takes at most 511 bytes.

    key of up to 510 bytes   stored as it is
    longer key               a signpost   first 510 bytes | 00                          -> (empty)
                             and          FF | hash of the first 510 bytes | the rest   -> value

What follows the first 510 bytes is a key of its own space (told by the hash) and may be too long again, so spaces nest.
A scan that meets a signpost (nothing else is 511 bytes long) walks through its space and goes on. The order is exact,
each step costs O(log n), and nothing is sorted, however many long keys begin alike. No ordinary key begins with FF.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Protocol

LIMIT = 510
SPACE = b"\xff"
HASH_BYTES = 16


class Cursors(Protocol):
    """What a walk needs from a transaction: LMDB cursors, and a count of the writes made."""

    changes: int

    def cursor(self) -> Any: ...


def space_of(key: bytes) -> bytes:
    """What the keys of the space behind a signpost begin with."""
    return SPACE + blake2b(key[:LIMIT], digest_size=HASH_BYTES).digest()


def fold(key: bytes) -> bytes:
    """Where a key is stored."""
    while len(key) > LIMIT:
        key = space_of(key) + key[LIMIT:]
    return key


def signposts(key: bytes) -> list[tuple[bytes, bytes]]:
    """The signposts on the way to a long key, outermost first, each with what its space begins with."""
    found = []
    while len(key) > LIMIT:
        space = space_of(key)
        found.append((key[:LIMIT] + b"\x00", space))
        key = space + key[LIMIT:]
    return found


def walk(
    tx: Cursors, begin: bytes, end: bytes | None, reverse: bool, *, space: bytes = b"", behind: bytes = b""
) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of one space with begin <= key < end. `behind` is what the space's keys are the rest of."""
    cursor = tx.cursor()
    skip = len(space)
    found = _seek_last(cursor, space, end) if reverse else cursor.set_range(_clip(space + begin))
    seen = tx.changes
    while found:
        stored = b""
        for stored, value in cursor.iterprev() if reverse else cursor.iternext():
            if skip:
                if not stored.startswith(space):
                    return
                key = stored[skip:]
            else:
                key = stored
            if len(stored) > LIMIT:
                yield from _enter(tx, key[:-1], begin, end, reverse, space, behind)
            elif key < begin if reverse else end is not None and key >= end:
                return
            else:
                yield (behind + key, value) if behind else (key, value)
            if tx.changes != seen:
                break
        else:
            return
        seen = tx.changes
        found = _seek_before(cursor, stored) if reverse else _seek_after(cursor, stored)


def _enter(
    tx: Cursors, prefix: bytes, begin: bytes, end: bytes | None, reverse: bool, space: bytes, behind: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """The pairs behind a signpost that lie in the range."""
    if begin <= prefix:
        begin = b""
    elif begin.startswith(prefix):
        begin = begin[len(prefix) :]
    else:
        return
    if end is not None:
        if end <= prefix:
            return
        end = end[len(prefix) :] if end.startswith(prefix) else None
    yield from walk(tx, begin, end, reverse, space=space_of(space + prefix), behind=behind + prefix)


def _clip(stored: bytes) -> bytes:
    """Where to look for a key, or for the signpost to it."""
    return stored if len(stored) <= LIMIT else stored[:LIMIT] + b"\x00"


def _seek_last(cursor: Any, space: bytes, end: bytes | None) -> bool:
    """Onto the last entry that may hold something before `end`."""
    if end is None:
        return bool(cursor.prev() if cursor.set_range(_next_space(space)) else cursor.last())
    target = space + end
    if len(target) > LIMIT:
        signpost = _clip(target)
        if cursor.set_range(signpost) and cursor.key() == signpost:
            return True
        return _seek_before(cursor, signpost)
    return _seek_before(cursor, target)


def _next_space(space: bytes) -> bytes:
    """The least key greater than everything that begins with `space` (which ends in a hash, so not all FF)."""
    return (int.from_bytes(space, "big") + 1).to_bytes(len(space), "big")


def _seek_before(cursor: Any, stored: bytes) -> bool:
    return bool(cursor.prev() if cursor.set_range(stored) else cursor.last())


def _seek_after(cursor: Any, stored: bytes) -> bool:
    if not cursor.set_range(stored):
        return False
    return bool(cursor.next()) if cursor.key() == stored else True
