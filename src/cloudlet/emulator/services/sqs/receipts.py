"""Receipt handles: which message of which queue was received, where it lay then, and the how-manieth time. Pure.

A handle is base64 of three marker bytes (so that it begins with `AQEB`, as AWS's do), four big-endian integers and, for
a FIFO queue, the message group.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from typing import NamedTuple

from cloudlet.emulator.services.sqs.errors import not_a_receipt_handle
from cloudlet.emulator.services.sqs.records import Message, Queue, queue_identity

MARKER = b"\x01\x01\x01"
FIELDS = struct.Struct("!3sQQQI")


class Receipt(NamedTuple):
    storage_id: int
    visible_at: int
    sequence: int
    receive_count: int
    group_id: str


def receipt_handle(message: Message) -> str:
    """The handle of a message as it is after having been received."""
    fields = FIELDS.pack(MARKER, message.storage_id, message.visible_at, message.sequence, message.receive_count)
    return b64encode(fields + message.group_id.encode()).decode()


def read_receipt(queue: Queue, handle: str) -> Receipt:
    """Raises ReceiptHandleIsInvalid for what is no handle, or one of another queue."""
    try:
        data = b64decode(handle, validate=True)
        marker, storage_id, visible_at, sequence, receive_count = FIELDS.unpack_from(data)
        group_id = data[FIELDS.size :].decode()
    except (ValueError, struct.error) as error:
        raise not_a_receipt_handle(handle) from error
    if marker != MARKER or queue_identity(storage_id) != queue_identity(queue.storage_id):
        raise not_a_receipt_handle(handle)
    return Receipt(storage_id, visible_at, sequence, receive_count, group_id)
