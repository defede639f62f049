"""Moving a message from one queue to another: to the dead-letter queue, and back."""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.services.sqs import fifo, standard
from cloudlet.emulator.services.sqs.lengths import arrive
from cloudlet.emulator.services.sqs.records import MESSAGES, Message, Queue
from cloudlet.emulator.store.kv import Transaction


def transfer(tx: Transaction, message: Message, target: Queue, now: int, *, dead_letter_source: str) -> None:
    """Write a copy of `message` into `target`, visible at once.

    It keeps its id, its receive count and, in a standard queue, the time it was sent at, which its retention counts from
    ("Using dead-letter queues in Amazon SQS"). The caller removes the original.
    """
    copy = replace(
        message,
        storage_id=target.storage_id,
        sequence=arrive(tx, target.storage_id),
        visible_at=now,
        sent_at=now if target.fifo else message.sent_at,
        receive_count=0,
        received_elsewhere=message.received_elsewhere + message.receive_count,
        dead_letter_source=dead_letter_source,
        moved=False,
    )
    if target.fifo:
        fifo.append(tx, copy)
    else:
        MESSAGES.put(tx, copy)


def withdraw(tx: Transaction, queue: Queue, message: Message) -> None:
    """Remove a message that moves elsewhere or has expired."""
    if queue.fifo:
        fifo.remove(tx, message)
        fifo.settle(tx, message.storage_id, message.group_id)
    else:
        standard.remove(tx, message)
