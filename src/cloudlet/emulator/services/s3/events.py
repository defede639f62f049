"""Event notifications: what happened to an object, sent to the queues and topics that the bucket names.

A message is sent inside the transaction of what it tells of: both happen or neither. What cannot be delivered (a queue
that is gone) is dropped, as on AWS. Functions are called by Lambda's jobs.
Source: "Event message structure", S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from cloudlet.emulator.kernel.call import Call, Principal
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.rest_wire import S3_HOST_ID
from cloudlet.emulator.services.s3 import bus_events
from cloudlet.emulator.services.s3.configurations import get_config
from cloudlet.emulator.services.s3.records import EMPTY, BucketRecord, ObjectRecord
from cloudlet.emulator.services.s3.rules import canonical_user_id, url_encode

KIND = "notification"
# member of the configuration -> (member with the target's ARN, service of that ARN)
TARGETS = MappingProxyType(
    {
        "QueueConfigurations": ("QueueArn", "sqs"),
        "TopicConfigurations": ("TopicArn", "sns"),
        "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
    }
)
EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
NEWER_VERSION = ("ObjectTagging:", "ObjectAcl:")  # events of message version 2.3, without size and sequencer


def publish(call: Call, bucket: BucketRecord, event: str, record: ObjectRecord) -> None:
    """Tell the bucket's targets of `event` (`ObjectCreated:Put`)."""
    if not bucket.has_notifications:
        return
    config = get_config(call.tx, bucket.name, KIND) or {}
    for member, (arn_member, service) in TARGETS.items():
        for target in config.get(member, ()):
            if is_wanted(target, event, record.key):
                body = msgspec.json.encode({"Records": [message(call, bucket, event, record, target["Id"])]})
                deliver(call, bucket, service, target[arn_member], body.decode())
    if bus_events.MEMBER in config:
        bus_events.send(call, bucket, event, record)


def publish_deletion(call: Call, bucket: BucketRecord, key: str) -> None:
    """S3 tells of the deletion of a key that was not there as well."""
    if bucket.has_notifications:
        gone = ObjectRecord(bucket.name, key, 0, 0, "", "", "", "", "", 0, "", EMPTY, "", "")
        publish(call, bucket, "ObjectRemoved:Delete", gone)


def is_wanted(target: Mapping[str, Any], event: str, key: str) -> bool:
    """Whether a target asked for an event about a key."""
    wanted = any(
        pattern == f"s3:{event}" or (pattern.endswith("*") and f"s3:{event}".startswith(pattern[:-1]))
        for pattern in target["Events"]
    )
    rules = ((target.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    return wanted and all(
        key.startswith(rule["Value"]) if rule["Name"] == "Prefix" else key.endswith(rule["Value"]) for rule in rules
    )


def message(call: Call, bucket: BucketRecord, event: str, record: ObjectRecord, config_id: str) -> dict[str, Any]:
    """One entry of `Records`."""
    older = not event.startswith(NEWER_VERSION)
    about: dict[str, Any] = {"key": url_encode(record.key)}
    if event == "ObjectRemoved:DeleteMarkerCreated":
        about["eTag"] = EMPTY_MD5
    elif event != "ObjectRemoved:Delete":
        if older:
            about["size"] = record.size
        about["eTag"] = record.etag
    if record.version_id:
        about["versionId"] = record.version_id
    if older:
        about["sequencer"] = f"{int(call.now * 1_000_000):016X}"
    return {
        "eventVersion": "2.1" if older else "2.3",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": event_time(call.now),
        "eventName": event,
        "userIdentity": {"principalId": f"AWS:{call.principal.user_id or 'ANONYMOUS'}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1" if call.http is None else call.http.client[0]},
        "responseElements": {"x-amz-request-id": call.request_id, "x-amz-id-2": S3_HOST_ID},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": config_id,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": canonical_user_id(bucket.account_id)[:14].upper()},
                "arn": f"arn:{call.partition}:s3:::{bucket.name}",
            },
            "object": about,
        },
    }


def event_time(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def announce(call: Call, bucket: BucketRecord, service: str, arn: str) -> None:
    """The message that a new target gets first."""
    test = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": event_time(call.now),
        "Bucket": bucket.name,
        "RequestId": call.request_id,
        "HostId": S3_HOST_ID,
    }
    if service != "lambda":
        deliver(call, bucket, service, arn, msgspec.json.encode(test).decode())


def s3_principal(bucket: BucketRecord) -> Principal:
    return Principal(bucket.account_id, "", "service", "s3.amazonaws.com", "s3.amazonaws.com")


def deliver(call: Call, bucket: BucketRecord, service: str, arn: str, body: str) -> None:
    """Send one message to a target; what the target refuses is dropped."""
    _, _, _, region, account_id, _ = arn.split(":", 5)
    request: dict[str, Any]
    if service == "sqs":
        operation, request = "SendMessage", {"QueueUrl": arn, "MessageBody": body}
        trace = None if call.http is None else call.http.headers.get("x-amzn-trace-id")
        if trace:
            request["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    elif service == "sns":
        operation, request = "Publish", {"TopicArn": arn, "Message": body, "Subject": "Amazon S3 Notification"}
    elif service == "lambda":
        operation, request = "AcceptEvent", {"FunctionName": arn, "Payload": body.encode()}
    else:
        return
    try:
        call.invoke_in(account_id, region, service, operation, request, principal=s3_principal(bucket))
    except AwsError:
        return
