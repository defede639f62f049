"""Deliveries to web servers: confirmation, headers, signatures, retries by the emulator's clock, dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from tests.conftest import RunningEmulator
from tests.services.sns.conftest import Receiver, move_clock, verify


@pytest.fixture
def frozen(start_emulator: Callable[..., RunningEmulator]) -> RunningEmulator:
    """An emulator of the test's own, whose clock moves only by `move_clock`."""
    emulator = start_emulator()
    move_clock(emulator, "freeze", epoch=1_800_000_000.0)
    return emulator


def subscribe(emulator: RunningEmulator, receiver: Receiver, **attributes: str) -> tuple[Any, str, str]:
    """A confirmed subscription of the receiver: client, topic, subscription."""
    sns = emulator.client("sns")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url, Attributes=attributes)
    move_clock(emulator, "advance", seconds=1)
    document = json.loads(receiver.of_type("SubscriptionConfirmation")[0][1])
    arn = sns.confirm_subscription(TopicArn=topic, Token=document["Token"])["SubscriptionArn"]
    return sns, topic, arn


def test_a_server_confirms_by_the_url_that_it_was_sent(frozen: RunningEmulator, receiver: Receiver) -> None:
    sns = frozen.client("sns")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    answer = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url)
    assert answer["SubscriptionArn"] == "pending confirmation"
    sns.publish(TopicArn=topic, Message="too early")
    move_clock(frozen, "advance", seconds=1)
    ((headers, body),) = receiver.received
    document = json.loads(body)
    assert headers["x-amz-sns-message-type"] == document["Type"] == "SubscriptionConfirmation"
    assert headers["x-amz-sns-topic-arn"] == topic
    assert headers["x-amz-sns-message-id"] == document["MessageId"]
    assert "x-amz-sns-subscription-arn" not in headers
    assert verify(frozen, document) == 2048
    with urlopen(f"{frozen.url}/?{document['SubscribeURL'].partition('?')[2]}", timeout=10) as confirmed:
        assert b"<ConfirmSubscriptionResult>" in confirmed.read()
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"].startswith(topic + ":")


def test_notifications_are_signed_and_named_in_headers(frozen: RunningEmulator, receiver: Receiver) -> None:
    sns, topic, arn = subscribe(frozen, receiver)
    message_id = sns.publish(TopicArn=topic, Message="m", Subject="s")["MessageId"]
    move_clock(frozen, "advance", seconds=1)
    ((headers, body),) = receiver.of_type("Notification")
    assert headers["x-amz-sns-message-id"] == message_id
    assert headers["x-amz-sns-subscription-arn"] == arn
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    assert headers["user-agent"] == "Amazon Simple Notification Service Agent"
    assert verify(frozen, json.loads(body)) == 2048


def test_raw_notifications_are_the_text_alone(frozen: RunningEmulator, receiver: Receiver) -> None:
    sns, topic, _ = subscribe(frozen, receiver, RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="bare")
    move_clock(frozen, "advance", seconds=1)
    ((headers, body),) = receiver.of_type("Notification")
    assert (headers["x-amz-sns-rawdelivery"], body) == ("true", "bare")


def test_the_end_of_a_subscription_is_told(frozen: RunningEmulator, receiver: Receiver) -> None:
    sns, _, arn = subscribe(frozen, receiver)
    sns.unsubscribe(SubscriptionArn=arn)
    move_clock(frozen, "advance", seconds=1)
    ((headers, body),) = receiver.of_type("UnsubscribeConfirmation")
    assert headers["x-amz-sns-subscription-arn"] == arn
    assert verify(frozen, json.loads(body)) == 2048


def test_failures_are_sent_again_three_times_every_20_seconds_then_become_dead_letters(
    frozen: RunningEmulator, receiver: Receiver
) -> None:
    sqs = frozen.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"})
    sns, topic, _ = subscribe(frozen, receiver, RedrivePolicy=policy)
    receiver.statuses = [500]
    sns.publish(TopicArn=topic, Message="m")
    counts = []
    for seconds in (1, 18, 2, 20, 20, 600):
        move_clock(frozen, "advance", seconds=seconds)
        counts.append(len(receiver.of_type("Notification")))
    assert counts == [1, 1, 2, 3, 4, 4]
    (letter,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert json.loads(letter["Body"])["Message"] == "m"


def test_the_delivery_policy_says_how_often(frozen: RunningEmulator, receiver: Receiver) -> None:
    retries = {"minDelayTarget": 5, "maxDelayTarget": 5, "numRetries": 3, "numNoDelayRetries": 2}
    sns, topic, _ = subscribe(frozen, receiver, DeliveryPolicy=json.dumps({"healthyRetryPolicy": retries}))
    receiver.statuses = [503]
    sns.publish(TopicArn=topic, Message="m")
    counts = []
    for seconds in (1, 3, 2, 100):
        move_clock(frozen, "advance", seconds=seconds)
        counts.append(len(receiver.of_type("Notification")))
    assert counts == [3, 3, 4, 4]


def test_what_the_server_calls_wrong_is_not_sent_again(frozen: RunningEmulator, receiver: Receiver) -> None:
    sns, topic, _ = subscribe(frozen, receiver)
    receiver.statuses = [403]
    sns.publish(TopicArn=topic, Message="m")
    move_clock(frozen, "advance", seconds=600)
    assert len(receiver.of_type("Notification")) == 1
