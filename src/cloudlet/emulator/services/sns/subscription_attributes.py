"""Subscription attributes: which exist and what they may hold. Pure functions.

Source: Subscribe and SetSubscriptionAttributes in the Amazon SNS API Reference, and the error texts of the service.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.services.sns.delivery_policies import check_delivery_policy, effective_subscription_policy
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.filter_checks import check_policy
from cloudlet.emulator.services.sns.records import Subscription, Topic

KNOWN = frozenset(
    {
        "DeliveryPolicy",
        "FilterPolicy",
        "FilterPolicyScope",
        "RawMessageDelivery",
        "RedrivePolicy",
        "ReplayPolicy",
        "SubscriptionRoleArn",
    }
)
SCOPES = ("MessageAttributes", "MessageBody")
RAW_PROTOCOLS = frozenset({"sqs", "http", "https", "firehose"})


def check_attribute(name: str, value: str, attributes: dict[str, str], protocol: str, what: str) -> None:
    """One attribute, with the others that it depends on. Raises InvalidParameter, FilterPolicyLimitExceeded."""
    if name == "RawMessageDelivery":
        if value.lower() not in ("true", "false"):
            raise invalid(f"{what}RawMessageDelivery: Invalid value [{value}]. Must be true or false.")
        if value.lower() == "true" and protocol not in RAW_PROTOCOLS:
            raise invalid(
                f"{what}RawMessageDelivery: Delivery protocol [{protocol}] does not support raw message delivery."
            )
    elif name == "FilterPolicyScope":
        if value not in SCOPES:
            raise invalid(
                f"{what}FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"
            )
    elif name == "FilterPolicy":
        if value:
            check_policy(value, attributes.get("FilterPolicyScope", "MessageAttributes"), what)
    elif name == "RedrivePolicy":
        if value:
            check_redrive(value, what)
    elif name == "DeliveryPolicy":
        if value:
            check_delivery_policy(value, f"{what}DeliveryPolicy")
    elif name == "SubscriptionRoleArn" and not value.startswith("arn:"):
        raise invalid(f"{what}SubscriptionRoleArn: Invalid value [{value}]. Must be an ARN.")


def check_redrive(text: str, what: str) -> str:
    """The dead-letter queue's ARN. Raises InvalidParameter."""
    try:
        policy = json.loads(text)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise invalid(f"{what}RedrivePolicy: failed to parse JSON.")
    target = policy.get("deadLetterTargetArn")
    if not isinstance(target, str) or len(target.split(":")) != 6 or target.split(":")[2] != "sqs":
        raise invalid(f"{what}RedrivePolicy: deadLetterTargetArn is an invalid arn")
    return target


def derived(subscription: Subscription) -> Subscription:
    """The subscription with the fields that follow from its attributes."""
    attributes = subscription.attributes
    redrive = attributes.get("RedrivePolicy")
    return replace(
        subscription,
        raw=attributes.get("RawMessageDelivery", "false").lower() == "true",
        filter_policy=attributes.get("FilterPolicy", ""),
        filter_scope=attributes.get("FilterPolicyScope", "MessageAttributes"),
        redrive_target=json.loads(redrive)["deadLetterTargetArn"] if redrive else "",
    )


def described(subscription: Subscription, topic: Topic | None, principal: str) -> dict[str, str]:
    attributes = subscription.attributes
    found = {
        "ConfirmationWasAuthenticated": text_of(subscription.authenticated),
        "Endpoint": subscription.endpoint,
        "Owner": subscription.owner,
        "PendingConfirmation": text_of(not subscription.confirmed),
        "Protocol": subscription.protocol,
        "RawMessageDelivery": text_of(subscription.raw),
        "SubscriptionArn": subscription.arn,
        "SubscriptionPrincipal": principal,
        "TopicArn": subscription.topic_arn,
    }
    for name in ("DeliveryPolicy", "RedrivePolicy", "ReplayPolicy", "SubscriptionRoleArn"):
        if attributes.get(name):
            found[name] = attributes[name]
    if subscription.filter_policy:
        found["FilterPolicy"] = subscription.filter_policy
        found["FilterPolicyScope"] = subscription.filter_scope
    if subscription.protocol in ("http", "https"):
        topic_policy = topic.attributes.get("DeliveryPolicy", "") if topic is not None else ""
        effective: dict[str, Any] = effective_subscription_policy(topic_policy, attributes.get("DeliveryPolicy", ""))
        found["EffectiveDeliveryPolicy"] = json.dumps(effective, separators=(",", ":"))
    return found


def text_of(flag: bool) -> str:
    return "true" if flag else "false"
