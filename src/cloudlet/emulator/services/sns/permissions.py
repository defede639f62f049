"""AddPermission and RemovePermission: statements of the topic's policy, by label."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sns.api import AddPermissionInput, RemovePermissionInput
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.lookup import topic_of
from cloudlet.emulator.services.sns.records import TOPICS, Topic
from cloudlet.emulator.services.sns.topic_attributes import ACTIONS, default_policy


@read_write
def add_permission(call: Call, request: AddPermissionInput) -> dict[str, Any]:
    """Raises InvalidParameter, NotFound."""
    topic = topic_of(call, request["TopicArn"])
    policy = policy_of(topic)
    label = request["Label"]
    if any(statement.get("Sid") == label for statement in policy["Statement"]):
        raise invalid("Statement already exists")
    for action in request["ActionName"]:
        if action != "*" and action not in ACTIONS:
            raise invalid("Policy statement action out of service scope!")
    principals = [f"arn:{call.partition}:iam::{account}:root" for account in request["AWSAccountId"]]
    actions = [f"SNS:{action}" for action in request["ActionName"]]
    policy["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
            "Action": actions[0] if len(actions) == 1 else actions,
            "Resource": topic.arn,
        }
    )
    write_policy(call, topic, policy)
    return {}


@read_write
def remove_permission(call: Call, request: RemovePermissionInput) -> dict[str, Any]:
    """Removing a label that is not there succeeds. Raises NotFound."""
    topic = topic_of(call, request["TopicArn"])
    policy = policy_of(topic)
    policy["Statement"] = [s for s in policy["Statement"] if s.get("Sid") != request["Label"]]
    write_policy(call, topic, policy)
    return {}


def policy_of(topic: Topic) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(topic.attributes.get("Policy") or default_policy(topic.arn, topic.account_id))
    statements = policy.get("Statement", [])
    policy["Statement"] = statements if isinstance(statements, list) else [statements]
    return policy


def write_policy(call: Call, topic: Topic, policy: dict[str, Any]) -> None:
    attributes = {**topic.attributes, "Policy": json.dumps(policy, separators=(",", ":"))}
    TOPICS.put(call.tx, replace(topic, attributes=attributes))
