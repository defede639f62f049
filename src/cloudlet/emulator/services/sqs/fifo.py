"""Messages of FIFO queues: ordered within their group, and a group is received from by one receiver at a time.

GROUPS has one record for each group that has messages. Its `ready_at` is when the group's first message is visible: what
lies behind one that is in flight is never received. Receiving walks the groups in the order of readiness and takes of
each the messages before the first invisible one, so it never looks at a message that it may not take.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cloudlet.emulator.services.sqs.errors import expired_receipt_handle, not_in_flight
from cloudlet.emulator.services.sqs.lengths import depart, wake
from cloudlet.emulator.services.sqs.receipts import Receipt
from cloudlet.emulator.services.sqs.records import (
    DEDUPLICATIONS,
    FIFO_MESSAGES,
    GROUPS,
    Deduplication,
    Group,
    Message,
    Queue,
)
from cloudlet.emulator.store.kv import Transaction

DEDUPLICATION_MS = 5 * 60 * 1000
MOST_IN_FLIGHT_PER_GROUP = 10  # one receive takes no more, and the next begins at the group's head again
SWEPT_PER_SEND = 2  # expired deduplications that a send clears away: more than it adds, so they never pile up
SEQUENCE_BASE = 18_850_000_000_000_000_000  # AWS's sequence numbers have 20 digits
SEQUENCE_STEP = 256


def sequence_number(sequence: int) -> str:
    return str(SEQUENCE_BASE + sequence * SEQUENCE_STEP)


def find_duplicate(
    tx: Transaction, queue: Queue, group_id: str, deduplication_id: str, now: int
) -> Deduplication | None:
    """What was sent with this deduplication id in the last five minutes."""
    scope = group_id if queue.deduplicates_by_group else ""
    found = DEDUPLICATIONS.get(tx, queue.storage_id, scope, deduplication_id)
    return found if found is not None and found.expires_at > now else None


def remember(tx: Transaction, queue: Queue, message: Message, now: int) -> None:
    """Refuse duplicates of this message from now on, for five minutes."""
    expired = []
    for entry in DEDUPLICATIONS.lookup(tx, "by_expiry", queue.storage_id, limit=SWEPT_PER_SEND):
        if entry.expires_at > now:
            break
        expired.append(entry)
    for entry in expired:
        DEDUPLICATIONS.delete(tx, entry.storage_id, entry.scope, entry.deduplication_id)
    scope = message.group_id if queue.deduplicates_by_group else ""
    DEDUPLICATIONS.put(
        tx,
        Deduplication(
            queue.storage_id,
            scope,
            message.deduplication_id,
            message.message_id,
            message.sequence,
            now + DEDUPLICATION_MS,
        ),
    )


def append(tx: Transaction, message: Message) -> None:
    """Write a new message at the end of its group."""
    FIFO_MESSAGES.put(tx, message)
    group = GROUPS.get(tx, message.storage_id, message.group_id)
    if group is None:
        GROUPS.put(
            tx,
            Group(message.storage_id, message.group_id, message.visible_at, message.sequence, message.visible_at),
        )
    elif message.visible_at > message.sent_at:
        GROUPS.put(tx, replace(group, busy_until=max(group.busy_until, message.visible_at)))


def ready_groups(tx: Transaction, queue: Queue, now: int, limit: int) -> list[Group]:
    found = []
    for group in GROUPS.lookup(tx, "by_readiness", queue.storage_id, limit=limit):
        if group.ready_at > now:
            break
        found.append(group)
    return found


def group_head(tx: Transaction, group: Group, now: int, limit: int) -> Iterator[Message]:
    """The group's first messages that are visible, in order."""
    for message in list(FIFO_MESSAGES.scan(tx, group.storage_id, group.group_id, limit=limit)):
        if message.visible_at > now:
            return
        yield message


def take(tx: Transaction, message: Message, now: int, visible_at: int) -> Message:
    """Make a visible message an in-flight one until `visible_at`; `settle` its group afterwards."""
    received = replace(
        message,
        visible_at=visible_at,
        receive_count=message.receive_count + 1,
        first_received_at=message.first_received_at or now,
    )
    FIFO_MESSAGES.put(tx, received)
    return received


def settle(tx: Transaction, storage_id: int, group_id: str, invisible_until: int = 0) -> bool:
    """Bring a group's record in line with its messages, one of which became invisible until `invisible_until`.

    False when the group has no messages any more.
    """
    first = next(FIFO_MESSAGES.scan(tx, storage_id, group_id, limit=1), None)
    if first is None:
        GROUPS.delete(tx, storage_id, group_id)
        return False
    before = GROUPS.get(tx, storage_id, group_id)
    busy_until = max(invisible_until, first.visible_at, 0 if before is None else before.busy_until)
    after = Group(storage_id, group_id, first.visible_at, first.sequence, busy_until)
    if after != before:
        GROUPS.put(tx, after)
    return True


def find(tx: Transaction, receipt: Receipt) -> Message | None:
    return FIFO_MESSAGES.get(tx, receipt.storage_id, receipt.group_id, receipt.sequence)


def remove(tx: Transaction, message: Message) -> None:
    """Delete a message; `settle` its group afterwards."""
    FIFO_MESSAGES.delete(tx, message.storage_id, message.group_id, message.sequence)
    depart(tx, message.storage_id)


def delete(tx: Transaction, receipt: Receipt, handle: str, now: int) -> None:
    """Delete by receipt. Raises InvalidParameterValue when the message is visible again or was received anew."""
    message = find(tx, receipt)
    if message is None:
        return
    if message.visible_at <= now or message.receive_count != receipt.receive_count:
        raise expired_receipt_handle(handle)
    remove(tx, message)
    if settle(tx, message.storage_id, message.group_id):
        wake(tx, message.storage_id)  # the next of the group may be received now


def change_visibility(tx: Transaction, receipt: Receipt, handle: str, now: int, visible_at: int) -> None:
    """Raises InvalidParameterValue for a message that is not in flight under this receipt."""
    message = find(tx, receipt)
    if message is None or message.visible_at <= now or message.receive_count != receipt.receive_count:
        raise not_in_flight(handle)
    FIFO_MESSAGES.put(tx, replace(message, visible_at=visible_at))
    settle(tx, message.storage_id, message.group_id, visible_at)
    wake(tx, message.storage_id)


def next_visible_at(tx: Transaction, queue: Queue) -> int | None:
    """When the first group is ready; None in an empty queue."""
    for group in GROUPS.lookup(tx, "by_readiness", queue.storage_id, limit=1):
        return group.ready_at
    return None


def invisible(tx: Transaction, queue: Queue, now: int) -> tuple[int, int]:
    """How many messages are in flight, and how many are delayed."""
    in_flight = delayed = 0
    for group in GROUPS.lookup(tx, "by_business", queue.storage_id, from_=(now + 1,)):
        for message in FIFO_MESSAGES.scan(tx, group.storage_id, group.group_id, limit=MOST_IN_FLIGHT_PER_GROUP):
            if message.receive_count and message.visible_at > now:
                in_flight += 1
        for message in FIFO_MESSAGES.scan(tx, group.storage_id, group.group_id, reverse=True):
            if message.receive_count or message.visible_at <= now:
                break
            delayed += 1
    return in_flight, delayed
