"""Metric filters, which make data points of events, and subscription filters, which deliver them."""

from __future__ import annotations

import gzip
import json
import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.logs.groups import group_of, named, paged, refuse
from cloudlet.emulator.fallback.answers.logs.patterns import Malformed, compiled
from cloudlet.emulator.kernel.errors import AwsError

LOG = logging.getLogger("cloudlet.fallback")
SUBSCRIPTIONS, METRIC_FILTERS = 2, 100
CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "lambda": "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
        "your function.",
        "kinesis": "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in "
        "ACTIVE state.",
        "firehose": "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in "
        "ACTIVE state.",
    }
)

Hooks = tuple[list[dict[str, Any]], list[dict[str, Any]]]  # metric filters, subscription filters


def event_id(event: Any) -> str:
    """56 digits, in the order of time."""
    return f"{event.timestamp:018d}{event.event_id:038d}"


def metric_filters_of(group: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(group, "metric_filters"):
        group.metric_filters = {}
    kept: dict[str, dict[str, Any]] = group.metric_filters
    return kept


def subscriptions_of(group: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(group, "subscriptions"):
        group.subscriptions = {}
    kept: dict[str, dict[str, Any]] = group.subscriptions
    return kept


def hooks_of(group: Any) -> Hooks:
    return list(metric_filters_of(group).values()), list(subscriptions_of(group).values())


def checked(pattern: str) -> None:
    try:
        compiled(pattern)
    except Malformed as error:
        raise refuse("InvalidParameterException", "Invalid metric filter pattern") from error


# --- what they do


def carry_out(asked: Asked, group: Any, stream: str, events: Sequence[Any], hooks: Hooks) -> None:
    """With new events. What fails is logged: who writes events is not to blame."""
    for metric_filter in hooks[0]:
        measure(asked, metric_filter, events)
    for subscription in hooks[1]:
        matches = compiled(subscription["filterPattern"])
        wanted = [event for event in events if matches(event.message) is not None]
        if not wanted:
            continue
        message = {
            "messageType": "DATA_MESSAGE",
            "owner": asked.call.account_id,
            "logGroup": group.name,
            "logStream": stream,
            "subscriptionFilters": [subscription["filterName"]],
            "logEvents": [
                {"id": event_id(event), "timestamp": event.timestamp, "message": event.message} for event in wanted
            ],
        }
        try:
            deliver(asked, subscription["destinationArn"], stream, gzip.compress(json.dumps(message).encode(), mtime=0))
        except AwsError as error:
            LOG.warning(
                "events of %s could not be delivered to %s: %s", group.name, subscription["destinationArn"], error
            )


def deliver(asked: Asked, target: str, stream: str, content: bytes) -> None:
    kind, resource = target.split(":")[2], target.split(":", 5)[5]
    name = resource.rpartition("/")[2]
    if kind == "lambda":
        event = {"awslogs": {"data": b64encode(content).decode()}}
        request = {"FunctionName": target, "InvocationType": "Event", "Payload": json.dumps(event).encode()}
        asked.other("lambda", "Invoke", request)
    elif kind == "kinesis":
        asked.other("kinesis", "PutRecord", {"StreamName": name, "Data": content, "PartitionKey": stream})
    elif kind == "firehose":
        asked.other("firehose", "PutRecord", {"DeliveryStreamName": name, "Record": {"Data": content}})


def measure(asked: Asked, metric_filter: dict[str, Any], events: Sequence[Any]) -> None:
    matches = compiled(metric_filter["filterPattern"])
    for transformation in metric_filter["metricTransformations"]:
        data = []
        for event in events:
            values = matches(event.message)
            value = (
                transformation.get("defaultValue")
                if values is None
                else measured(transformation["metricValue"], values)
            )
            if value is not None:
                datum = {
                    "MetricName": transformation["metricName"],
                    "Value": value,
                    "Timestamp": event.timestamp / 1000,
                }
                datum["Unit"] = transformation.get("unit", "None")
                dimensions = transformation.get("dimensions") or {}
                if dimensions and values is not None:
                    named = {name: values.get(path) for name, path in dimensions.items()}
                    datum["Dimensions"] = [{"Name": k, "Value": str(v)} for k, v in named.items() if v is not None]
                data.append(datum)
        if data:
            request = {"Namespace": transformation["metricNamespace"], "MetricData": data}
            try:
                asked.other("cloudwatch", "PutMetricData", request)
            except AwsError as error:
                LOG.warning("the metric filter %s could not write: %s", metric_filter["filterName"], error)


def measured(text: str, values: Mapping[str, Any]) -> float | None:
    """A number, or the number that a field of the event has."""
    try:
        return float(values[text] if text.startswith("$") else text)
    except (KeyError, TypeError, ValueError):
        return None


# --- metric filters


def put_metric_filter(asked: Asked) -> dict[str, Any]:
    request = asked.request
    checked(request["filterPattern"])
    with asked.state() as backend:
        group = group_of(backend, request["logGroupName"])
        kept = metric_filters_of(group)
        name = request["filterName"]
        if name not in kept and len(kept) >= METRIC_FILTERS:
            raise refuse("LimitExceededException", "Resource limit exceeded.")
        made = {member: value for member, value in request.items() if member != "logGroupName"}
        created = kept.get(name, {}).get("creationTime", int(asked.call.now * 1000))
        kept[name] = {"applyOnTransformedLogs": False, **made, "logGroupName": group.name, "creationTime": created}
    return {}


def describe_metric_filters(asked: Asked) -> dict[str, Any]:
    request = asked.request
    name, metric, namespace = (request.get(key) for key in ("logGroupName", "metricName", "metricNamespace"))
    if (metric is None) != (namespace is None):
        raise refuse(
            "InvalidParameterException",
            "If you include the metricName parameter in your request, you must also include the metricNamespace parameter.",
        )
    with asked.state() as backend:
        groups = [group_of(backend, name)] if name is not None else list(backend.groups.values())
        found = [
            entry
            for group in groups
            for entry in metric_filters_of(group).values()
            if entry["filterName"].startswith(request.get("filterNamePrefix", ""))
            and (
                metric is None
                or any(
                    (made["metricName"], made["metricNamespace"]) == (metric, namespace)
                    for made in entry["metricTransformations"]
                )
            )
        ]
    return paged(asked, "metricFilters", sorted(found, key=lambda entry: str(entry["filterName"])), 50)


def delete_metric_filter(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        kept = metric_filters_of(group_of(backend, asked.request["logGroupName"]))
        if kept.pop(asked.request["filterName"], None) is None:
            raise refuse("ResourceNotFoundException", "The specified metric filter does not exist.")
    return {}


def try_metric_filter(asked: Asked) -> dict[str, Any]:
    request = asked.request
    checked(request["filterPattern"])
    matches = compiled(request["filterPattern"])
    found = []
    for at, message in enumerate(request["logEventMessages"], 1):
        values = matches(message)
        if values is not None:
            extracted = {name: str(value) for name, value in values.items()}
            found.append({"eventNumber": at, "eventMessage": message, "extractedValues": extracted})
    return {"matches": found}


# --- subscription filters


def put_subscription_filter(asked: Asked) -> dict[str, Any]:
    request = asked.request
    checked(request["filterPattern"])
    target = request["destinationArn"]
    with asked.state() as backend:
        group_of(backend, request["logGroupName"])
    check_target(asked, target)
    with asked.state() as backend:
        group = group_of(backend, request["logGroupName"])
        kept = subscriptions_of(group)
        name = request["filterName"]
        if name not in kept and len(kept) >= SUBSCRIPTIONS:
            raise refuse("LimitExceededException", "Resource limit exceeded.")
        made = {"distribution": "ByLogStream", "applyOnTransformedLogs": False, **request}
        created = kept.get(name, {}).get("creationTime", int(asked.call.now * 1000))
        kept[name] = made | {"creationTime": created}
    return {}


def check_target(asked: Asked, target: str) -> None:
    parts = target.split(":", 5)
    kind = parts[2] if len(parts) == 6 else ""
    name = parts[-1].rpartition("/")[2]
    look: dict[str, tuple[str, dict[str, Any]]] = {
        "lambda": ("GetFunction", {"FunctionName": target}),
        "kinesis": ("DescribeStreamSummary", {"StreamName": name}),
        "firehose": ("DescribeDeliveryStream", {"DeliveryStreamName": name}),
    }
    if kind == "logs":
        return
    if kind not in look:
        raise refuse("InvalidParameterException", f"The destination {target} is not supported.")
    operation, request = look[kind]
    try:
        asked.other(kind, operation, request)
    except AwsError as error:
        raise refuse("InvalidParameterException", CANNOT[kind]) from error


def describe_subscription_filters(asked: Asked) -> dict[str, Any]:
    asked = named(asked)
    with asked.state() as backend:
        kept = subscriptions_of(group_of(backend, asked.request["logGroupName"]))
        prefix = asked.request.get("filterNamePrefix", "")
        found = [entry for name, entry in sorted(kept.items()) if name.startswith(prefix)]
    return paged(asked, "subscriptionFilters", found, 50)


def delete_subscription_filter(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        kept = subscriptions_of(group_of(backend, asked.request["logGroupName"]))
        if kept.pop(asked.request["filterName"], None) is None:
            raise refuse("ResourceNotFoundException", "The specified subscription filter does not exist.")
    return {}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutMetricFilter": put_metric_filter,
        "DescribeMetricFilters": describe_metric_filters,
        "DeleteMetricFilter": delete_metric_filter,
        "TestMetricFilter": try_metric_filter,
        "PutSubscriptionFilter": put_subscription_filter,
        "DescribeSubscriptionFilters": describe_subscription_filters,
        "DeleteSubscriptionFilter": delete_subscription_filter,
    }
)
