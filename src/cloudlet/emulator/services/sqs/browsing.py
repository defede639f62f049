"""Looking at the messages of a queue without receiving them; the gateway's `/_aws/sqs/messages` shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.sqs.api import ReceiveMessageRequest, ReceiveMessageResult
from cloudlet.emulator.services.sqs.lookup import milliseconds, queue_of
from cloudlet.emulator.services.sqs.receiving import shown
from cloudlet.emulator.services.sqs.records import FIFO_MESSAGES, MESSAGES, Message, Queue

NO_HANDLE = "SQS/BACKDOOR/ACCESS"  # LocalStack's: nothing was received, so there is nothing to delete by


class BrowseMessagesRequest(TypedDict):
    QueueUrl: str
    ShowInvisible: bool
    ShowDelayed: bool


@read_only
def browse_messages(call: Call, request: BrowseMessagesRequest) -> ReceiveMessageResult:
    """Every message of a queue as ReceiveMessage would show it, in the order of sending; the state stays as it is.

    `ShowInvisible` adds those in flight, `ShowDelayed` those whose delay is not over. Not an operation of AWS.
    """
    queue = queue_of(call, request)
    everything: ReceiveMessageRequest = {
        "QueueUrl": request["QueueUrl"],
        "AttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    now = milliseconds(call)
    found = [
        {**shown(queue, message, everything), "ReceiptHandle": NO_HANDLE}
        for message in sorted(messages(call, queue), key=lambda message: message.sequence)
        if message.visible_at <= now or request["ShowInvisible" if message.receive_count else "ShowDelayed"]
    ]
    return {"Messages": found} if found else {}  # type: ignore[typeddict-item]


def messages(call: Call, queue: Queue) -> Iterator[Message]:
    return (FIFO_MESSAGES if queue.fifo else MESSAGES).scan(call.tx, queue.storage_id)
