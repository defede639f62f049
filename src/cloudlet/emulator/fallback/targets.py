"""EventBridge's targets that moto's events do not reach: those of native services, and of other services of moto.

What a target gets (EventBridge User Guide, "Input transformation"): `Input` as it is, the part that `InputPath` names,
what `InputTransformer` makes, else the whole event.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cloudlet.emulator.kernel.errors import AwsError

LOG = logging.getLogger("cloudlet.fallback")
Invoke = Callable[[str, str, str, str, dict[str, Any]], Any]
Transform = Callable[[dict[str, Any], dict[str, Any]], Any]


class Arn(NamedTuple):
    service: str
    region: str
    account: str
    resource: str


def parse_arn(text: str) -> Arn:
    parts = [*text.split(":", 5), "", "", "", "", ""]
    return Arn(parts[2], parts[3], parts[4], parts[5])


def to_sqs(arn: Arn, target: dict[str, Any], message: str) -> tuple[str, dict[str, Any]]:
    request = {"QueueUrl": f"/{arn.account}/{arn.resource}", "MessageBody": message}
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    return "SendMessage", {**request, "MessageGroupId": group} if group else request


def to_sns(arn: Arn, target: dict[str, Any], message: str) -> tuple[str, dict[str, Any]]:
    return "Publish", {"TopicArn": target["Arn"], "Message": message}


def to_lambda(arn: Arn, target: dict[str, Any], message: str) -> tuple[str, dict[str, Any]]:
    return "Invoke", {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": message.encode()}


def to_firehose(arn: Arn, target: dict[str, Any], message: str) -> tuple[str, dict[str, Any]]:
    name = arn.resource.rpartition("/")[2]
    return "PutRecord", {"DeliveryStreamName": name, "Record": {"Data": message.encode()}}


def to_kinesis(arn: Arn, target: dict[str, Any], message: str) -> tuple[str, dict[str, Any]]:
    name = arn.resource.rpartition("/")[2]
    return "PutRecord", {"StreamName": name, "PartitionKey": target["Id"], "Data": message.encode()}


def to_states(arn: Arn, target: dict[str, Any], message: str) -> tuple[str, dict[str, Any]]:
    return "StartExecution", {"stateMachineArn": target["Arn"], "input": message}


# the service in the target's ARN -> (botocore's name, what to call)
TARGETS: Mapping[str, tuple[str, Callable[..., tuple[str, dict[str, Any]]]]] = MappingProxyType(
    {
        "sqs": ("sqs", to_sqs),
        "sns": ("sns", to_sns),
        "lambda": ("lambda", to_lambda),
        "firehose": ("firehose", to_firehose),
        "kinesis": ("kinesis", to_kinesis),
        "states": ("stepfunctions", to_states),
    }
)


def is_ours(target: dict[str, Any]) -> bool:
    return parse_arn(target["Arn"]).service in TARGETS


def deliver(target: dict[str, Any], event: dict[str, Any], transform: Transform, invoke: Invoke) -> None:
    """Send the event to one target. A target that fails is logged: PutEvents has succeeded by then, as on AWS."""
    arn = parse_arn(target["Arn"])
    service, request_of = TARGETS[arn.service]
    operation, request = request_of(arn, target, target_input(target, event, transform))
    try:
        invoke(arn.account, arn.region, service, operation, request)
    except AwsError as error:
        LOG.warning("EventBridge could not deliver to %s: %s: %s", target["Arn"], error.code, error.message)


def target_input(target: dict[str, Any], event: dict[str, Any], transform: Transform) -> str:
    """The text that the target gets."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        value: Any = event
        for part in target["InputPath"].removeprefix("$").strip(".").split("."):
            value = value.get(part) if part and isinstance(value, dict) else value
        return json.dumps(value)
    if "InputTransformer" in target:
        made = transform(target["InputTransformer"], event)
        return made if isinstance(made, str) else json.dumps(made)
    return json.dumps(event)
