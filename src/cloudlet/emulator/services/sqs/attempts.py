"""ReceiveRequestAttemptId: receiving the same messages of a FIFO queue again after a lost answer."""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.services.sqs import fifo
from cloudlet.emulator.services.sqs.records import ATTEMPTS, FIFO_MESSAGES, Attempt, Message, Queue
from cloudlet.emulator.store.kv import Transaction

REMEMBERED_MS = 5 * 60 * 1000
SWEPT_PER_ATTEMPT = 2  # expired ones that each new attempt clears away


def remember(tx: Transaction, queue: Queue, attempt_id: str, taken: list[Message], now: int) -> None:
    expired = []
    for attempt in ATTEMPTS.lookup(tx, "by_expiry", queue.storage_id, limit=SWEPT_PER_ATTEMPT):
        if attempt.expires_at > now:
            break
        expired.append(attempt)
    for attempt in expired:
        ATTEMPTS.delete(tx, attempt.storage_id, attempt.attempt_id)
    messages = [(message.group_id, message.sequence, message.receive_count) for message in taken]
    ATTEMPTS.put(tx, Attempt(queue.storage_id, attempt_id, now + REMEMBERED_MS, messages))


def repeat(tx: Transaction, queue: Queue, attempt_id: str, now: int, visible_at: int) -> list[Message]:
    """The messages of that attempt, in flight for the whole visibility timeout again.

    Empty when the attempt is unknown or over, or when any of its messages was deleted or became visible since.
    """
    attempt = ATTEMPTS.get(tx, queue.storage_id, attempt_id)
    if attempt is None or attempt.expires_at <= now:
        return []
    messages: list[Message] = []
    for group_id, sequence, receive_count in attempt.messages:
        message = FIFO_MESSAGES.get(tx, queue.storage_id, group_id, sequence)
        if message is None or message.receive_count != receive_count or message.visible_at <= now:
            return []
        messages.append(replace(message, visible_at=visible_at))
    for message in messages:
        FIFO_MESSAGES.put(tx, message)
    for group_id in {message.group_id for message in messages}:
        fifo.settle(tx, queue.storage_id, group_id, visible_at)
    return messages
