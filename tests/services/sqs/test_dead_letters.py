"""Dead-letter queues, and moving their messages back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.sqs.test_receiving import bodies


@pytest.fixture
def pair(create_queue: Any, arn_of: Any) -> Callable[..., tuple[str, str]]:
    """Makes a queue and its dead-letter queue; their URLs."""

    def make(*, fifo: bool = False, count: int = 1) -> tuple[str, str]:
        dead = create_queue(fifo=fifo)
        policy = json.dumps({"deadLetterTargetArn": arn_of(dead), "maxReceiveCount": count})
        return create_queue(fifo=fifo, RedrivePolicy=policy, VisibilityTimeout="0"), dead

    return make


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("fifo", [False, True])
def test_a_message_received_too_often_moves(sqs: Any, pair: Any, arn_of: Any, counts: Any, fifo: bool) -> None:
    source, dead = pair(fifo=fifo, count=2)
    more = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if fifo else {}
    sent = sqs.send_message(QueueUrl=source, MessageBody="poison", **more)
    for _ in range(2):
        assert bodies(sqs.receive_message(QueueUrl=source)) == ["poison"]
    assert bodies(sqs.receive_message(QueueUrl=source)) == []
    assert counts(source) == (0, 0, 0)
    message = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"][0]
    assert message["MessageId"] == sent["MessageId"]
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(source)


def test_a_dead_letter_queue_has_a_count_and_a_dead_letter_queue_of_its_own(
    sqs: Any, create_queue: Any, arn_of: Any
) -> None:
    urls = [create_queue(VisibilityTimeout="0")]
    for _ in range(2):
        policy = json.dumps({"deadLetterTargetArn": arn_of(urls[-1]), "maxReceiveCount": 1})
        urls.append(create_queue(VisibilityTimeout="0", RedrivePolicy=policy))
    sqs.send_message(QueueUrl=urls[-1], MessageBody="poison")
    for count, url in enumerate(reversed(urls), start=1):
        message = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
        assert message["Attributes"]["ApproximateReceiveCount"] == str(count)
        if url != urls[0]:
            assert bodies(sqs.receive_message(QueueUrl=url)) == []


def test_messages_behind_a_dead_letter_are_received(sqs: Any, pair: Any) -> None:
    source, dead = pair()
    sqs.send_message(QueueUrl=source, MessageBody="poison")
    sqs.receive_message(QueueUrl=source)
    sqs.send_message(QueueUrl=source, MessageBody="good")
    assert bodies(sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=1)) == ["good"]
    assert bodies(sqs.receive_message(QueueUrl=dead)) == ["poison"]


def test_sources_of_a_dead_letter_queue_are_listed(sqs: Any, pair: Any) -> None:
    source, dead = pair()
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [source]
    assert sqs.list_dead_letter_source_queues(QueueUrl=source)["queueUrls"] == []
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": ""})
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == []


def fill(sqs: Any, source: str, number: int) -> None:
    for body in range(number):
        sqs.send_message(QueueUrl=source, MessageBody=str(body))
    for _ in range(2):
        for _ in range(number):
            sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=1)
    sqs.receive_message(QueueUrl=source)


def test_dead_letters_move_back_to_their_source(sqs: Any, pair: Any, arn_of: Any, counts: Any) -> None:
    source, dead = pair()
    fill(sqs, source, 3)
    assert counts(dead) == (3, 0, 0)
    handle = sqs.start_message_move_task(SourceArn=arn_of(dead))["TaskHandle"]
    assert handle
    task = until(
        lambda: [
            task
            for task in sqs.list_message_move_tasks(SourceArn=arn_of(dead))["Results"]
            if task["Status"] == "COMPLETED"
        ]
    )[0]
    assert task["ApproximateNumberOfMessagesMoved"] == 3
    assert task["ApproximateNumberOfMessagesToMove"] == 3
    assert counts(dead) == (0, 0, 0)
    assert counts(source) == (3, 0, 0)


def test_dead_letters_move_to_another_queue_and_can_be_stopped(
    sqs: Any, pair: Any, arn_of: Any, create_queue: Any, counts: Any
) -> None:
    source, dead = pair()
    other = create_queue()
    fill(sqs, source, 3)
    handle = sqs.start_message_move_task(
        SourceArn=arn_of(dead), DestinationArn=arn_of(other), MaxNumberOfMessagesPerSecond=1
    )["TaskHandle"]
    with pytest.raises(ClientError, match="already a task running"):
        sqs.start_message_move_task(SourceArn=arn_of(dead))
    moved = until(lambda: counts(other)[0])
    stopped = sqs.cancel_message_move_task(TaskHandle=handle)
    assert stopped["ApproximateNumberOfMessagesMoved"] >= moved
    until(lambda: sqs.list_message_move_tasks(SourceArn=arn_of(dead))["Results"][0]["Status"] == "CANCELLED")
    assert counts(other)[0] + counts(dead)[0] == 3


def test_only_dead_letter_queues_are_moved_from(sqs: Any, create_queue: Any, arn_of: Any) -> None:
    arn = arn_of(create_queue())
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=arn)
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.start_message_move_task(SourceArn=arn + "-missing")
    with pytest.raises(sqs.exceptions.ResourceNotFoundException):
        sqs.list_message_move_tasks(SourceArn=arn + "-missing")


def test_a_task_fails_on_a_message_that_came_from_nowhere(sqs: Any, pair: Any, arn_of: Any) -> None:
    _, dead = pair()
    sqs.send_message(QueueUrl=dead, MessageBody="sent here")
    sqs.start_message_move_task(SourceArn=arn_of(dead))
    task = until(
        lambda: [
            task
            for task in sqs.list_message_move_tasks(SourceArn=arn_of(dead))["Results"]
            if task["Status"] == "FAILED"
        ]
    )[0]
    assert task["FailureReason"] == "CouldNotDetermineMessageSource"
