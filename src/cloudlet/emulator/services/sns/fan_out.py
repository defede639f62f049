"""Who gets a message, and in what form. All of it happens in the publisher's transaction.

Queues get theirs at once, web servers and functions by jobs, devices and telephones are written to the outbox. A subscriber that fails
never makes the publish fail: its message goes to the subscription's dead-letter queue, or nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.sns import deliveries, signatures
from cloudlet.emulator.services.sns.envelopes import render, timestamp
from cloudlet.emulator.services.sns.filters import attributes_pass, body_passes, parse_policy
from cloudlet.emulator.services.sns.message_attributes import envelope_attributes
from cloudlet.emulator.services.sns.outbox import write
from cloudlet.emulator.services.sns.records import SUBSCRIPTIONS, Subscription, Topic

# how members of the envelope are called in a function's event, where it is not as everywhere else
FUNCTION_NAMES = MappingProxyType({"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"})


class Message(msgspec.Struct):
    """What is published. `by_protocol`: the texts of a structured message, else None. `attributes` as in the request."""

    message_id: str
    text: str
    subject: str = ""
    by_protocol: dict[str, Any] | None = None
    attributes: Mapping[str, Mapping[str, Any]] | None = None
    group_id: str = ""
    deduplication_id: str = ""
    sequence_number: str = ""


def fan_out(call: Call, topic: Topic, message: Message) -> None:
    envelopes: dict[tuple[str, str], dict[str, Any]] = {}
    for subscription in list(SUBSCRIPTIONS.scan(call.tx, topic.arn)):
        if not subscription.confirmed or not passes(subscription, message):
            continue
        text = text_for(message, subscription.protocol)
        if subscription.protocol == "sqs":
            to_queue(call, topic, subscription, message, text, envelopes)
        elif subscription.protocol == "lambda":
            to_function(call, topic, subscription, message, text, envelopes)
        elif subscription.protocol in ("http", "https"):
            to_server(call, topic, subscription, message, text, envelopes)
        elif subscription.protocol in ("application", "sms"):
            write(call, subscription.endpoint, message, text, topic.arn)


def passes(subscription: Subscription, message: Message) -> bool:
    if not subscription.filter_policy:
        return True
    policy = parse_policy(subscription.filter_policy)
    if subscription.filter_scope == "MessageBody":
        return body_passes(policy, text_for(message, subscription.protocol))
    return attributes_pass(policy, message.attributes)


def text_for(message: Message, protocol: str) -> str:
    if message.by_protocol is None:
        return message.text
    found: str = message.by_protocol.get(protocol, message.by_protocol["default"])
    return found


def to_queue(
    call: Call,
    topic: Topic,
    subscription: Subscription,
    message: Message,
    text: str,
    envelopes: dict[tuple[str, str], dict[str, Any]],
) -> None:
    if subscription.raw:
        entry: dict[str, Any] = {"MessageBody": text}
        if message.attributes:
            entry["MessageAttributes"] = dict(message.attributes)
    else:
        entry = {"MessageBody": envelope(call, topic, subscription, message, text, signatures.QUEUE, envelopes)}
    fifo = subscription.endpoint.endswith(".fifo")
    if message.group_id and (fifo or not topic.fifo):  # a standard queue learns nothing of a FIFO topic's groups
        entry["MessageGroupId"] = message.group_id
    if fifo and message.deduplication_id:
        entry["MessageDeduplicationId"] = message.deduplication_id
    try:
        deliveries.send_to_queue(call, subscription.endpoint, entry)
    except AwsError:
        if subscription.redrive_target:
            deliveries.to_dead_letters(call, subscription.redrive_target, entry)


def to_function(
    call: Call,
    topic: Topic,
    subscription: Subscription,
    message: Message,
    text: str,
    envelopes: dict[tuple[str, str], dict[str, Any]],
) -> None:
    """An event for Lambda, which calls the function with it later ("Using Lambda with Amazon SNS")."""
    body = envelope(call, topic, subscription, message, text, signatures.QUEUE, envelopes)
    told = msgspec.json.decode(body)
    about = {FUNCTION_NAMES.get(name, name): value for name, value in told.items()}
    about = {"Subject": None, "MessageAttributes": {}, **about}
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": about,
    }
    try:
        deliveries.call_function(call, subscription.endpoint, msgspec.json.encode({"Records": [record]}))
    except AwsError:
        if subscription.redrive_target:
            deliveries.to_dead_letters(call, subscription.redrive_target, {"MessageBody": body})


def to_server(
    call: Call,
    topic: Topic,
    subscription: Subscription,
    message: Message,
    text: str,
    envelopes: dict[tuple[str, str], dict[str, Any]],
) -> None:
    body = text
    if not subscription.raw:
        body = envelope(call, topic, subscription, message, text, signatures.HTTP, envelopes)
    deliveries.deliver_later(call, topic, subscription, "Notification", message.message_id, body, raw=subscription.raw)


def envelope(
    call: Call,
    topic: Topic,
    subscription: Subscription,
    message: Message,
    text: str,
    use: str,
    envelopes: dict[tuple[str, str], dict[str, Any]],
) -> str:
    """The JSON document for one subscriber. Only UnsubscribeURL differs between subscribers, and it is not signed."""
    document = envelopes.get((use, text))
    if document is None:
        document = {"Type": "Notification", "MessageId": message.message_id}
        if message.sequence_number:
            document["SequenceNumber"] = message.sequence_number
        document["TopicArn"] = topic.arn
        if message.subject:
            document["Subject"] = message.subject
        document["Message"] = text
        document["Timestamp"] = timestamp(call.now)
        if not topic.fifo:  # "FIFO topics do not support message signing"
            deliveries.signed(call, document, topic.signature_version, use)
        envelopes[(use, text)] = document
    address = f"{deliveries.base_url(call)}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}"
    whole = {**document, "UnsubscribeURL": address}
    if message.attributes:
        whole["MessageAttributes"] = envelope_attributes(message.attributes)
    return render(whole)
