"""Topic attributes: which exist, what they may hold, and their defaults. Pure functions.

Source: CreateTopic and SetTopicAttributes in the Amazon SNS API Reference, and the error texts of the service.
"""

from __future__ import annotations

import json
from typing import Any

from cloudlet.emulator.services.sns.delivery_policies import DEFAULT_POLICY, check_delivery_policy
from cloudlet.emulator.services.sns.errors import invalid

FEEDBACK = frozenset(
    f"{target}{kind}"
    for target in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
    for kind in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
)
SETTABLE = (
    frozenset(
        {
            "ArchivePolicy",
            "DataProtectionPolicy",
            "DeliveryPolicy",
            "DisplayName",
            "KmsMasterKeyId",
            "Policy",
            "SignatureVersion",
            "TracingConfig",
        }
    )
    | FEEDBACK
)
FIFO_ONLY = frozenset({"ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope"})
KNOWN = SETTABLE | FIFO_ONLY | {"FifoTopic"}
CHOICES = (
    ("ContentBasedDeduplication", ("true", "false")),
    ("FifoTopic", ("true", "false")),
    ("FifoThroughputScope", ("Topic", "MessageGroup")),
    ("SignatureVersion", ("1", "2")),
    ("TracingConfig", ("PassThrough", "Active")),
)
LONGEST_DISPLAY_NAME = 100
ACTIONS = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
)


def check_value(name: str, value: str, fifo: bool, what: str) -> None:
    """One attribute's value. `what` begins the sentence. Raises InvalidParameter."""
    for choice, allowed in CHOICES:
        if name == choice and value not in allowed:
            raise invalid(f"{what}{name} Reason: Invalid value [{value}]. Must be one of {', '.join(allowed)}.")
    if name in FIFO_ONLY and not fifo:
        raise invalid(f"{what}{name} Reason: attribute can only be set on FIFO topics")
    if name == "DisplayName" and len(value) > LONGEST_DISPLAY_NAME:
        raise invalid(f"{what}DisplayName Reason: Display name must be {LONGEST_DISPLAY_NAME} characters or fewer")
    if name in ("Policy", "ArchivePolicy", "DataProtectionPolicy") and value:
        check_json(name, value, what)
    if name == "DeliveryPolicy" and value:
        check_delivery_policy(value, "DeliveryPolicy")
    if name.endswith("SampleRate") and not (value.isdigit() and 0 <= int(value) <= 100):
        raise invalid(f"{what}{name} Reason: Invalid value [{value}]. Must be between 0 and 100.")


def check_json(name: str, value: str, what: str) -> None:
    try:
        document = json.loads(value)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        reason = "Policy Error: null" if name == "Policy" else f"{name}: failed to parse JSON"
        raise invalid(reason if name == "Policy" else f"{what}{reason}")


def default_policy(arn: str, account_id: str) -> str:
    return json.dumps(
        {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [f"SNS:{action}" for action in ACTIONS],
                    "Resource": arn,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": account_id}},
                }
            ],
        },
        separators=(",", ":"),
    )


def effective_topic_policy(text: str) -> str:
    """The delivery policy with AWS's defaults for what it does not say."""
    given: dict[str, Any] = json.loads(text) if text else {}
    http = given.get("http", given) or {}
    default = DEFAULT_POLICY["http"]
    merged: dict[str, Any] = {
        "defaultHealthyRetryPolicy": {
            **default["defaultHealthyRetryPolicy"],
            **(http.get("defaultHealthyRetryPolicy") or {}),
        },
        "disableSubscriptionOverrides": http.get("disableSubscriptionOverrides", False),
        "defaultRequestPolicy": {**default["defaultRequestPolicy"], **(http.get("defaultRequestPolicy") or {})},
    }
    if http.get("defaultThrottlePolicy"):
        merged["defaultThrottlePolicy"] = http["defaultThrottlePolicy"]
    return json.dumps({"http": merged}, separators=(",", ":"))
