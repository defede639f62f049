"""What a schedule may say. Pure functions; the sentences are AWS's where they are known.

definition = checked_definition(request, now)        # with the defaults that GetSchedule shows
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.eventing.deliveries import MOST_ATTEMPTS, OLDEST_SECONDS
from cloudlet.emulator.eventing.expressions import parse_expression
from cloudlet.emulator.eventing.targets import is_supported
from cloudlet.emulator.eventing.targets.errands import UnknownTarget
from cloudlet.emulator.eventing.targets.universal import reads_only, split_universal
from cloudlet.emulator.services.scheduler.errors import invalid
from cloudlet.emulator.services.scheduler.timers import zone_of

MEMBERS = (
    "ScheduleExpression",
    "StartDate",
    "EndDate",
    "Description",
    "ScheduleExpressionTimezone",
    "State",
    "KmsKeyArn",
    "Target",
    "FlexibleTimeWindow",
    "ActionAfterCompletion",
)
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {"ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "ActionAfterCompletion": "NONE"}
)
EARLIEST_START_SECONDS = 300
# services whose resources a schedule may name; every other one is called by a universal target
TEMPLATED = frozenset(
    {
        "codebuild",
        "codepipeline",
        "ecs",
        "events",
        "firehose",
        "kinesis",
        "lambda",
        "sagemaker",
        "sns",
        "sqs",
        "states",
    }
)
# targets that need parameters of their own
REQUIRED = MappingProxyType(
    {
        "ecs": "EcsParameters",
        "events": "EventBridgeParameters",
        "kinesis": "KinesisParameters",
    }
)


def checked_definition(request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The members that a schedule keeps. Raises ValidationException."""
    definition = {**DEFAULTS, **{name: request[name] for name in MEMBERS if name in request}}
    check_expression(definition)
    check_window(definition["FlexibleTimeWindow"])
    check_dates(definition, now)
    check_target(definition["Target"])
    policy = {"MaximumEventAgeInSeconds": OLDEST_SECONDS, "MaximumRetryAttempts": MOST_ATTEMPTS}
    definition["Target"] = {**definition["Target"], "RetryPolicy": policy | definition["Target"].get("RetryPolicy", {})}
    return definition


def check_expression(definition: Mapping[str, Any]) -> None:
    expression, zone = definition["ScheduleExpression"], definition["ScheduleExpressionTimezone"]
    try:
        parse_expression(expression, strict_units=False)
    except ValueError:
        raise invalid(f"Invalid Schedule Expression {expression}.") from None
    try:
        zone_of(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"Invalid Schedule Expression Timezone {zone}.") from None


def check_window(window: Mapping[str, Any]) -> None:
    minutes = window.get("MaximumWindowInMinutes")
    if window["Mode"] == "FLEXIBLE" and minutes is None:
        raise invalid("MaximumWindowInMinutes must be provided when FlexibleTimeWindow Mode is FLEXIBLE.")
    if window["Mode"] == "OFF" and minutes is not None:
        raise invalid("MaximumWindowInMinutes must not be provided when FlexibleTimeWindow Mode is OFF.")


def check_dates(definition: Mapping[str, Any], now: float) -> None:
    start, end = definition.get("StartDate"), definition.get("EndDate")
    if start is not None and start < now - EARLIEST_START_SECONDS:
        raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end is not None and end < now:
        raise invalid("The EndDate you specify cannot be in the past.")
    if start is not None and end is not None and start >= end:
        raise invalid("The StartDate you specify must come before the EndDate.")


def check_target(target: Mapping[str, Any]) -> None:
    arn = parse_arn(target["Arn"])
    if arn is None or not is_supported(target["Arn"]):
        raise invalid("Provided Arn is not in correct format.")
    if arn.service == "scheduler":
        check_universal(arn.resource, target)
        return
    if not (arn.region and arn.account and arn.service in TEMPLATED):
        raise invalid("Provided Arn is not in correct format.")
    needed = REQUIRED.get(arn.service)
    if needed is not None and needed not in target:
        raise invalid(f"{needed} must be provided for this target.")
    if arn.service == "sqs":
        is_fifo = arn.resource.endswith(".fifo")
        has_group = bool((target.get("SqsParameters") or {}).get("MessageGroupId"))
        if is_fifo and not has_group:
            raise invalid("SqsParameters.MessageGroupId must be provided for FIFO queues.")
    if arn.service == "events" and not is_json_object(target.get("Input")):
        raise invalid("Input must be a valid JSON object for this target.")


def check_universal(resource: str, target: Mapping[str, Any]) -> None:
    try:
        service, operation = split_universal(resource)
    except UnknownTarget:
        raise invalid("Provided Arn is not in correct format.") from None
    if reads_only(operation):
        raise invalid(f"{service}:{operation} is not supported as a target: it only reads.")
    if "Input" in target and not is_json_object(target["Input"]):
        raise invalid("Input must be a valid JSON object for this target.")


def is_json_object(text: str | None) -> bool:
    try:
        return isinstance(json.loads(text or ""), dict)
    except ValueError:
        return False
