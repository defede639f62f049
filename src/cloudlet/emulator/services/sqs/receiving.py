"""ReceiveMessage: taking messages, dead letters, long polls, and what an answer shows of a message."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sqs import attempts, fifo, standard
from cloudlet.emulator.services.sqs.api import InvalidAttributeName, ReceiveMessageRequest, ReceiveMessageResult
from cloudlet.emulator.services.sqs.attributes import LONGEST_VISIBILITY, LONGEST_WAIT
from cloudlet.emulator.services.sqs.errors import invalid_value
from cloudlet.emulator.services.sqs.lookup import milliseconds, queue_by_arn, queue_of
from cloudlet.emulator.services.sqs.message_attributes import attribute_member, attributes_md5, requested
from cloudlet.emulator.services.sqs.receipts import receipt_handle
from cloudlet.emulator.services.sqs.records import ARRIVALS, Message, Queue
from cloudlet.emulator.services.sqs.transfers import transfer, withdraw
from cloudlet.emulator.store.kv import Conflict

MOST_MESSAGES = 10
ATTEMPTS_AFTER_CONFLICT = 20
LEAST_SLEEP_SECONDS = 0.001
LONGEST_BACK_OFF_SECONDS = 0.1
ALL = "All"
SYSTEM_ATTRIBUTES = frozenset(
    {
        "AWSTraceHeader",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "DeadLetterQueueSourceArn",
        "MessageDeduplicationId",
        "MessageGroupId",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
    }
)


class Look(NamedTuple):
    """One look at a queue: what was taken, or what to wait for."""

    messages: list[dict[str, Any]]
    wait_seconds: int
    watched: bytes
    next_in_seconds: float | None


async def receive_message(call: Call, request: ReceiveMessageRequest) -> ReceiveMessageResult:
    """Waits up to `WaitTimeSeconds`, or the queue's, for the first message. Raises InvalidParameterValue."""
    check_request(request)
    started = monotonic()
    while True:
        seen = await look_again(call, request)
        if seen.messages:
            return {"Messages": seen.messages}  # type: ignore[typeddict-item]
        remaining = seen.wait_seconds - (monotonic() - started) if seen.wait_seconds else 0.0
        if remaining <= 0:
            return {}
        if seen.next_in_seconds is not None:
            remaining = min(remaining, max(seen.next_in_seconds, LEAST_SLEEP_SECONDS))
        await call.changed(seen.watched, remaining)


async def look_again(call: Call, request: ReceiveMessageRequest) -> Look:
    """One transaction, again after a conflict with another replica, which is let ahead."""
    for attempt in range(ATTEMPTS_AFTER_CONFLICT):
        try:
            with call.transaction():
                return look(call, request)
        except Conflict:
            if attempt == ATTEMPTS_AFTER_CONFLICT - 1:
                raise
        await asyncio.sleep(call.ids.random() * min(LONGEST_BACK_OFF_SECONDS, LEAST_SLEEP_SECONDS * 2**attempt))
    raise AssertionError("unreachable: the last attempt returns or raises")


def look(call: Call, request: ReceiveMessageRequest) -> Look:
    queue = queue_of(call, request)
    messages = take(call, queue, request)
    if messages:
        return Look([shown(queue, message, request) for message in messages], 0, b"", None)
    wait_seconds = request.get("WaitTimeSeconds", queue.wait_seconds)
    if not wait_seconds:
        return Look([], 0, b"", None)
    kind = fifo if queue.fifo else standard
    visible_at = kind.next_visible_at(call.tx, queue)
    watched = ARRIVALS.prefix(queue.storage_id)
    return Look([], wait_seconds, watched, None if visible_at is None else visible_at / 1000 - call.now)


def check_request(request: ReceiveMessageRequest) -> None:
    """Raises InvalidParameterValue, InvalidAttributeName."""
    number = request.get("MaxNumberOfMessages", 1)
    if not 1 <= number <= MOST_MESSAGES:
        raise invalid_value(number, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
    wait = request.get("WaitTimeSeconds", 0)
    if not 0 <= wait <= LONGEST_WAIT:
        raise invalid_value(wait, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
    visibility = request.get("VisibilityTimeout", 0)
    if not 0 <= visibility <= LONGEST_VISIBILITY:
        raise invalid_value(visibility, "VisibilityTimeout", "Must be >= 0 and <= 43200, if provided.")
    for member in ("AttributeNames", "MessageSystemAttributeNames"):
        names: list[str] = request.get(member, [])  # type: ignore[assignment]
        for name in names:
            if name != ALL and name not in SYSTEM_ATTRIBUTES:
                raise InvalidAttributeName(f"Unknown Attribute {name}.")


def take(call: Call, queue: Queue, request: ReceiveMessageRequest) -> list[Message]:
    limit = request.get("MaxNumberOfMessages", 1)
    now = milliseconds(call)
    timeout = request.get("VisibilityTimeout", queue.visibility_timeout_seconds)
    visible_at = now + timeout * 1000
    if not queue.fifo:
        return take_standard(call, queue, now, limit, visible_at)
    attempt_id = request.get("ReceiveRequestAttemptId")
    if attempt_id:
        repeated = attempts.repeat(call.tx, queue, attempt_id, now, visible_at)
        if repeated:
            return repeated
    taken = take_fifo(call, queue, now, limit, visible_at)
    if attempt_id and taken:
        attempts.remember(call.tx, queue, attempt_id, taken, now)
    return taken


def take_standard(call: Call, queue: Queue, now: int, limit: int, visible_at: int) -> list[Message]:
    taken: list[Message] = []
    last: Message | None = None
    while True:
        wanted = limit - len(taken)
        found = standard.head(call.tx, queue, now, wanted, last)
        if last is not None and visible_at <= now:  # with a timeout of 0 those just taken lie in the same range
            found = [message for message in found if all(message.message_id != one.message_id for one in taken)]
        for message in found:
            if not leaves(call, queue, message, now):
                taken.append(standard.take(call.tx, message, now, visible_at))
        if len(taken) == limit or len(found) < wanted:
            return taken
        last = found[-1]


def take_fifo(call: Call, queue: Queue, now: int, limit: int, visible_at: int) -> list[Message]:
    """As many messages as possible of the first group, then of the next ("FIFO delivery logic")."""
    taken: list[Message] = []
    while len(taken) < limit:
        left = 0
        groups = fifo.ready_groups(call.tx, queue, now, limit)
        for group in groups:
            if len(taken) == limit:
                break
            for message in fifo.group_head(call.tx, group, now, limit - len(taken)):
                if leaves(call, queue, message, now):
                    left += 1
                else:
                    taken.append(fifo.take(call.tx, message, now, visible_at))
            fifo.settle(call.tx, group.storage_id, group.group_id, visible_at)
        if not left and (len(groups) < limit or visible_at <= now):
            break
        if visible_at <= now:
            break
    return taken


def leaves(call: Call, queue: Queue, message: Message, now: int) -> bool:
    """Whether a message at the head is not to be received any more: it expired, or it is a dead letter. Removes it."""
    if message.sent_at + queue.retention_seconds * 1000 <= now and call.settings.sqs_enable_message_retention_period:
        withdraw(call.tx, queue, message)
        return True
    if queue.dead_letter_arn is not None and message.receive_count >= queue.max_receive_count:
        target = queue_by_arn(call, queue.dead_letter_arn)
        if target is not None:
            withdraw(call.tx, queue, message)
            transfer(call.tx, message, target, now, dead_letter_source=queue.arn)
            return True
    return False


def shown(queue: Queue, message: Message, request: ReceiveMessageRequest) -> dict[str, Any]:
    """A message as ReceiveMessage answers it."""
    result: dict[str, Any] = {
        "MessageId": message.message_id,
        "ReceiptHandle": receipt_handle(message),
        "MD5OfBody": message.body_md5,
        "Body": message.body,
    }
    names = request.get("AttributeNames", [])
    if "MessageSystemAttributeNames" in request:
        names = names + request["MessageSystemAttributeNames"]
    if names:
        attributes = system_attributes(queue, message)
        if ALL not in names:
            attributes = {name: value for name, value in attributes.items() if name in names}
        if attributes:
            result["Attributes"] = attributes
    wanted = request.get("MessageAttributeNames")
    if wanted and message.attributes:
        found = requested(message.attributes, wanted)
        if found:
            result["MD5OfMessageAttributes"] = attributes_md5(found)
            result["MessageAttributes"] = {name: attribute_member(value) for name, value in found.items()}
    return result


def system_attributes(queue: Queue, message: Message) -> dict[str, str]:
    found = {
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.first_received_at),
        "ApproximateReceiveCount": str(message.receive_count + message.received_elsewhere),
        "SentTimestamp": str(message.sent_at),
    }
    if message.group_id:
        found["MessageGroupId"] = message.group_id
    if queue.fifo:
        found["MessageDeduplicationId"] = message.deduplication_id
        found["SequenceNumber"] = fifo.sequence_number(message.sequence)
    if message.trace_header:
        found["AWSTraceHeader"] = message.trace_header
    if message.dead_letter_source:
        found["DeadLetterQueueSourceArn"] = message.dead_letter_source
    return found
