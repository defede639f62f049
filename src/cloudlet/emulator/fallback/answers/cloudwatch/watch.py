"""Evaluates alarms, and tells those who want to know.

An alarm is evaluated when data arrive, when it is made or changed, and when somebody looks.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Asked
from cloudlet.emulator.fallback.answers.cloudwatch.states import (
    ALARM,
    OK,
    UNKNOWN,
    Alarm,
    Change,
    alarms_of,
    changed,
    note,
    period_of,
    stamp,
)
from cloudlet.emulator.kernel.errors import AwsError

LOG = logging.getLogger("cloudlet.fallback")
ACTIONS: Mapping[str, str] = MappingProxyType(
    {ALARM: "AlarmActions", OK: "OKActions", UNKNOWN: "InsufficientDataActions"}
)
REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "us-east-1": "US East (N. Virginia)",
        "us-east-2": "US East (Ohio)",
        "us-west-1": "US West (N. California)",
        "us-west-2": "US West (Oregon)",
        "eu-west-1": "EU (Ireland)",
        "eu-west-2": "EU (London)",
        "eu-west-3": "EU (Paris)",
        "eu-central-1": "EU (Frankfurt)",
        "eu-north-1": "EU (Stockholm)",
        "ap-southeast-1": "Asia Pacific (Singapore)",
        "ap-southeast-2": "Asia Pacific (Sydney)",
        "ap-northeast-1": "Asia Pacific (Tokyo)",
        "ap-northeast-2": "Asia Pacific (Seoul)",
        "ap-south-1": "Asia Pacific (Mumbai)",
        "sa-east-1": "South America (Sao Paulo)",
        "ca-central-1": "Canada (Central)",
    }
)


def evaluate_all(asked: Asked, arrived: frozenset[tuple[str, str]] = frozenset()) -> None:
    """Bring every alarm up to date, and tell those who want to know. `arrived`: (namespace, name) of new data."""
    with asked.state() as backend:
        for alarm in alarms_of(backend).values():
            if (alarm.get("Namespace"), alarm.get("MetricName")) in arrived:
                alarm.pop("held_until", None)
        changes = list(changed(backend, asked.call.now))
    tell(asked, changes)


def tell(asked: Asked, changes: list[Change]) -> None:
    """Carry out the actions of alarms that changed. One that fails is logged, and noted in the alarm's history."""
    for alarm, before in changes:
        if not alarm.get("ActionsEnabled", True):
            continue
        for action in alarm.get(ACTIONS[alarm["StateValue"]], ()):
            try:
                act(asked, alarm, before, action)
            except AwsError as error:
                LOG.warning("the action %s of the alarm %s failed: %s", action, alarm["AlarmName"], error.message)
                note(
                    alarm,
                    "Action",
                    f"Failed to execute action {action}",
                    json.dumps({"error": error.message}),
                    asked.call.now,
                )
            else:
                note(alarm, "Action", f"Successfully executed action {action}", "{}", asked.call.now)


def act(asked: Asked, alarm: Alarm, before: str, action: str) -> None:
    kind = action.split(":")[2] if action.count(":") >= 2 else ""
    if kind == "sns":
        region = REGIONS.get(asked.call.region, asked.call.region)
        subject = f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {region}'
        message = json.dumps(message_of(alarm, before, asked.call.account_id, region))
        asked.other("sns", "Publish", {"TopicArn": action, "Subject": subject[:100], "Message": message})
    elif kind == "lambda":
        event = {
            "source": "aws.cloudwatch",
            "alarmArn": alarm["AlarmArn"],
            "accountId": asked.call.account_id,
            "time": stamp(asked.call.now),
            "region": asked.call.region,
            "alarmData": {
                "alarmName": alarm["AlarmName"],
                "state": {"value": alarm["StateValue"], "reason": alarm["StateReason"]},
                "previousState": {"value": before},
            },
        }
        request = {"FunctionName": action, "InvocationType": "Event", "Payload": json.dumps(event).encode()}
        asked.other("lambda", "Invoke", request)


def message_of(alarm: Alarm, before: str, account: str, region: str) -> dict[str, Any]:
    """What subscribers of a topic get."""
    told = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": stamp(alarm["StateUpdatedTimestamp"]),
        "Region": region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": before,
        "OKActions": alarm.get("OKActions", []),
        "AlarmActions": alarm.get("AlarmActions", []),
        "InsufficientDataActions": alarm.get("InsufficientDataActions", []),
    }
    if "AlarmRule" in alarm:
        return told | {"AlarmRule": alarm["AlarmRule"]}
    trigger: dict[str, Any] = {
        "Period": period_of(alarm),
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm.get("Threshold"),
        "TreatMissingData": alarm.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "DatapointsToAlarm" in alarm:
        trigger["DatapointsToAlarm"] = alarm["DatapointsToAlarm"]
    if "MetricName" in alarm:
        is_extended = "ExtendedStatistic" in alarm
        trigger |= {
            "MetricName": alarm["MetricName"],
            "Namespace": alarm["Namespace"],
            "StatisticType": "ExtendedStatistic" if is_extended else "Statistic",
            "ExtendedStatistic" if is_extended else "Statistic": alarm.get("ExtendedStatistic")
            or str(alarm.get("Statistic")).upper(),
            "Unit": alarm.get("Unit"),
            "Dimensions": [{"value": d["Value"], "name": d["Name"]} for d in alarm.get("Dimensions", ())],
        }
    else:
        trigger["Metrics"] = alarm.get("Metrics", [])
    return told | {"Trigger": trigger}
