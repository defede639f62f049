"""Publishing to queues: envelopes, signatures, raw delivery, FIFO, structured messages, batches."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature

from tests.conftest import RunningEmulator
from tests.services.sns.conftest import verify


def test_the_envelope_has_awss_members(sns: Any, topic: str, inbox: Any) -> None:
    box = inbox()
    attributes = {
        "colour": {"DataType": "String", "StringValue": "red"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x01"},
    }
    sent = sns.publish(TopicArn=topic, Message='say "hi"\n', Subject="greeting", MessageAttributes=attributes)
    (message,) = box.messages()
    document = json.loads(message["Body"])
    assert list(document) == [
        "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
        "SigningCertURL", "UnsubscribeURL", "MessageAttributes",
    ]  # fmt: skip
    assert document["MessageId"] == sent["MessageId"]
    assert document["Message"] == 'say "hi"\n'
    assert document["UnsubscribeURL"].endswith(f"/?Action=Unsubscribe&SubscriptionArn={box.subscription}")
    assert document["MessageAttributes"] == {
        "colour": {"Type": "String", "Value": "red"},
        "raw": {"Type": "Binary", "Value": "AQ=="},
    }
    assert message["Body"].startswith('{\n  "Type" : "Notification",\n  "MessageId" : ')


@pytest.mark.parametrize("version", ["1", "2"])
def test_signatures_hold_against_the_served_certificate(
    emulator: RunningEmulator, sns: Any, topic: str, inbox: Any, version: str
) -> None:
    box = inbox()
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version)
    sns.publish(TopicArn=topic, Message="signed", Subject="s")
    document = json.loads(box.messages()[0]["Body"])
    assert document["SignatureVersion"] == version
    assert verify(emulator, document) >= 1024
    with pytest.raises(InvalidSignature):
        verify(emulator, {**document, "Message": "forged"})


def test_raw_delivery_passes_the_text_and_the_attributes_on(sns: Any, topic: str, inbox: Any) -> None:
    box = inbox(RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="bare", MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}})
    (message,) = box.messages()
    assert message["Body"] == "bare"
    assert message["MessageAttributes"] == {"n": {"DataType": "Number", "StringValue": "1"}}


def test_a_structured_message_has_a_text_for_each_protocol(sns: Any, topic: str, inbox: Any) -> None:
    box = inbox()
    for text in ({"default": "d", "sqs": "for queues"}, {"default": "d", "http": "h"}):
        sns.publish(TopicArn=topic, Message=json.dumps(text), MessageStructure="json")
    assert sorted(box.texts()) == ["d", "for queues"]


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Message": ""}, "Invalid parameter: Empty message"),
        ({"Message": "x" * 262_145}, "Invalid parameter: Message too long"),
        ({"Message": "x", "Subject": "s" * 101}, "Invalid parameter: Subject must be less than 100 characters"),
        ({"Message": "x", "Subject": "a\nb"}, "Invalid parameter: Subject"),
        (
            {"Message": "{}", "MessageStructure": "json"},
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
        (
            {"Message": "x", "MessageStructure": "json"},
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        ),
    ],
)
def test_wrong_messages_are_refused(sns: Any, topic: str, members: dict[str, str], message: str) -> None:
    assert refused(lambda: sns.publish(TopicArn=topic, **members)) == ("InvalidParameter", message)


def test_a_topic_that_is_not_there_is_not_found(sns: Any, topic: str) -> None:
    assert refused(lambda: sns.publish(TopicArn=topic + "x", Message="m")) == ("NotFound", "Topic does not exist")


def test_fifo_topics_number_messages_and_drop_duplicates(sns: Any, inbox: Any, unique: Callable[..., str]) -> None:
    topic = sns.create_topic(
        Name=unique() + ".fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    )["TopicArn"]
    box = inbox(topic, fifo=True)
    first = sns.publish(TopicArn=topic, Message="a", MessageGroupId="g")
    again = sns.publish(TopicArn=topic, Message="a", MessageGroupId="g")
    second = sns.publish(TopicArn=topic, Message="b", MessageGroupId="g")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert len(first["SequenceNumber"]) == 20
    assert second["SequenceNumber"] > first["SequenceNumber"]
    messages = box.messages()
    assert [json.loads(message["Body"])["Message"] for message in messages] == ["a", "b"]
    assert json.loads(messages[0]["Body"])["SequenceNumber"] == first["SequenceNumber"]
    assert messages[0]["Attributes"]["MessageGroupId"] == "g"
    code, text = refused(lambda: sns.publish(TopicArn=topic, Message="c"))
    assert (code, text) == (
        "InvalidParameter",
        "Invalid parameter: The MessageGroupId parameter is required for FIFO topics",
    )


def test_entries_of_a_batch_fail_one_by_one(sns: Any, topic: str, inbox: Any) -> None:
    box = inbox()
    answer = sns.publish_batch(
        TopicArn=topic,
        PublishBatchRequestEntries=[{"Id": "1", "Message": "m"}, {"Id": "2", "Message": "m", "Subject": "s" * 101}],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["1"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("2", "InvalidParameter", True)
    ]
    assert box.texts() == ["m"]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(n), "Message": "m"} for n in range(11)], "TooManyEntriesInBatchRequest"),
        ([{"Id": "1", "Message": "m"}, {"Id": "1", "Message": "m"}], "BatchEntryIdsNotDistinct"),
        ([{"Id": "a b", "Message": "m"}], "InvalidBatchEntryId"),
        ([{"Id": str(n), "Message": "m" * 150_000} for n in range(2)], "BatchRequestTooLong"),
    ],
)
def test_wrong_batches_are_refused(sns: Any, topic: str, entries: list[dict[str, str]], code: str) -> None:
    assert refused(lambda: sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries))[0] == code


def test_a_queue_that_is_gone_fails_nobody_else(sns: Any, sqs: Any, topic: str, inbox: Any) -> None:
    dead = sqs.create_queue(QueueName=topic.rpartition(":")[2] + "-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    gone = inbox(RedrivePolicy=json.dumps({"deadLetterTargetArn": arn}))
    other = inbox()
    sqs.delete_queue(QueueUrl=gone.url)
    sns.publish(TopicArn=topic, Message="m")
    assert other.texts() == ["m"]
    (letter,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert json.loads(letter["Body"])["Message"] == "m"
