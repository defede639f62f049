"""SendMessage and SendMessageBatch."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.sqs.test_queues import code_of


def test_a_sent_message_is_answered_with_its_md5(sqs: Any, create_queue: Any) -> None:
    answer = sqs.send_message(QueueUrl=create_queue(), MessageBody="hällo")
    assert answer["MD5OfMessageBody"] == md5("hällo".encode()).hexdigest()
    assert len(answer["MessageId"]) == 36
    assert "SequenceNumber" not in answer


def test_a_message_group_may_be_named_on_a_standard_queue(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sqs.send_message(QueueUrl=url, MessageBody="body", MessageGroupId="tenant-1")
    message = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"][0]
    assert message["Attributes"]["MessageGroupId"] == "tenant-1"


def test_a_trace_header_travels_with_the_message(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    answer = sqs.send_message(
        QueueUrl=url,
        MessageBody="body",
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": header}},
    )
    assert len(answer["MD5OfMessageSystemAttributes"]) == 32
    message = sqs.receive_message(QueueUrl=url, AttributeNames=["AWSTraceHeader"])["Messages"][0]
    assert message["Attributes"] == {"AWSTraceHeader": header}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"MessageBody": ""}, "MissingParameter"),
        ({"MessageBody": "bell \x07"}, "InvalidMessageContents"),
        ({"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
        ({"MessageBody": "x", "DelaySeconds": -1}, "InvalidParameterValue"),
        ({"MessageBody": "x", "MessageDeduplicationId": "d"}, "InvalidParameterValue"),
        ({"MessageBody": "x" * (1024 * 1024 + 1)}, "InvalidParameterValue"),
    ],
)
def test_what_a_standard_queue_refuses(sqs: Any, create_queue: Any, options: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        sqs.send_message(QueueUrl=create_queue(), **options)
    assert code_of(caught) == code


def test_the_queues_own_size_limit_counts_attributes(sqs: Any, create_queue: Any) -> None:
    url = create_queue(MaximumMessageSize="1024")
    attribute = {"name": {"DataType": "String", "StringValue": "v" * 14}}  # 4 + 6 + 14 bytes
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1000, MessageAttributes=attribute)
    with pytest.raises(ClientError, match="Message must be shorter than 1024 bytes"):
        sqs.send_message(QueueUrl=url, MessageBody="x" * 1001, MessageAttributes=attribute)


def test_a_large_message_comes_back_whole(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    body = "0123456789abcdef" * 65_536
    sqs.send_message(QueueUrl=url, MessageBody=body)
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == body


def test_batch_entries_succeed_and_fail_one_by_one(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue()
    answer = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "good", "MessageBody": "x"},
            {"Id": "late", "MessageBody": "x", "DelaySeconds": 901},
            {"Id": "also-good", "MessageBody": "y", "DelaySeconds": 900},
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good", "also-good"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("late", "InvalidParameterValue", True)
    ]
    assert counts(url) == (1, 0, 1)


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], "AWS.SimpleQueueService.EmptyBatchRequest"),
        (
            [{"Id": f"i{n}", "MessageBody": "x"} for n in range(11)],
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        ([{"Id": "i", "MessageBody": "x"}] * 2, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        ([{"Id": "a:b", "MessageBody": "x"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        ([{"Id": "i" * 81, "MessageBody": "x"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
        (
            [{"Id": f"i{n}", "MessageBody": "x" * 600_000} for n in range(2)],
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
    ],
)
def test_malformed_batches_are_refused_whole(sqs: Any, create_queue: Any, counts: Any, entries: Any, code: str) -> None:
    url = create_queue()
    with pytest.raises(ClientError) as caught:
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert code_of(caught) == code
    assert counts(url) == (0, 0, 0)
