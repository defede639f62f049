"""AddPermission and RemovePermission: statements of the queue's policy, by label."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sqs.api import (
    AddPermissionRequest,
    AddPermissionResult,
    OverLimit,
    RemovePermissionRequest,
    RemovePermissionResult,
)
from cloudlet.emulator.services.sqs.errors import InvalidParameterValue, MissingParameter, invalid_value
from cloudlet.emulator.services.sqs.lookup import queue_of
from cloudlet.emulator.services.sqs.records import QUEUES, Queue

LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")
ACTIONS = (
    "AddPermission",
    "ChangeMessageVisibility",
    "CreateQueue",
    "DeleteMessage",
    "DeleteQueue",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "RemovePermission",
    "SendMessage",
    "SetQueueAttributes",
)
OWNER_ONLY = frozenset({"AddPermission", "CreateQueue", "DeleteQueue", "RemovePermission", "SetQueueAttributes"})
MOST_ACTIONS = 7


@read_write
def add_permission(call: Call, request: AddPermissionRequest) -> AddPermissionResult:
    queue = queue_of(call, request)
    label = request["Label"]
    check_request(request)
    policy = policy_of(queue)
    if any(statement.get("Sid") == label for statement in policy["Statement"]):
        raise invalid_value(label, "Label", "Already exists.")
    principals = [f"arn:{call.partition}:iam::{account}:root" for account in request["AWSAccountIds"]]
    actions = [f"SQS:{action}" for action in request["Actions"]]
    policy["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": principals[0] if len(principals) == 1 else principals},
            "Action": actions[0] if len(actions) == 1 else actions,
            "Resource": queue.arn,
        }
    )
    write_policy(call, queue, policy)
    return {}


def check_request(request: AddPermissionRequest) -> None:
    """Raises InvalidParameterValue, MissingParameter, OverLimit."""
    if LABEL.match(request["Label"]) is None:
        raise invalid_value(
            request["Label"],
            "Label",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
        )
    if not request.get("Actions"):
        raise MissingParameter("The request must contain the parameter Actions.")
    if not request.get("AWSAccountIds"):
        raise InvalidParameterValue("Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.")
    if len(request["Actions"]) > MOST_ACTIONS:
        raise OverLimit(f"{len(request['Actions'])} Actions were found, maximum allowed is {MOST_ACTIONS}.")
    for action in request["Actions"]:
        if action != "*" and (action not in ACTIONS or action in OWNER_ONLY):
            raise invalid_value(
                f"SQS:{action}",
                "ActionName",
                "Only the queue owner is allowed to invoke this action."
                if action in OWNER_ONLY
                else "Please refer to the appropriate WSDL for a list of valid actions. ",
            )


@read_write
def remove_permission(call: Call, request: RemovePermissionRequest) -> RemovePermissionResult:
    queue = queue_of(call, request)
    label = request["Label"]
    policy = policy_of(queue)
    kept = [statement for statement in policy["Statement"] if statement.get("Sid") != label]
    if len(kept) == len(policy["Statement"]):
        raise invalid_value(label, "Label", "can't find label.")
    policy["Statement"] = kept
    write_policy(call, queue, policy)
    return {}


def policy_of(queue: Queue) -> dict[str, Any]:
    """The queue's policy, its statements as a list; an empty one where there is none."""
    text = queue.attributes.get("Policy")
    if text is None:
        return {"Version": "2008-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy", "Statement": []}
    policy: dict[str, Any] = json.loads(text)
    statements = policy.get("Statement", [])
    policy["Statement"] = statements if isinstance(statements, list) else [statements]
    return policy


def write_policy(call: Call, queue: Queue, policy: dict[str, Any]) -> None:
    attributes = {name: value for name, value in queue.attributes.items() if name != "Policy"}
    if policy["Statement"]:
        attributes["Policy"] = json.dumps(policy, separators=(",", ":"))
    QUEUES.put(call.tx, replace(queue, attributes=attributes, modified_seconds=int(call.now)))
