"""Event notification configurations of buckets: validated and stored.

Source: "Amazon S3 Event Notifications", S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError, NotImplementedFailure
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3 import bus_events
from cloudlet.emulator.services.s3.api import (
    GetBucketNotificationConfigurationRequest,
    NotificationConfiguration,
    PutBucketNotificationConfigurationRequest,
)
from cloudlet.emulator.services.s3.configurations import get_config, put_config
from cloudlet.emulator.services.s3.errors import InvalidArgument, MalformedXML
from cloudlet.emulator.services.s3.events import KIND, TARGETS, announce, s3_principal
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS, BucketRecord

# service of a target -> (operation that tells whether it exists, its parameter, what it is called in the error)
EXISTENCE = MappingProxyType(
    {
        "sqs": ("GetQueueAttributes", "QueueUrl", "queue"),
        "sns": ("GetTopicAttributes", "TopicArn", "topic"),
        "lambda": ("GetFunction", "FunctionName", "Lambda"),
    }
)
EVENTS = frozenset(
    [
        "s3:ReducedRedundancyLostObject",
        "s3:ObjectCreated:*",
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:*",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectRestore:*",
        "s3:ObjectRestore:Post",
        "s3:ObjectRestore:Completed",
        "s3:ObjectRestore:Delete",
        "s3:Replication:*",
        "s3:Replication:OperationFailedReplication",
        "s3:Replication:OperationNotTracked",
        "s3:Replication:OperationMissedThreshold",
        "s3:Replication:OperationReplicatedAfterThreshold",
        "s3:LifecycleTransition",
        "s3:IntelligentTiering",
        "s3:ObjectAcl:Put",
        "s3:LifecycleExpiration:*",
        "s3:LifecycleExpiration:Delete",
        "s3:LifecycleExpiration:DeleteMarkerCreated",
        "s3:ObjectTagging:*",
        "s3:ObjectTagging:Put",
        "s3:ObjectTagging:Delete",
    ]
)


@read_write
def put_bucket_notification_configuration(call: Call, request: PutBucketNotificationConfigurationRequest) -> None:
    bucket = require_bucket(call, request)
    given: Mapping[str, Any] = element(request, "NotificationConfiguration")
    stored: dict[str, Any] = {}
    for member, (arn_member, service) in TARGETS.items():
        if given.get(member):
            stored[member] = [checked_target(call, entry, arn_member, service) for entry in given[member]]
    if bus_events.MEMBER in given:
        stored[bus_events.MEMBER] = {}
    targets = [
        (service, entry[arn_member])
        for member, (arn_member, service) in TARGETS.items()
        for entry in stored.get(member, ())
    ]
    if not request.get("SkipDestinationValidation"):
        check_destinations(call, bucket, targets)
        for service, arn in targets:
            announce(call, bucket, service, arn)
    put_config(call.tx, bucket.name, KIND, stored)
    tells = bool(targets) or bus_events.MEMBER in stored
    if bucket.has_notifications != tells:
        BUCKETS.put(call.tx, msgspec.structs.replace(bucket, has_notifications=tells))


def check_destinations(call: Call, bucket: BucketRecord, targets: Sequence[tuple[str, str]]) -> None:
    """Raises InvalidArgument that names the targets that do not exist, or for one in another region."""
    missing: dict[str, Any] = {}
    for service, arn in targets:
        region, account_id = arn.split(":")[3:5]
        if region and region != bucket.region:
            raise InvalidArgument(
                "The notification destination service region is not valid for the bucket location constraint",
                ArgumentName=arn,
                ArgumentValue="null",
            )
        operation, parameter, noun = EXISTENCE[service]
        try:
            call.invoke_in(account_id, region, service, operation, {parameter: arn}, principal=s3_principal(bucket))
        except NotImplementedFailure:
            continue  # a service that does not exist here yet cannot say
        except AwsError:
            place = len(missing) // 2 + 1
            missing[f"ArgumentName{place}"] = arn
            missing[f"ArgumentValue{place}"] = f"The destination {noun} does not exist"
    if missing:
        raise InvalidArgument("Unable to validate the following destination configurations", **missing)


def checked_target(call: Call, entry: Mapping[str, Any], arn_member: str, service: str) -> dict[str, Any]:
    """One target as it is stored, with an id. Raises MalformedXML and InvalidArgument."""
    arn = entry.get(arn_member)
    if not arn or not entry.get("Events"):
        raise MalformedXML
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn" or parts[2] != service:
        name = {"sqs": "Queue", "sns": "Topic", "lambda": "CloudFunction"}[service]
        raise InvalidArgument("The ARN could not be parsed", ArgumentName=name, ArgumentValue=arn)
    for event in entry["Events"]:
        if event not in EVENTS:
            raise InvalidArgument(
                "A specified event is not supported for notifications.", ArgumentName="Event", ArgumentValue=event
            )
    stored = {**entry, "Id": entry.get("Id") or call.ids.uuid()}
    rules = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules")
    if rules is not None:
        stored["Filter"] = {"Key": {"FilterRules": [checked_filter(rule) for rule in rules]}}
    return stored


def checked_filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    name = rule.get("Name", "")
    if name.lower() not in ("prefix", "suffix"):
        raise InvalidArgument(
            "filter rule name must be either prefix or suffix",
            ArgumentName="FilterRule.Name",
            ArgumentValue=name,
        )
    if "Value" not in rule:
        raise InvalidArgument("filter value cannot be empty", ArgumentName="FilterRule.Value", ArgumentValue="null")
    return {"Name": name.capitalize(), "Value": rule["Value"]}


@read_only
def get_bucket_notification_configuration(
    call: Call, request: GetBucketNotificationConfigurationRequest
) -> NotificationConfiguration:
    bucket = require_bucket(call, request)
    return cast(NotificationConfiguration, get_config(call.tx, bucket.name, KIND) or {})
