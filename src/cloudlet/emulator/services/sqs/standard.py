"""Messages of standard queues: one range ordered by the time at which each becomes visible.

Sending appends to it, receiving takes its head and puts each message back further on, deleting removes it. A receipt
handle names the place that its own receive gave the message; when another receive or a changed visibility moved it,
PLACES says where it is, so that old handles keep working, as they do on AWS.
"""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.services.sqs.errors import not_in_flight
from cloudlet.emulator.services.sqs.lengths import depart, wake
from cloudlet.emulator.services.sqs.receipts import Receipt
from cloudlet.emulator.services.sqs.records import MESSAGES, PLACES, Message, Place, Queue
from cloudlet.emulator.store.kv import Transaction


def head(tx: Transaction, queue: Queue, now: int, limit: int, after: Message | None) -> list[Message]:
    """The first visible messages, oldest first, behind `after`."""
    start = (after.visible_at, after.sequence) if after is not None else None
    return list(MESSAGES.scan(tx, queue.storage_id, after=start, to=(now + 1,), limit=limit))


def take(tx: Transaction, message: Message, now: int, visible_at: int) -> Message:
    """Make a visible message an in-flight one until `visible_at`."""
    received = replace(
        message,
        visible_at=visible_at,
        receive_count=message.receive_count + 1,
        first_received_at=message.first_received_at or now,
        moved=message.receive_count > 0,
    )
    move(tx, message, received)
    return received


def move(tx: Transaction, message: Message, moved: Message) -> None:
    if moved.visible_at != message.visible_at:
        MESSAGES.delete(tx, message.storage_id, message.visible_at, message.sequence)
    MESSAGES.put(tx, moved)
    if moved.moved:
        PLACES.put(tx, Place(moved.storage_id, moved.sequence, moved.visible_at))


def find(tx: Transaction, receipt: Receipt) -> Message | None:
    """The message that a receipt is about; None once it is gone."""
    found = MESSAGES.get(tx, receipt.storage_id, receipt.visible_at, receipt.sequence)
    if found is None:
        place = PLACES.get(tx, receipt.storage_id, receipt.sequence)
        if place is not None:
            found = MESSAGES.get(tx, receipt.storage_id, place.visible_at, receipt.sequence)
    return found


def remove(tx: Transaction, message: Message) -> None:
    MESSAGES.delete(tx, message.storage_id, message.visible_at, message.sequence)
    if message.moved:
        PLACES.delete(tx, message.storage_id, message.sequence)
    depart(tx, message.storage_id)


def delete(tx: Transaction, receipt: Receipt) -> None:
    """Delete by receipt; a message that is gone already counts as deleted."""
    message = find(tx, receipt)
    if message is not None:
        remove(tx, message)


def change_visibility(tx: Transaction, receipt: Receipt, handle: str, now: int, visible_at: int) -> None:
    """A message whose timeout is over can be taken back as long as nobody else deletes it, as on AWS.

    Raises InvalidParameterValue for one that is gone.
    """
    message = find(tx, receipt)
    if message is None or not message.receive_count:
        raise not_in_flight(handle)
    move(tx, message, replace(message, visible_at=visible_at, moved=True))
    wake(tx, message.storage_id)


def next_visible_at(tx: Transaction, queue: Queue) -> int | None:
    """When the first message can be received; None in an empty queue."""
    for message in MESSAGES.scan(tx, queue.storage_id, limit=1):
        return message.visible_at
    return None


def invisible(tx: Transaction, queue: Queue, now: int) -> tuple[int, int]:
    """How many messages are in flight, and how many are delayed."""
    in_flight = delayed = 0
    for message in MESSAGES.scan(tx, queue.storage_id, from_=(now + 1,)):
        if message.receive_count:
            in_flight += 1
        else:
            delayed += 1
    return in_flight, delayed
