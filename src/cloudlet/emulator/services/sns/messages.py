"""Publishing: Publish and PublishBatch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sns import fifo
from cloudlet.emulator.services.sns.api import (
    BatchEntryIdsNotDistinctException,
    BatchRequestTooLongException,
    EmptyBatchRequestException,
    EndpointDisabledException,
    InvalidBatchEntryIdException,
    PublishBatchInput,
    PublishBatchResponse,
    PublishInput,
    PublishResponse,
    TooManyEntriesInBatchRequestException,
)
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.fan_out import Message, fan_out
from cloudlet.emulator.services.sns.lookup import check_arn, topic_of
from cloudlet.emulator.services.sns.message_attributes import check_attributes
from cloudlet.emulator.services.sns.outbox import write
from cloudlet.emulator.services.sns.records import ENDPOINTS, Topic

LARGEST_MESSAGE = 262_144
LONGEST_SUBJECT = 100
MOST_ENTRIES = 10
ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")
PHONE_NUMBER = re.compile(r"\+[1-9]\d{1,14}\Z")
FIFO_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}\Z")


@read_write
def publish(call: Call, request: PublishInput) -> PublishResponse:
    """Raises InvalidParameter, NotFound, ParameterValueInvalid, EndpointDisabled."""
    number = request.get("PhoneNumber")
    arn = request.get("TopicArn", request.get("TargetArn"))
    if number:
        if arn:
            raise invalid("TopicArn or TargetArn Reason: only one of TopicArn, TargetArn and PhoneNumber may be given")
        if PHONE_NUMBER.match(number) is None:
            raise invalid(f"PhoneNumber Reason: {number} does not meet the E164 format")
        message = read_message(call, request)
        write(call, number, message, text_of(message, "sms"))
        return {"MessageId": message.message_id}
    if arn is None:
        raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
    if ":endpoint/" in arn:
        return publish_to_endpoint(call, arn, request)
    topic = topic_of(call, arn, "TopicArn" if "TopicArn" in request else "TargetArn")
    check_for_topic(topic, request)
    result: PublishResponse = publish_to_topic(call, topic, read_message(call, request))  # type: ignore[assignment]
    return result


def publish_to_endpoint(call: Call, arn: str, request: PublishInput) -> PublishResponse:
    check_arn(arn, "TargetArn")
    endpoint = ENDPOINTS.get(call.tx, arn)
    if endpoint is None:
        raise invalid("TargetArn Reason: No endpoint found for the target arn specified")
    if endpoint.attributes.get("Enabled", "true").lower() != "true":
        raise EndpointDisabledException("Endpoint is disabled")
    message = read_message(call, request)
    write(call, arn, message, message.text)
    return {"MessageId": message.message_id}


def publish_to_topic(call: Call, topic: Topic, message: Message) -> dict[str, Any]:
    """The answer's members about the message."""
    if not topic.fifo:
        fan_out(call, topic, message)
        return {"MessageId": message.message_id}
    if not message.deduplication_id:
        message.deduplication_id = fifo.content_id(message.text)
    duplicate = fifo.find_duplicate(call, topic, message.group_id, message.deduplication_id)
    if duplicate is not None:
        return {"MessageId": duplicate.message_id, "SequenceNumber": fifo.sequence_number(duplicate.sequence)}
    sequence = fifo.remember(call, topic, message.group_id, message.deduplication_id, message.message_id)
    message.sequence_number = fifo.sequence_number(sequence)
    fan_out(call, topic, message)
    return {"MessageId": message.message_id, "SequenceNumber": message.sequence_number}


def read_message(call: Call, entry: Mapping[str, Any]) -> Message:
    """The checked message. Raises InvalidParameter, ParameterValueInvalid."""
    text: str = entry["Message"]
    if not text:
        raise invalid("Empty message")
    attributes = entry.get("MessageAttributes")
    size = len(text.encode()) + (check_attributes(attributes) if attributes else 0)
    if size > LARGEST_MESSAGE:
        raise invalid("Message too long")
    subject = entry.get("Subject")
    if subject is not None:
        check_subject(subject)
    by_protocol = None
    structure = entry.get("MessageStructure")
    if structure == "json":
        by_protocol = read_structure(text)
    return Message(
        call.ids.uuid(),
        text,
        subject or "",
        by_protocol,
        attributes,
        entry.get("MessageGroupId", ""),
        entry.get("MessageDeduplicationId", ""),
    )


def check_subject(subject: str) -> None:
    if len(subject) > LONGEST_SUBJECT:
        raise invalid(f"Subject must be less than {LONGEST_SUBJECT} characters")
    if not subject or subject[0].isspace() or any(letter < " " or letter == "\x7f" for letter in subject):
        raise invalid("Subject")


def read_structure(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except ValueError:
        raise invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(found, dict):
        raise invalid("Message Structure - JSON message body failed to parse")
    if not isinstance(found.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    return {name: value for name, value in found.items() if isinstance(value, str)}


def text_of(message: Message, protocol: str) -> str:
    if message.by_protocol is None:
        return message.text
    found: str = message.by_protocol.get(protocol, message.by_protocol["default"])
    return found


def check_for_topic(topic: Topic, entry: Mapping[str, Any]) -> None:
    """The parameters that only FIFO topics have. Raises InvalidParameter."""
    group_id = entry.get("MessageGroupId")
    deduplication_id = entry.get("MessageDeduplicationId")
    if not topic.fifo:
        if deduplication_id is not None:
            raise invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid "
                "for this topic type"
            )
        if group_id is not None and FIFO_ID.match(group_id) is None:
            raise invalid_id("MessageGroupId")
        return
    if not group_id:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if FIFO_ID.match(group_id) is None:
        raise invalid_id("MessageGroupId")
    if deduplication_id is None and not topic.content_based_deduplication:
        raise invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
        )
    if deduplication_id is not None and FIFO_ID.match(deduplication_id) is None:
        raise invalid_id("MessageDeduplicationId")


def invalid_id(name: str) -> AwsError:
    return invalid(
        f"{name} Reason: {name} can only include alphanumeric and punctuation characters. 1 to 128 in length"
    )


@read_write
def publish_batch(call: Call, request: PublishBatchInput) -> PublishBatchResponse:
    """Entries fail one by one; only a batch that is wrong as a whole raises."""
    topic = topic_of(call, request["TopicArn"])
    entries = request.get("PublishBatchRequestEntries", [])
    check_entries(entries)
    for entry in entries:
        if entry.get("MessageStructure") == "json":
            read_structure(entry["Message"])
    for entry in entries:
        if topic.fifo:
            check_for_topic(topic, entry)
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            check_for_topic(topic, entry)
            members = publish_to_topic(call, topic, read_message(call, entry))
        except AwsError as error:
            failed.append(
                {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": error.sender_fault}
            )
        else:
            successful.append({"Id": entry["Id"], **members})
    return {"Successful": successful, "Failed": failed}  # type: ignore[typeddict-item]


def check_entries(entries: Any) -> None:
    """Raises the errors of the batch as a whole."""
    if not entries:
        raise EmptyBatchRequestException("The batch request doesn't contain any entries.")
    if len(entries) > MOST_ENTRIES:
        raise TooManyEntriesInBatchRequestException("The batch request contains more entries than permissible.")
    ids = [entry["Id"] for entry in entries]
    if len(set(ids)) != len(ids):
        raise BatchEntryIdsNotDistinctException("Two or more batch entries in the request have the same Id.")
    if any(ENTRY_ID.match(entry_id) is None for entry_id in ids):
        raise InvalidBatchEntryIdException(
            "The Id of a batch entry in a batch request doesn't abide by the specification."
        )
    if sum(entry_size(entry) for entry in entries) > LARGEST_MESSAGE:
        raise BatchRequestTooLongException("The length of all the messages put together is more than the limit.")


def entry_size(entry: Mapping[str, Any]) -> int:
    size = len(entry["Message"].encode())
    for name, value in entry.get("MessageAttributes", {}).items():
        size += len(name.encode()) + len(value.get("DataType", "").encode())
        size += len(value.get("StringValue", "").encode()) + len(value.get("BinaryValue", b""))
    return size
