"""ReceiveMessage on standard queues: visibility, delays, long polls, retention, system attributes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def bodies(answer: dict[str, Any]) -> list[str]:
    return [message["Body"] for message in answer.get("Messages", [])]


def test_a_message_is_received_and_then_in_flight(sqs: Any, create_queue: Any, counts: Any) -> None:
    url = create_queue()
    sent = sqs.send_message(QueueUrl=url, MessageBody="body")
    message = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "body"
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert "Attributes" not in message
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert counts(url) == (0, 1, 0)


def test_up_to_ten_messages_come_in_the_order_of_sending(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    for number in range(12):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == [str(number) for number in range(10)]
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["10", "11"]


def test_system_attributes_are_shown_when_asked_for(sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sqs.send_message(QueueUrl=url, MessageBody="body")
    first = sqs.receive_message(QueueUrl=url, AttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]["Attributes"]
    assert set(first) == {
        "SenderId",
        "SentTimestamp",
        "ApproximateReceiveCount",
        "ApproximateFirstReceiveTimestamp",
    }
    assert first["ApproximateReceiveCount"] == "1"
    again = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"][0]["Attributes"]
    assert again == {**first, "ApproximateReceiveCount": "2"}


@pytest.mark.parametrize(
    "options",
    [
        {"MaxNumberOfMessages": 0},
        {"MaxNumberOfMessages": 11},
        {"WaitTimeSeconds": 21},
        {"WaitTimeSeconds": -1},
        {"VisibilityTimeout": 43_201},
    ],
)
def test_numbers_out_of_range_are_refused(sqs: Any, create_queue: Any, options: dict[str, int]) -> None:
    with pytest.raises(ClientError) as caught:
        sqs.receive_message(QueueUrl=create_queue(), **options)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert f"for parameter {next(iter(options))} is invalid" in str(caught.value)


def test_a_message_is_visible_again_after_its_timeout(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique(), Attributes={"VisibilityTimeout": "10"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="body")
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["body"]
    frozen_time.advance(9.5)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    frozen_time.advance(0.5)
    assert bodies(sqs.receive_message(QueueUrl=url, VisibilityTimeout=3)) == ["body"]
    frozen_time.advance(3)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["body"]


def test_a_delayed_message_appears_when_its_delay_is_over(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique(), Attributes={"DelaySeconds": "5"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="queue's delay")
    sqs.send_message(QueueUrl=url, MessageBody="own delay", DelaySeconds=2)
    sqs.send_message(QueueUrl=url, MessageBody="none", DelaySeconds=0)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["none"]
    frozen_time.advance(2)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["own delay"]
    frozen_time.advance(3)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["queue's delay"]


def test_messages_older_than_the_retention_period_are_dropped(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique(), Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="received once")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)
    sqs.send_message(QueueUrl=url, MessageBody="never received")
    frozen_time.advance(59)
    sqs.send_message(QueueUrl=url, MessageBody="young")
    frozen_time.advance(2)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["young"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert found == dict(zip(names, ("0", "1"), strict=True))


class Poll:
    """A long poll in a thread of its own."""

    def __init__(self, sqs: Any, **options: Any) -> None:
        self.answer: dict[str, Any] = {}
        self.error: ClientError | None = None
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self._run, args=(sqs, options))
        self.thread.start()

    def _run(self, sqs: Any, options: dict[str, Any]) -> None:
        try:
            self.answer = sqs.receive_message(**options)
        except ClientError as error:
            self.error = error

    def finished(self) -> dict[str, Any]:
        self.thread.join(30)
        assert not self.thread.is_alive()
        return self.answer


def test_a_long_poll_is_answered_when_a_message_comes(client: Any, sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    poll = Poll(client("sqs"), QueueUrl=url, WaitTimeSeconds=20)
    while not sqs.receive_message(QueueUrl=url).get("Messages") and poll.thread.is_alive():
        sqs.send_message(QueueUrl=url, MessageBody="late")  # the poll may not have begun when the first one is sent
    assert bodies(poll.finished()) == ["late"]


def test_a_long_poll_that_sees_nothing_is_empty(sqs: Any, create_queue: Any) -> None:
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=create_queue(), WaitTimeSeconds=1)
    assert time.monotonic() - started >= 0.9


def test_a_long_poll_gets_a_message_whose_delay_ends(sqs: Any, create_queue: Any) -> None:
    url = create_queue(ReceiveMessageWaitTimeSeconds="20")
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=1)
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["delayed"]


def test_a_long_poll_gets_a_message_that_is_given_back(client: Any, sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    sqs.send_message(QueueUrl=url, MessageBody="returned")
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    poll = Poll(client("sqs"), QueueUrl=url, WaitTimeSeconds=20)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert bodies(poll.finished()) == ["returned"]


def test_a_long_poll_goes_on_over_a_purge(client: Any, sqs: Any, create_queue: Any) -> None:
    for fifo in (False, True):
        url = create_queue(fifo=fifo)
        more = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if fifo else {}
        poll = Poll(client("sqs"), QueueUrl=url, WaitTimeSeconds=20)
        sqs.purge_queue(QueueUrl=url)
        sqs.send_message(QueueUrl=url, MessageBody="after", **more)
        assert bodies(poll.finished()) == ["after"]
        assert time.monotonic() - poll.started < 15  # woken, not timed out


def test_moving_the_clock_wakes_a_long_poll(frozen_time: Any, unique: Callable[..., str]) -> None:
    sqs = frozen_time.sqs
    url = sqs.create_queue(QueueName=unique())["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="tomorrow", DelaySeconds=900)
    poll = Poll(frozen_time.emulator.client("sqs"), QueueUrl=url, WaitTimeSeconds=20)
    frozen_time.advance(900)
    assert bodies(poll.finished()) == ["tomorrow"]


def test_a_long_poll_ends_when_its_queue_is_deleted(client: Any, sqs: Any, create_queue: Any) -> None:
    url = create_queue()
    poll = Poll(client("sqs"), QueueUrl=url, WaitTimeSeconds=20)
    sqs.delete_queue(QueueUrl=url)
    poll.finished()
    assert poll.error is not None
    assert poll.error.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
