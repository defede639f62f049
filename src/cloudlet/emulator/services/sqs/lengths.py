"""How many messages a storage has: arrivals less departures.

They are two records so that senders and deleters do not meet, and so that a long poll, which watches the arrivals, is
not woken by each delete.
"""

from __future__ import annotations

from cloudlet.emulator.services.sqs.records import ARRIVALS, DEPARTURES, Count
from cloudlet.emulator.store.kv import Transaction


def arrive(tx: Transaction, storage_id: int) -> int:
    """Count one more message in; its sequence in this storage."""
    before = ARRIVALS.get(tx, storage_id)
    count = 1 if before is None else before.count + 1
    ARRIVALS.put(tx, Count(storage_id, count))
    return count


def depart(tx: Transaction, storage_id: int, number: int = 1) -> None:
    """Count messages out."""
    before = DEPARTURES.get(tx, storage_id)
    DEPARTURES.put(tx, Count(storage_id, number if before is None else before.count + number))


def length(tx: Transaction, storage_id: int) -> int:
    """Messages that are there, whether visible or not."""
    arrivals = ARRIVALS.get(tx, storage_id)
    if arrivals is None:
        return 0
    departures = DEPARTURES.get(tx, storage_id)
    return arrivals.count - (0 if departures is None else departures.count)


def wake(tx: Transaction, storage_id: int) -> None:
    """Let long polls look again: a message may be received earlier than they were told."""
    ARRIVALS.put(tx, ARRIVALS.get(tx, storage_id) or Count(storage_id, 0))


def continue_in(tx: Transaction, old_id: int, new_id: int) -> None:
    """Let an empty storage take over: sequences go on where the old one stopped; long polls on that one wake."""
    arrivals = ARRIVALS.get(tx, old_id)
    if arrivals is not None:
        ARRIVALS.put(tx, Count(new_id, arrivals.count))
        DEPARTURES.put(tx, Count(new_id, arrivals.count))
    close(tx, old_id)


def close(tx: Transaction, storage_id: int) -> None:
    """Forget a storage's counts; long polls on it wake."""
    wake(tx, storage_id)
    ARRIVALS.delete(tx, storage_id)
    DEPARTURES.delete(tx, storage_id)
