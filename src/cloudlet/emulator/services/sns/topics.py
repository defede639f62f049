"""Topics: creating, describing, listing, deleting."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns.api import (
    CreateTopicInput,
    CreateTopicResponse,
    DeleteTopicInput,
    GetTopicAttributesInput,
    GetTopicAttributesResponse,
    ListTopicsInput,
    ListTopicsResponse,
    SetTopicAttributesInput,
)
from cloudlet.emulator.services.sns.errors import invalid, no_such_topic
from cloudlet.emulator.services.sns.lookup import check_arn, decode_token, page, topic_of
from cloudlet.emulator.services.sns.records import (
    DEDUPLICATIONS,
    SEQUENCES,
    SUBSCRIPTIONS,
    TOPICS,
    Topic,
)
from cloudlet.emulator.services.sns.tags import check_tags
from cloudlet.emulator.services.sns.topic_attributes import (
    FIFO_ONLY,
    KNOWN,
    SETTABLE,
    check_value,
    default_policy,
    effective_topic_policy,
)

NAME = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")
FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,251}\.fifo\Z")


@read_write
def create_topic(call: Call, request: CreateTopicInput) -> CreateTopicResponse:
    """The same name, attributes and tags give the same topic. Raises InvalidParameter."""
    name = request["Name"]
    attributes = dict(request.get("Attributes", {}))
    fifo = attributes.get("FifoTopic", "false") == "true"
    check_name(name, fifo)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    arn = f"arn:{call.partition}:sns:{call.region}:{call.account_id}:{name}"
    existing = TOPICS.get(call.tx, arn)
    for attribute, value in attributes.items():
        if attribute not in KNOWN:
            raise invalid(f"Attributes Reason: Unknown attribute: {attribute}")
        check_value(attribute, value, fifo, "Attributes Reason: ")
    if existing is not None:
        if any(existing.tags.get(key) != value for key, value in tags.items()):
            raise invalid("Tags Reason: Topic already exists with different tags")
        shown = {"FifoTopic": "false", **described(existing)}
        if any(shown.get(attribute) != value for attribute, value in attributes.items()):
            raise invalid("Attributes Reason: Topic already exists with different attributes")
        return {"TopicArn": arn}
    check_tags(tags)
    if fifo:
        attributes.setdefault("ContentBasedDeduplication", "false")
    else:
        attributes.pop("FifoTopic", None)
    policy = attributes.pop("DataProtectionPolicy", "") or request.get("DataProtectionPolicy", "")
    topic = Topic(
        arn, call.account_id, call.region, name, fifo, False, False, "1", attributes, tags, call.now, 0, policy
    )
    TOPICS.put(call.tx, derived(topic))
    return {"TopicArn": arn}


def derived(topic: Topic) -> Topic:
    """The topic with the fields that follow from its attributes."""
    attributes = topic.attributes
    return replace(
        topic,
        content_based_deduplication=attributes.get("ContentBasedDeduplication") == "true",
        deduplicates_by_group=attributes.get("FifoThroughputScope") == "MessageGroup",
        signature_version=attributes.get("SignatureVersion", "1"),
    )


def check_name(name: str, fifo: bool) -> None:
    """Raises InvalidParameter."""
    if (FIFO_NAME if fifo else NAME).match(name) is None:
        raise invalid("Topic Name")


@read_only
def get_topic_attributes(call: Call, request: GetTopicAttributesInput) -> GetTopicAttributesResponse:
    """Raises NotFound."""
    topic = topic_of(call, request["TopicArn"])
    confirmed = pending = 0
    for subscription in SUBSCRIPTIONS.scan(call.tx, topic.arn):
        if subscription.confirmed:
            confirmed += 1
        else:
            pending += 1
    found = described(topic)
    found["SubscriptionsConfirmed"] = str(confirmed)
    found["SubscriptionsPending"] = str(pending)
    found["SubscriptionsDeleted"] = str(topic.deleted_subscriptions)
    return {"Attributes": found}


def described(topic: Topic) -> dict[str, str]:
    found = {
        "DisplayName": "",
        "EffectiveDeliveryPolicy": effective_topic_policy(topic.attributes.get("DeliveryPolicy", "")),
        "Owner": topic.account_id,
        "Policy": default_policy(topic.arn, topic.account_id),
        "TopicArn": topic.arn,
    }
    for name, value in topic.attributes.items():
        if value or name == "DisplayName":
            found[name] = value
    if topic.fifo:
        found["FifoTopic"] = "true"
        found.setdefault("FifoThroughputScope", "Topic")
    return found


@read_write
def set_topic_attributes(call: Call, request: SetTopicAttributesInput) -> dict[str, Any]:
    """Raises InvalidParameter, NotFound."""
    name = request["AttributeName"]
    value = request.get("AttributeValue", "")
    if name not in SETTABLE and name not in FIFO_ONLY:
        raise invalid("AttributeName")
    topic = topic_of(call, request["TopicArn"])
    check_value(name, value, topic.fifo, "")
    if name == "DataProtectionPolicy":
        TOPICS.put(call.tx, replace(topic, data_protection_policy=value))
        return {}
    attributes = {**topic.attributes, name: value}
    if not value and name != "DisplayName":
        del attributes[name]
    TOPICS.put(call.tx, derived(replace(topic, attributes=attributes)))
    return {}


@read_write
def delete_topic(call: Call, request: DeleteTopicInput) -> dict[str, Any]:
    """Deletes its subscriptions too. Deleting what is not there succeeds. Raises InvalidParameter."""
    arn = request["TopicArn"]
    if len(check_arn(arn, "TopicArn")) != 6:
        raise no_such_topic()
    TOPICS.delete(call.tx, arn)
    for subscription in list(SUBSCRIPTIONS.scan(call.tx, arn)):
        SUBSCRIPTIONS.delete(call.tx, arn, subscription.subscription_id)
    for entry in list(DEDUPLICATIONS.scan(call.tx, arn)):
        DEDUPLICATIONS.delete(call.tx, arn, entry.scope, entry.deduplication_id)
    SEQUENCES.delete(call.tx, arn)
    return {}


@read_only
def list_topics(call: Call, request: ListTopicsInput) -> ListTopicsResponse:
    """100 a page, by ARN."""
    token = request.get("NextToken")
    after = (decode_token(token),) if token else None
    own = f"arn:{call.partition}:sns:{call.region}:{call.account_id}:"
    found, rest = page(TOPICS.scan(call.tx, starts_with=own, after=after), lambda topic: topic.arn)
    return {"Topics": [{"TopicArn": topic.arn} for topic in found], **rest}  # type: ignore[typeddict-item]
