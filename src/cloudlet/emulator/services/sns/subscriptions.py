"""Subscriptions: making, confirming, describing, listing and ending them."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns import deliveries
from cloudlet.emulator.services.sns.api import (
    AuthorizationErrorException,
    ConfirmSubscriptionInput,
    ConfirmSubscriptionResponse,
    GetSubscriptionAttributesInput,
    GetSubscriptionAttributesResponse,
    ListSubscriptionsByTopicInput,
    ListSubscriptionsByTopicResponse,
    ListSubscriptionsInput,
    ListSubscriptionsResponse,
    SetSubscriptionAttributesInput,
    SubscribeInput,
    SubscribeResponse,
    UnsubscribeInput,
)
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.lookup import check_arn, decode_token, page, subscription_of, topic_of
from cloudlet.emulator.services.sns.records import SUBSCRIPTIONS, TOPICS, Subscription, Topic
from cloudlet.emulator.services.sns.subscription_attributes import KNOWN, check_attribute, derived, described
from cloudlet.emulator.services.sns.subscription_endpoints import CONFIRMED_BY_HAND, check_endpoint

IN_ATTRIBUTES = "Attributes Reason: "
SUBSCRIPTION_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


@read_write
def subscribe(call: Call, request: SubscribeInput) -> SubscribeResponse:
    """The same topic, protocol and endpoint give the same subscription. Raises InvalidParameter, NotFound."""
    protocol = request["Protocol"]
    endpoint = request.get("Endpoint", "")
    topic = topic_of(call, request["TopicArn"])
    check_endpoint(protocol, endpoint, topic.fifo)
    attributes = dict(request.get("Attributes", {}))
    for name, value in attributes.items():
        if name not in KNOWN:
            raise invalid(f"{IN_ATTRIBUTES}Unknown attribute: {name}")
        check_attribute(name, value, attributes, protocol, IN_ATTRIBUTES)
    existing = SUBSCRIPTIONS.find(call.tx, "by_endpoint", topic.arn, protocol, endpoint)
    if existing is not None:
        return subscribed_before(call, request, topic, existing, attributes)
    confirmed = protocol not in CONFIRMED_BY_HAND
    subscription = derived(
        Subscription(
            topic.arn,
            call.ids.uuid(),
            protocol,
            endpoint,
            call.account_id,
            confirmed,
            False,
            "",
            "",
            "",
            {name: value for name, value in attributes.items() if value},
            "" if confirmed else call.ids.hex(64),
        )
    )
    SUBSCRIPTIONS.put(call.tx, subscription)
    if not confirmed:
        deliveries.ask_for_confirmation(call, topic, subscription)
    return answer(request, subscription)


def subscribed_before(
    call: Call, request: SubscribeInput, topic: Topic, existing: Subscription, attributes: dict[str, str]
) -> SubscribeResponse:
    if attributes:
        shown = {"FilterPolicyScope": existing.filter_scope, **described(existing, topic, "")}
        if any(shown.get(name, "") != value for name, value in attributes.items()):
            raise invalid("Attributes Reason: Subscription already exists with different attributes")
    if not existing.confirmed:
        deliveries.ask_for_confirmation(call, topic, existing)
    return answer(request, existing)


def answer(request: SubscribeInput, subscription: Subscription) -> SubscribeResponse:
    if subscription.confirmed or request.get("ReturnSubscriptionArn"):
        return {"SubscriptionArn": subscription.arn}
    return {"SubscriptionArn": "pending confirmation"}


@read_write
def confirm_subscription(call: Call, request: ConfirmSubscriptionInput) -> ConfirmSubscriptionResponse:
    """Anybody who has the token may, and again. Raises InvalidParameter, NotFound."""
    arn = request["TopicArn"]
    check_arn(arn, "TopicArn")
    token = request["Token"]
    for subscription in SUBSCRIPTIONS.scan(call.tx, arn):
        if subscription.token and subscription.token == token:
            if not subscription.confirmed:
                protected = request.get("AuthenticateOnUnsubscribe", "").lower() == "true"
                signed = call.principal.kind != "anonymous"
                SUBSCRIPTIONS.put(
                    call.tx,
                    replace(
                        subscription,
                        confirmed=True,
                        authenticated=signed,
                        unsubscribe_authenticated=protected and signed,
                    ),
                )
            return {"SubscriptionArn": subscription.arn}
    raise invalid("Token")


@read_write
def unsubscribe(call: Call, request: UnsubscribeInput) -> dict[str, Any]:
    """Ending what is not there succeeds. Raises InvalidParameter, AuthorizationError."""
    arn = request["SubscriptionArn"]
    parts = check_arn(arn, "SubscriptionArn")
    if len(parts) != 7 or SUBSCRIPTION_ID.match(parts[6]) is None:
        raise (
            invalid(f"SubscriptionArn Reason: An ARN must have at least 7 elements, not {len(parts)}")
            if len(parts) < 7
            else invalid("SubscriptionId")
        )
    topic_arn = arn.rpartition(":")[0]
    subscription = SUBSCRIPTIONS.get(call.tx, topic_arn, parts[6])
    if subscription is None:
        return {}
    if subscription.unsubscribe_authenticated and call.principal.kind == "anonymous":
        raise AuthorizationErrorException("Only the subscription's owner and the topic's owner may unsubscribe.")
    if not subscription.confirmed:
        raise invalid("This operation is not supported for pending confirmation subscriptions")
    SUBSCRIPTIONS.delete(call.tx, topic_arn, parts[6])
    topic = TOPICS.get(call.tx, topic_arn)
    if topic is not None:
        TOPICS.put(call.tx, replace(topic, deleted_subscriptions=topic.deleted_subscriptions + 1))
        deliveries.tell_of_the_end(call, topic, replace(subscription, token=subscription.token or call.ids.hex(64)))
    return {}


@read_only
def get_subscription_attributes(
    call: Call, request: GetSubscriptionAttributesInput
) -> GetSubscriptionAttributesResponse:
    """Raises InvalidParameter, NotFound."""
    subscription = subscription_of(call, request["SubscriptionArn"])
    topic = TOPICS.get(call.tx, subscription.topic_arn)
    return {"Attributes": described(subscription, topic, call.principal.arn)}


@read_write
def set_subscription_attributes(call: Call, request: SetSubscriptionAttributesInput) -> dict[str, Any]:
    """Raises InvalidParameter, NotFound, FilterPolicyLimitExceeded."""
    subscription = subscription_of(call, request["SubscriptionArn"])
    name = request["AttributeName"]
    value = request.get("AttributeValue", "")
    if name not in KNOWN:
        raise invalid("AttributeName")
    check_attribute(name, value, subscription.attributes, subscription.protocol, "")
    attributes = {**subscription.attributes, name: value}
    if not value or (name == "FilterPolicy" and value == "{}"):
        del attributes[name]
    SUBSCRIPTIONS.put(call.tx, derived(replace(subscription, attributes=attributes)))
    return {}


@read_only
def list_subscriptions(call: Call, request: ListSubscriptionsInput) -> ListSubscriptionsResponse:
    """100 a page."""
    own = f"arn:{call.partition}:sns:{call.region}:{call.account_id}:"
    records = SUBSCRIPTIONS.scan(call.tx, starts_with=own, after=after_token(request.get("NextToken")))
    found, rest = page(records, lambda record: record.arn)
    return {"Subscriptions": [listed(record) for record in found], **rest}  # type: ignore[typeddict-item]


@read_only
def list_subscriptions_by_topic(call: Call, request: ListSubscriptionsByTopicInput) -> ListSubscriptionsByTopicResponse:
    """100 a page. Raises NotFound."""
    topic = topic_of(call, request["TopicArn"])
    after = after_token(request.get("NextToken"))
    records = SUBSCRIPTIONS.scan(call.tx, topic.arn, after=None if after is None else after[1:])
    found, rest = page(records, lambda record: record.arn)
    return {"Subscriptions": [listed(record) for record in found], **rest}  # type: ignore[typeddict-item]


def after_token(token: str | None) -> tuple[str, str] | None:
    if not token:
        return None
    topic_arn, _, subscription_id = decode_token(token).rpartition(":")
    return topic_arn, subscription_id


def listed(subscription: Subscription) -> Any:
    return {
        "SubscriptionArn": subscription.arn if subscription.confirmed else "PendingConfirmation",
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic_arn,
    }
