"""Finding what a request is about by its ARN."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TypeVar

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sns.errors import invalid, no_such_subscription, no_such_topic
from cloudlet.emulator.services.sns.records import SUBSCRIPTIONS, TOPICS, Subscription, Topic

PAGE = 100
T = TypeVar("T")


def check_arn(arn: str, parameter: str) -> list[str]:
    """The parts of an ARN. Raises InvalidParameter."""
    parts = arn.split(":")
    if len(parts) < 6:
        raise invalid(f"{parameter} Reason: An ARN must have at least 6 elements, not {len(parts)}")
    return parts


def topic_of(call: Call, arn: str, parameter: str = "TopicArn") -> Topic:
    """Raises InvalidParameter for what is no topic's ARN in this region, NotFound."""
    topic = TOPICS.get(call.tx, arn)
    if topic is not None and topic.region == call.region:
        return topic
    parts = check_arn(arn, parameter)
    if parts[2] != "sns" or len(parts) != 6 or not parts[4] or not parts[5] or parts[3] != call.region:
        raise invalid(parameter)
    raise no_such_topic()


def subscription_of(call: Call, arn: str) -> Subscription:
    """Raises InvalidParameter, NotFound."""
    parts = check_arn(arn, "SubscriptionArn")
    if len(parts) != 7:
        raise invalid(f"SubscriptionArn Reason: An ARN must have at least 7 elements, not {len(parts)}")
    found = SUBSCRIPTIONS.get(call.tx, arn.rpartition(":")[0], parts[6])
    if found is None:
        raise no_such_subscription()
    return found


def encode_token(position: str) -> str:
    return urlsafe_b64encode(position.encode()).decode()


def decode_token(token: str) -> str:
    """Raises InvalidParameter."""
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise invalid("NextToken Reason: not a valid token") from None


def page(records: Iterator[T], position: Callable[[T], str], size: int = PAGE) -> tuple[list[T], dict[str, Any]]:
    """The first records, and the answer's NextToken where there are more."""
    found = list(islice(records, size + 1))
    if len(found) <= size:
        return found, {}
    return found[:size], {"NextToken": encode_token(position(found[size - 1]))}
