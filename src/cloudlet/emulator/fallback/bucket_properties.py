"""Properties of `AWS::S3::Bucket` as the operations of S3 want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.property_values import text, typed


def bucket_setting(name: str, value: dict[str, Any]) -> dict[str, Any]:
    if name == "PublicAccessBlockConfiguration":
        return {key: text(flag) == "true" for key, flag in value.items()}
    change = BUCKET_FORMS.get(name)
    return value if change is None else change(value)


def notifications(value: dict[str, Any]) -> dict[str, Any]:
    """Of the API: each configuration has a list of events, filters name the rules of keys."""
    made: dict[str, Any] = {}
    for kind, arn, member in (
        ("Queue", "Queue", "QueueArn"),
        ("Topic", "Topic", "TopicArn"),
        ("Lambda", "Function", ""),
    ):
        entries = value.get(f"{kind}Configurations") or []
        if not entries:
            continue
        name = "LambdaFunctionConfigurations" if kind == "Lambda" else f"{kind}Configurations"
        made[name] = [notification(entry, member or "LambdaFunctionArn", entry[arn]) for entry in entries]
    if "EventBridgeConfiguration" in value:
        made["EventBridgeConfiguration"] = {}
    return made


def notification(entry: dict[str, Any], member: str, arn: str) -> dict[str, Any]:
    made: dict[str, Any] = {member: arn, "Events": [entry["Event"]]}
    rules = ((entry.get("Filter") or {}).get("S3Key") or {}).get("Rules")
    if rules:
        made["Filter"] = {"Key": {"FilterRules": [{"Name": rule["Name"], "Value": rule["Value"]} for rule in rules]}}
    return made


def logging_status(value: dict[str, Any]) -> dict[str, Any]:
    if not value.get("DestinationBucketName"):
        return {}
    target = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    return {"LoggingEnabled": target}


def lifecycle(value: dict[str, Any]) -> dict[str, Any]:
    return {"Rules": [lifecycle_rule(dict(rule)) for rule in value.get("Rules") or []]}


def lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"Status": rule["Status"]}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    tags_of = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in rule.get("TagFilters") or []]
    parts: dict[str, Any] = {name: rule[name] for name in ("Prefix",) if name in rule}
    for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if name in rule:
            parts[name] = int(rule[name])
    if len(parts) + len(tags_of) > 1:
        made["Filter"] = {"And": {**parts, **({"Tags": tags_of} if tags_of else {})}}
    else:
        made["Filter"] = {"Tag": tags_of[0]} if tags_of else parts or {"Prefix": ""}
    expiration = {
        member: value if member == "Date" else int(value)
        for member, value in (("Days", rule.get("ExpirationInDays")), ("Date", rule.get("ExpirationDate")))
        if value is not None
    }
    if text(rule.get("ExpiredObjectDeleteMarker", False)) == "true":
        expiration["ExpiredObjectDeleteMarker"] = True
    if expiration:
        made["Expiration"] = expiration
    single = [rule["Transition"]] if "Transition" in rule else []
    transitions = [*single, *(rule.get("Transitions") or [])]
    if transitions:
        made["Transitions"] = [transition(one) for one in transitions]
    if "NoncurrentVersionExpiration" in rule:
        made["NoncurrentVersionExpiration"] = typed(rule["NoncurrentVersionExpiration"])
    elif "NoncurrentVersionExpirationInDays" in rule:
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(rule["NoncurrentVersionExpirationInDays"])}
    if "AbortIncompleteMultipartUpload" in rule:
        made["AbortIncompleteMultipartUpload"] = typed(rule["AbortIncompleteMultipartUpload"])
    return made


def transition(one: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"StorageClass": one["StorageClass"]}
    if "TransitionInDays" in one:
        made["Days"] = int(one["TransitionInDays"])
    if "TransitionDate" in one:
        made["Date"] = one["TransitionDate"]
    return made


def encryption_rule(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if "ServerSideEncryptionByDefault" in rule:
        made["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
    if "BucketKeyEnabled" in rule:
        made["BucketKeyEnabled"] = text(rule["BucketKeyEnabled"]) == "true"
    return made


def cors_rule(rule: dict[str, Any]) -> dict[str, Any]:
    names = {"Id": "ID", "MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders"}
    made = {names.get(name, name): value for name, value in rule.items()}
    if "MaxAgeSeconds" in made:
        made["MaxAgeSeconds"] = int(made["MaxAgeSeconds"])
    return made


BUCKET_FORMS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType(
    {
        "AccelerateConfiguration": lambda value: {"Status": value["AccelerationStatus"]},
        "LifecycleConfiguration": lifecycle,
        "LoggingConfiguration": logging_status,
        "NotificationConfiguration": notifications,
        "ObjectLockConfiguration": lambda value: typed(value),
    }
)
