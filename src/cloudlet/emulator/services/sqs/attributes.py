"""Queue attributes: which exist, what they may hold, and their defaults. Pure functions.

Source: SetQueueAttributes and GetQueueAttributes in the Amazon SQS API Reference, and the error texts of the service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.services.sqs.api import InvalidAttributeName, InvalidAttributeValue
from cloudlet.emulator.services.sqs.errors import InvalidParameterValue, invalid_value
from cloudlet.emulator.services.sqs.urls import QueueAddress, parse_queue_arn

LARGEST_MESSAGE = 1_048_576  # bytes; 262,144 before August 2025
LONGEST_VISIBILITY = 43_200  # seconds
LONGEST_DELAY = 900  # seconds
LONGEST_WAIT = 20  # seconds
LARGEST_RECEIVE_COUNT = 1000

RANGES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "DelaySeconds": (0, LONGEST_DELAY),
        "KmsDataKeyReusePeriodSeconds": (60, 86_400),
        "MaximumMessageSize": (1024, LARGEST_MESSAGE),
        "MessageRetentionPeriod": (60, 1_209_600),
        "ReceiveMessageWaitTimeSeconds": (0, LONGEST_WAIT),
        "VisibilityTimeout": (0, LONGEST_VISIBILITY),
    }
)
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "DelaySeconds": "0",
        "MaximumMessageSize": str(LARGEST_MESSAGE),
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "VisibilityTimeout": "30",
        "SqsManagedSseEnabled": "true",
    }
)
FIFO_DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "queue",
        "FifoQueue": "true",
        "FifoThroughputLimit": "perQueue",
    }
)
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ContentBasedDeduplication": ("true", "false"),
        "DeduplicationScope": ("messageGroup", "queue"),
        "FifoQueue": ("true", "false"),
        "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
        "SqsManagedSseEnabled": ("true", "false"),
    }
)
FIFO_ONLY = frozenset(FIFO_DEFAULTS)
DOCUMENTS = frozenset({"Policy", "RedriveAllowPolicy", "RedrivePolicy"})
REMOVED_WHEN_EMPTY = DOCUMENTS | {"KmsMasterKeyId"}
COMPUTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
SETTABLE = frozenset(RANGES) | frozenset(CHOICES) | REMOVED_WHEN_EMPTY
READABLE = SETTABLE | frozenset(COMPUTED)

STANDARD_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")
FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo\Z")
FIFO_SUFFIX = ".fifo"


def check_queue_name(name: str, fifo: bool) -> None:
    """Raises InvalidParameterValue."""
    if fifo and FIFO_NAME.match(name) is None:
        raise InvalidParameterValue(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
            "must end with .fifo suffix and be 1 to 80 in length."
        )
    if not fifo and STANDARD_NAME.match(name) is None:
        raise InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def checked_attributes(given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """The attributes as they are kept; an empty value stands for removal. Raises InvalidAttributeName and -Value."""
    checked: dict[str, str] = {}
    for name, value in given.items():
        if name not in SETTABLE or (name in FIFO_ONLY and not fifo):
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
        checked[name] = value if name in REMOVED_WHEN_EMPTY and not value else checked_value(name, value)
    if checked.get("KmsMasterKeyId") and checked.get("SqsManagedSseEnabled") == "true":
        raise InvalidAttributeName(
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
        )
    return checked


def checked_value(name: str, value: str) -> str:
    valid = True
    if name in RANGES:
        least, most = RANGES[name]
        valid = value.isascii() and value.isdigit() and least <= int(value) <= most
    elif name in CHOICES:
        value = value.lower() if CHOICES[name] == ("true", "false") else value
        valid = value in CHOICES[name]
    elif name == "Policy":
        valid = isinstance(parsed_json(value), dict)
    if not valid:
        raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")
    return value


def check_throughput(attributes: Mapping[str, str]) -> None:
    """High throughput needs deduplication by message group. Raises InvalidAttributeValue."""
    if attributes.get("FifoThroughputLimit") == "perMessageGroupId" and (
        attributes.get("DeduplicationScope", "queue") != "messageGroup"
    ):
        raise InvalidAttributeValue(
            "The perMessageGroupId value for FifoThroughputLimit attribute is allowed only when "
            "the value for DeduplicationScope is messageGroup."
        )


def parsed_json(text: str) -> Any:
    """The document; None for what is no JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def same_value(name: str, left: str, right: str) -> bool:
    """Whether two values of an attribute mean the same; documents compare as JSON."""
    return left == right or (name in DOCUMENTS and bool(left and right) and parsed_json(left) == parsed_json(right))


def read_redrive_policy(policy: str) -> tuple[QueueAddress, int]:
    """The dead-letter queue's address and the receive count. Raises InvalidParameterValue."""
    document = parsed_json(policy)
    if not isinstance(document, dict):
        raise invalid_value(policy, "RedrivePolicy", "Redrive policy is not a valid JSON map.")
    for attribute in ("maxReceiveCount", "deadLetterTargetArn"):
        if attribute not in document:
            raise invalid_value(
                policy, "RedrivePolicy", f"Redrive policy does not contain mandatory attribute: {attribute}."
            )
    for attribute in document:
        if attribute not in ("maxReceiveCount", "deadLetterTargetArn"):
            raise invalid_value(
                policy,
                "RedrivePolicy",
                "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].",
            )
    count = document["maxReceiveCount"]
    number = int(count) if isinstance(count, int) or (isinstance(count, str) and count.isdigit()) else 0
    if isinstance(count, bool) or not 1 <= number <= LARGEST_RECEIVE_COUNT:
        raise invalid_value(
            policy,
            "RedrivePolicy",
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive.",
        )
    target = document["deadLetterTargetArn"]
    address = parse_queue_arn(target) if isinstance(target, str) else None
    if address is None:
        raise invalid_value(policy, "RedrivePolicy", f"Invalid value for deadLetterTargetArn: {target}.")
    return address, number


def check_redrive_allow_policy(policy: str) -> None:
    """Raises InvalidParameterValue."""
    document = parsed_json(policy)
    if not isinstance(document, dict):
        raise invalid_value(policy, "RedriveAllowPolicy", "Redrive allow policy is not a valid JSON map.")
    permission = document.get("redrivePermission")
    if permission is None:
        raise invalid_value(
            policy,
            "RedriveAllowPolicy",
            "Redrive allow policy does not contain mandatory attribute: redrivePermission.",
        )
    sources = document.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise invalid_value(
            policy,
            "RedriveAllowPolicy",
            "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.",
        )
    if permission == "byQueue" and (not isinstance(sources, list) or not 1 <= len(sources) <= 10):
        raise invalid_value(
            policy,
            "RedriveAllowPolicy",
            "Amazon SQS can't create the redrive allow policy. When you specify the byQueue permission type, "
            "you must specify one or more (up to 10) sourceQueueArns values.",
        )
    if permission != "byQueue" and sources is not None:
        raise invalid_value(
            policy,
            "RedriveAllowPolicy",
            "Amazon SQS can't create the redrive allow policy. The sourceQueueArns parameter can only be used "
            "with the byQueue permission type.",
        )


def redrive_is_allowed(policy: str | None, source_arn: str) -> bool:
    """Whether a queue with this RedriveAllowPolicy takes dead letters of the queue `source_arn`."""
    document = parsed_json(policy) if policy else None
    if not isinstance(document, dict):
        return True
    permission = document.get("redrivePermission", "allowAll")
    return permission == "allowAll" or (permission == "byQueue" and source_arn in document.get("sourceQueueArns", ()))
