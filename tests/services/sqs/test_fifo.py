"""FIFO queues: deduplication, sequence, and groups that one receiver has at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.sqs.test_receiving import Poll, bodies


def send(sqs: Any, url: str, group: str, body: str, **options: Any) -> dict[str, Any]:
    options.setdefault("MessageDeduplicationId", f"{group}-{body}")
    answer: dict[str, Any] = sqs.send_message(QueueUrl=url, MessageGroupId=group, MessageBody=body, **options)
    return answer


def test_sequence_numbers_have_twenty_digits_and_grow(sqs: Any, create_queue: Any) -> None:
    url = create_queue(fifo=True)
    numbers = [send(sqs, url, "g", str(number))["SequenceNumber"] for number in range(3)]
    assert all(len(number) == 20 for number in numbers)
    assert numbers == sorted(set(numbers))


def test_attributes_of_a_fifo_message(sqs: Any, create_queue: Any) -> None:
    url = create_queue(fifo=True)
    sent = send(sqs, url, "group", "body")
    found = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]["Attributes"]
    assert found["MessageGroupId"] == "group"
    assert found["MessageDeduplicationId"] == "group-body"
    assert found["SequenceNumber"] == sent["SequenceNumber"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "MissingParameter"),
        ({"MessageGroupId": "g"}, "InvalidParameterValue"),
        ({"MessageGroupId": "g" * 129, "MessageDeduplicationId": "d"}, "InvalidParameterValue"),
        ({"MessageGroupId": "g g", "MessageDeduplicationId": "d"}, "InvalidParameterValue"),
        ({"MessageGroupId": "g", "MessageDeduplicationId": "d" * 129}, "InvalidParameterValue"),
        ({"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 1}, "InvalidParameterValue"),
    ],
)
def test_what_a_fifo_queue_refuses(sqs: Any, create_queue: Any, options: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        sqs.send_message(QueueUrl=create_queue(fifo=True), MessageBody="body", **options)
    assert caught.value.response["Error"]["Code"] == code


def test_a_duplicate_is_answered_like_the_first(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue(fifo=True)
    first = send(sqs, url, "g", "body", MessageDeduplicationId="d")
    again = send(sqs, url, "g", "other body", MessageDeduplicationId="d")
    assert (first["MessageId"], first["SequenceNumber"]) == (again["MessageId"], again["SequenceNumber"])
    assert counts(url) == (1, 0, 0)


def test_deduplication_is_by_content_where_asked_for(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue(fifo=True, ContentBasedDeduplication="true")
    for body in ("one", "two", "one"):
        sqs.send_message(QueueUrl=url, MessageGroupId="g", MessageBody=body)
    assert counts(url) == (2, 0, 0)


def test_deduplication_is_by_group_where_asked_for(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue(fifo=True, DeduplicationScope="messageGroup")
    for group in ("a", "b", "a"):
        send(sqs, url, group, "body", MessageDeduplicationId="d")
    assert counts(url) == (2, 0, 0)


def test_deduplication_ends_after_five_minutes_even_if_deleted(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique() + ".fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    send(sqs, url, "g", "body", MessageDeduplicationId="d")
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    frozen_time.advance(299)
    send(sqs, url, "g", "body", MessageDeduplicationId="d")
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    frozen_time.advance(1)
    send(sqs, url, "g", "body", MessageDeduplicationId="d")
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["body"]


def test_a_group_in_flight_is_blocked_and_others_are_not(sqs: Any, create_queue: Any) -> None:
    url = create_queue(fifo=True)
    for body in ("a1", "a2", "b1"):
        send(sqs, url, body[0], body)
    first = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert first["Body"] == "a1"
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["b1"]
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["a2"]


def test_a_long_poll_gets_the_next_of_a_group_when_the_one_before_is_deleted(
    client: Any, sqs: Any, create_queue: Any
) -> None:
    url = create_queue(fifo=True)
    for body in ("a1", "a2"):
        send(sqs, url, "a", body)
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    poll = Poll(client("sqs"), QueueUrl=url, WaitTimeSeconds=20)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert bodies(poll.finished()) == ["a2"]


def test_what_lies_before_a_message_in_flight_is_received(sqs: Any, create_queue: Any) -> None:
    url = create_queue(fifo=True)
    for body in ("a1", "a2", "a3"):
        send(sqs, url, "a", body)
    first = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"][0]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["a1"]
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == []


def test_one_receive_takes_a_group_in_order_then_the_next(sqs: Any, create_queue: Any) -> None:
    url = create_queue(fifo=True)
    for body in ("a1", "b1", "a2", "b2", "a3"):
        send(sqs, url, body[0], body)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["a1", "a2", "a3", "b1", "b2"]


def test_a_group_is_free_when_its_visibility_timeout_is_over(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique() + ".fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for body in ("a1", "a2"):
        send(sqs, url, "a", body)
    stale = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    frozen_time.advance(30)
    with pytest.raises(ClientError, match=r"The receipt handle has expired\.") as caught:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=stale)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["a1", "a2"]


def test_an_attempt_can_be_repeated(sqs: Any, create_queue: Any) -> None:
    url = create_queue(fifo=True)
    for body in ("a1", "a2", "a3"):
        send(sqs, url, "a", body)
    options = {"QueueUrl": url, "MaxNumberOfMessages": 2, "ReceiveRequestAttemptId": "attempt"}
    assert bodies(sqs.receive_message(**options)) == ["a1", "a2"]
    again = sqs.receive_message(**options)
    assert bodies(again) == ["a1", "a2"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["Messages"][0]["ReceiptHandle"])
    assert bodies(sqs.receive_message(**options)) == []


def test_purging_forgets_deduplication(sqs: Any, create_queue: Any) -> None:
    url = create_queue(fifo=True)
    before = send(sqs, url, "g", "body")
    sqs.purge_queue(QueueUrl=url)
    after = send(sqs, url, "g", "body")
    assert before["MessageId"] != after["MessageId"]
    assert before["SequenceNumber"] < after["SequenceNumber"]
