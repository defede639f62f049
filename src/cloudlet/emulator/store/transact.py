"""One function, one transaction: returning commits, raising rolls back, a conflict runs it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cloudlet.emulator.store.kv import Conflict, Store, Transaction

T = TypeVar("T")

ATTEMPTS = 40


def run(store: Store, function: Callable[[Transaction], T], *, read_only: bool = False) -> T:
    """The result of `function(tx)`, committed. `function` may run again after a conflict, so it has no other effects.

    Raises what the function raises, and Conflict when it lost `ATTEMPTS` times in a row.
    """
    for attempt in range(ATTEMPTS):
        tx = store.begin(read_only=read_only)
        try:
            result = function(tx)
        except Conflict:
            store.abort(tx)
            if attempt == ATTEMPTS - 1:
                raise
            continue
        except BaseException:
            store.abort(tx)
            raise
        try:
            store.commit(tx)
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return result
    raise AssertionError("unreachable")
