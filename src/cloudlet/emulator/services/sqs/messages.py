"""Sending messages: SendMessage and SendMessageBatch."""

from __future__ import annotations

from hashlib import md5, sha256
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sqs import fifo
from cloudlet.emulator.services.sqs.api import (
    BatchRequestTooLong,
    InvalidMessageContents,
    SendMessageBatchRequest,
    SendMessageBatchResult,
    SendMessageRequest,
    SendMessageResult,
)
from cloudlet.emulator.services.sqs.attributes import LARGEST_MESSAGE, LONGEST_DELAY
from cloudlet.emulator.services.sqs.batches import check_entries, run_entries
from cloudlet.emulator.services.sqs.errors import (
    InvalidParameterValue,
    MissingParameter,
    invalid_value,
    wrong_for_queue_type,
)
from cloudlet.emulator.services.sqs.lengths import arrive
from cloudlet.emulator.services.sqs.lookup import queue_of
from cloudlet.emulator.services.sqs.message_attributes import (
    Attribute,
    attributes_md5,
    attributes_size,
    has_invalid_character,
    read_attribute,
    read_attributes,
)
from cloudlet.emulator.services.sqs.records import MESSAGES, Message, Queue

if TYPE_CHECKING:
    from cloudlet.emulator.services.sqs.api import SendMessageBatchRequestEntry

TRACE_HEADER = "AWSTraceHeader"
LONGEST_ID = 128
TOO_LONG = "One or more parameters are invalid."
TOO_LONG_IN_BATCH = "One or more parameters cannot be validated."
ID_CHARACTERS = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)


@read_write
def send_message(call: Call, request: SendMessageRequest) -> SendMessageResult:
    """Raises InvalidMessageContents, InvalidParameterValue, MissingParameter."""
    result: SendMessageResult = send(call, queue_of(call, request), request)
    return result


@read_write
def send_message_batch(call: Call, request: SendMessageBatchRequest) -> SendMessageBatchResult:
    """Entries fail one by one; only a batch that is malformed or too long as a whole raises."""
    queue = queue_of(call, request)
    entries = request.get("Entries", [])
    check_entries(entries, "SendMessageBatchRequestEntry")
    for entry in entries:
        check_fifo_ids(queue, entry)
    total = sum(entry_size(entry) for entry in entries)
    if total > LARGEST_MESSAGE:
        raise BatchRequestTooLong(
            f"Batch requests cannot be longer than {LARGEST_MESSAGE} bytes. You have sent {total} bytes."
        )
    return run_entries(entries, lambda entry: send(call, queue, entry, TOO_LONG_IN_BATCH))  # type: ignore[return-value]


def entry_size(entry: SendMessageBatchRequestEntry) -> int:
    size = len(entry["MessageBody"].encode(errors="surrogatepass"))
    for name, value in entry.get("MessageAttributes", {}).items():
        size += len(name.encode()) + len(value.get("DataType", "").encode())
        size += len(value.get("StringValue", "").encode()) + len(value.get("BinaryValue", b""))
    return size


def send(
    call: Call, queue: Queue, entry: SendMessageRequest | SendMessageBatchRequestEntry, too_long: str = TOO_LONG
) -> Any:
    """Write one message; the answer's members about it. `too_long`: what is said before the reason.

    An entry that is refused has written nothing: everything is checked before the message gets its sequence.
    """
    body = entry["MessageBody"]
    encoded = checked_body(body)
    given = entry.get("MessageAttributes")
    attributes = read_attributes(given) if given else None
    size = len(encoded) if attributes is None else len(encoded) + attributes_size(attributes)
    if size > queue.maximum_bytes:
        raise InvalidParameterValue(f"{too_long} Reason: Message must be shorter than {queue.maximum_bytes} bytes.")
    system_attributes = read_system_attributes(entry)
    now = int(call.now * 1000)
    group_id = entry.get("MessageGroupId", "")
    result = digests(encoded, attributes, system_attributes)
    if queue.fifo:
        deduplication_id = check_fifo(queue, entry, encoded)
        duplicate = fifo.find_duplicate(call.tx, queue, group_id, deduplication_id, now)
        if duplicate is not None:
            result["MessageId"] = duplicate.message_id
            result["SequenceNumber"] = fifo.sequence_number(duplicate.sequence)
            return result
        delay_seconds = queue.delay_seconds
    else:
        deduplication_id = ""
        delay_seconds = check_standard(queue, entry)
    message = Message(
        queue.storage_id,
        now + delay_seconds * 1000,
        arrive(call.tx, queue.storage_id),
        call.ids.uuid(),
        body,
        result["MD5OfMessageBody"],
        call.principal.user_id,
        now,
        attributes=attributes,
        trace_header=trace_header(call, system_attributes),
        group_id=group_id,
        deduplication_id=deduplication_id,
    )
    result["MessageId"] = message.message_id
    if queue.fifo:
        fifo.append(call.tx, message)
        fifo.remember(call.tx, queue, message, now)
        result["SequenceNumber"] = fifo.sequence_number(message.sequence)
    else:
        MESSAGES.put(call.tx, message)
    return result


def checked_body(body: str) -> bytes:
    """Raises MissingParameter, InvalidMessageContents."""
    if not body:
        raise MissingParameter("The request must contain the parameter MessageBody.")
    encoded = body.encode()
    if has_invalid_character(encoded):
        raise InvalidMessageContents(
            "Invalid characters found. Valid unicode characters are "
            "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        )
    return encoded


def digests(
    body: bytes, attributes: dict[str, Attribute] | None, system_attributes: dict[str, Attribute] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"MD5OfMessageBody": md5(body, usedforsecurity=False).hexdigest()}
    if attributes:
        found["MD5OfMessageAttributes"] = attributes_md5(attributes)
    if system_attributes:
        found["MD5OfMessageSystemAttributes"] = attributes_md5(system_attributes)
    return found


def trace_header(call: Call, system_attributes: dict[str, Attribute] | None) -> str:
    """The X-Ray header of the message: its own, else that of the request."""
    if system_attributes:
        return system_attributes[TRACE_HEADER][1].decode()
    return "" if call.http is None else call.http.headers.get("x-amzn-trace-id", "")


def read_system_attributes(
    entry: SendMessageRequest | SendMessageBatchRequestEntry,
) -> dict[str, Attribute] | None:
    """Only AWSTraceHeader, a String, may be sent. Raises InvalidParameterValue."""
    given = entry.get("MessageSystemAttributes")
    if not given:
        return None
    read: dict[str, Attribute] = {}
    for name, value in given.items():
        if name != TRACE_HEADER:
            raise InvalidParameterValue(f"Message system attribute name '{name}' is invalid.")
        attribute = read_attribute(name, value)
        if attribute[0] != "String":
            raise InvalidParameterValue(f"The message system attribute '{TRACE_HEADER}' must use type 'String'.")
        read[name] = attribute
    return read


def check_standard(queue: Queue, entry: SendMessageRequest | SendMessageBatchRequestEntry) -> int:
    """The delay in seconds of a standard queue's message. Raises InvalidParameterValue."""
    if "MessageDeduplicationId" in entry:
        raise wrong_for_queue_type(entry["MessageDeduplicationId"], "MessageDeduplicationId")
    if "MessageGroupId" in entry:
        check_id("MessageGroupId", entry["MessageGroupId"])
    delay = entry.get("DelaySeconds")
    if delay is None:
        return queue.delay_seconds
    if not 0 <= delay <= LONGEST_DELAY:
        raise invalid_value(delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
    return delay


def check_fifo(queue: Queue, entry: SendMessageRequest | SendMessageBatchRequestEntry, body: bytes) -> str:
    """The deduplication id of a FIFO queue's message. Raises InvalidParameterValue, MissingParameter."""
    check_fifo_ids(queue, entry)
    check_id("MessageGroupId", entry.get("MessageGroupId", ""))
    if entry.get("DelaySeconds"):
        raise wrong_for_queue_type(entry["DelaySeconds"], "DelaySeconds")
    if "MessageDeduplicationId" in entry:
        check_id("MessageDeduplicationId", entry["MessageDeduplicationId"])
        return entry["MessageDeduplicationId"]
    return sha256(body).hexdigest()


def check_fifo_ids(queue: Queue, entry: SendMessageRequest | SendMessageBatchRequestEntry) -> None:
    """What makes a whole batch fail. Raises InvalidParameterValue, MissingParameter."""
    if not queue.fifo:
        return
    if "MessageGroupId" not in entry:
        raise MissingParameter("The request must contain the parameter MessageGroupId.")
    if "MessageDeduplicationId" not in entry and not queue.content_based_deduplication:
        raise InvalidParameterValue(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )


def check_id(parameter: str, value: str) -> None:
    """Raises InvalidParameterValue for what is not 1 to 128 letters, digits and punctuation."""
    if not 1 <= len(value) <= LONGEST_ID or not ID_CHARACTERS.issuperset(value):
        raise invalid_value(
            value,
            parameter,
            f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )
