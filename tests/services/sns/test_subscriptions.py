"""Subscriptions: making again, endpoints, attributes, confirming, ending."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Message"])


def test_the_same_endpoint_gives_the_same_subscription(sns: Any, topic: str, inbox: Any) -> None:
    box = inbox(RawMessageDelivery="true")
    again = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": box.arn}
    assert sns.subscribe(**again)["SubscriptionArn"] == box.subscription
    assert sns.subscribe(**again, Attributes={"RawMessageDelivery": "true"})["SubscriptionArn"] == box.subscription
    assert refused(lambda: sns.subscribe(**again, Attributes={"RawMessageDelivery": "false"})) == (
        "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    )


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [("pigeon", "x"), ("http", "https://x"), ("sqs", "x"), ("email", "x"), ("lambda", "x")],
)
def test_wrong_endpoints_are_refused(sns: Any, topic: str, protocol: str, endpoint: str) -> None:
    text = refused(lambda: sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint))
    assert text.startswith("Invalid parameter: ")


def test_attributes_are_shown_set_and_removed(sns: Any, inbox: Any) -> None:
    arn = inbox().subscription
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"a": ["b"]}')
    found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (found["FilterPolicy"], found["FilterPolicyScope"]) == ('{"a": ["b"]}', "MessageAttributes")
    assert (found["PendingConfirmation"], found["ConfirmationWasAuthenticated"]) == ("false", "true")
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}")
    assert "FilterPolicy" not in sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RawMessageDelivery", "maybe"),
        ("FilterPolicyScope", "Everything"),
        ("RedrivePolicy", json.dumps({"deadLetterTargetArn": "x"})),
        ("DeliveryPolicy", json.dumps({"healthyRetryPolicy": {"minDelayTarget": 9, "maxDelayTarget": 1}})),
        ("Nonsense", "1"),
    ],
)
def test_wrong_attributes_are_refused(sns: Any, inbox: Any, name: str, value: str) -> None:
    arn = inbox().subscription
    text = refused(
        lambda: sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)
    )
    assert text.startswith("Invalid parameter: ")


def test_confirming_with_the_token_and_ending(emulator: RunningEmulator, sns: Any, topic: str) -> None:
    arn = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com", ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    with urlopen(f"{emulator.url}/_aws/sns/subscription-tokens/{arn}", timeout=10) as answer:
        token = json.load(answer)["subscription_token"]
    assert refused(lambda: sns.confirm_subscription(TopicArn=topic, Token="x")) == "Invalid parameter: Token"
    confirmed = sns.confirm_subscription(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")
    assert confirmed["SubscriptionArn"] == arn
    sns.unsubscribe(SubscriptionArn=arn)
    sns.unsubscribe(SubscriptionArn=arn)
    assert refused(lambda: sns.get_subscription_attributes(SubscriptionArn=arn)) == "Subscription does not exist"
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (found["SubscriptionsConfirmed"], found["SubscriptionsDeleted"]) == ("0", "1")


def test_subscriptions_of_an_account_are_listed_by_hundreds(client: Callable[..., Any]) -> None:
    sns = client("sns", account="111122224444")
    topic = sns.create_topic(Name="many")["TopicArn"]
    for number in range(101):
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=f"+1555{number:07}")
    for pages in (
        sns.get_paginator("list_subscriptions").paginate(),
        sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic),
    ):
        assert [len(page["Subscriptions"]) for page in pages] == [100, 1]


@pytest.mark.parametrize("number", ["NAA+15551234567", "+15--551234567", "+15551234567."])
def test_what_is_no_telephone_number_is_refused(sns: Any, topic: str, number: str) -> None:
    text = refused(lambda: sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=number))
    assert text == f"Invalid SMS endpoint: {number}"
