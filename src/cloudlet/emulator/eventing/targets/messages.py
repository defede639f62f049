"""Targets that take a message: queues, topics, streams, log groups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from cloudlet.emulator.eventing.inputs import MISSING, compact, look_up
from cloudlet.emulator.eventing.targets.errands import Errand, Make, Order, UnknownTarget, errand


def to_queue(order: Order) -> Errand:
    """A FIFO queue tells messages apart by their content, as EventBridge demands of it."""
    parameters = order.parameters("SqsParameters")
    request = {
        "QueueUrl": f"/{order.arn.account}/{order.arn.resource}",
        "MessageBody": order.text,
        "MessageGroupId": parameters.get("MessageGroupId"),
        "MessageDeduplicationId": parameters.get("MessageDeduplicationId"),  # which only pipes give
    }
    return errand(order, "sqs", "SendMessage", request)


def to_topic(order: Order) -> Errand:
    return errand(order, "sns", "Publish", {"TopicArn": order.target["Arn"], "Message": order.text})


def to_stream(order: Order) -> Errand:
    """Rules name the partition key by a path into the event, schedules as it is."""
    parameters = order.parameters("KinesisParameters")
    key = parameters.get("PartitionKey")
    if "PartitionKeyPath" in parameters:
        found = look_up(order.event, parameters["PartitionKeyPath"])
        key = None if found is MISSING else found if isinstance(found, str) else compact(found)
    request = {
        "StreamName": order.arn.resource.rpartition("/")[2],
        "PartitionKey": key or order.event.get("id") or order.unique,
        "Data": order.text.encode(),
    }
    return errand(order, "kinesis", "PutRecord", request)


def to_firehose(order: Order) -> Errand:
    name = order.arn.resource.rpartition("/")[2]
    return errand(order, "firehose", "PutRecord", {"DeliveryStreamName": name, "Record": {"Data": order.text.encode()}})


def to_bus(order: Order) -> Errand:
    """A schedule's event; a rule hands its own events on to another bus itself."""
    parameters = order.parameters("EventBridgeParameters")
    if not parameters:
        raise UnknownTarget("EventBridgeParameters says neither source nor detail type")
    entry = {
        "Source": parameters["Source"],
        "DetailType": parameters["DetailType"],
        "Detail": order.text,
        "EventBusName": order.target["Arn"],
        "Resources": order.event.get("resources", []),
    }
    return errand(order, "events", "PutEvents", {"Entries": [entry]})


def to_log_group(order: Order) -> Errand:
    """Each event in a stream of its own; a transformer may give `{"timestamp": …, "message": …}`."""
    group = order.arn.resource.removeprefix("log-group:").removesuffix(":*")
    message, moment = log_entry(order)
    stream = order.unique
    made = errand(
        order,
        "logs",
        "PutLogEvents",
        {
            "logGroupName": group,
            "logStreamName": stream,
            "logEvents": [{"timestamp": moment, "message": message}],
        },
    )
    return Errand(
        made.account_id,
        made.region,
        made.service,
        made.operation,
        made.request,
        before=(("CreateLogStream", {"logGroupName": group, "logStreamName": stream}),),
        tolerated=("ResourceAlreadyExistsException",),
    )


def log_entry(order: Order) -> tuple[str, int]:
    """Message and milliseconds since the epoch."""
    moment = milliseconds(order.event.get("time"))
    if "InputTransformer" in order.target:
        try:
            found = orjson.loads(order.text)
        except ValueError:
            return order.text, moment
        if isinstance(found, dict) and {"timestamp", "message"} <= found.keys():
            message = found["message"]
            return message if isinstance(message, str) else compact(message), milliseconds(found["timestamp"])
    return order.text, moment


def milliseconds(value: Any) -> int:
    if isinstance(value, int | float):
        return int(value)
    try:
        return int(datetime.fromisoformat(str(value)).timestamp() * 1000)
    except ValueError:
        return 0


KINDS: Mapping[str, Make] = MappingProxyType(
    {
        "sqs": to_queue,
        "sns": to_topic,
        "kinesis": to_stream,
        "firehose": to_firehose,
        "logs": to_log_group,
        "events": to_bus,
    }
)
