"""Lifecycle configurations: validated and stored, and the expiry date that they give an object.

Source: "Managing the lifecycle of objects" and "PutBucketLifecycleConfiguration".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    DeleteBucketLifecycleRequest,
    GetBucketLifecycleConfigurationOutput,
    GetBucketLifecycleConfigurationRequest,
    PutBucketLifecycleConfigurationOutput,
    PutBucketLifecycleConfigurationRequest,
)
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    MalformedXML,
    NoSuchLifecycleConfiguration,
)
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS, ObjectRecord
from cloudlet.emulator.services.s3.times import http_second, iso_second
from cloudlet.emulator.store.kv import Transaction

DAY_SECONDS = 86_400
KIND = "lifecycle"
DEFAULT_SIZE = "all_storage_classes_128K"
ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionTransitions",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)
FILTERS = ("Prefix", "Tag", "And", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
TRANSITION_CLASSES = frozenset(
    {"GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"}
)
SLOW_CLASSES = frozenset({"STANDARD_IA", "ONEZONE_IA"})  # not before an object is 30 days old


@read_write
def put_bucket_lifecycle_configuration(
    call: Call, request: PutBucketLifecycleConfigurationRequest
) -> PutBucketLifecycleConfigurationOutput:
    bucket = require_bucket(call, request)
    size = request.get("TransitionDefaultMinimumObjectSize", DEFAULT_SIZE)
    if size not in (DEFAULT_SIZE, "varies_by_storage_class"):
        raise InvalidRequest(
            f"Invalid TransitionDefaultMinimumObjectSize found: {size}",
        )
    rules = checked_rules(call, element(request, "LifecycleConfiguration").get("Rules"))
    put_config(call.tx, bucket.name, KIND, {"Rules": rules, "TransitionDefaultMinimumObjectSize": size})
    if not bucket.has_lifecycle:
        BUCKETS.put(call.tx, msgspec.structs.replace(bucket, has_lifecycle=True))
    return {"TransitionDefaultMinimumObjectSize": size}


@read_only
def get_bucket_lifecycle_configuration(
    call: Call, request: GetBucketLifecycleConfigurationRequest
) -> GetBucketLifecycleConfigurationOutput:
    bucket = require_bucket(call, request)
    found = get_config(call.tx, bucket.name, KIND)
    if found is None:
        raise NoSuchLifecycleConfiguration(BucketName=bucket.name)
    return cast(GetBucketLifecycleConfigurationOutput, found)


@read_write
def delete_bucket_lifecycle(call: Call, request: DeleteBucketLifecycleRequest) -> None:
    bucket = require_bucket(call, request)
    delete_config(call.tx, bucket.name, KIND)
    if bucket.has_lifecycle:
        BUCKETS.put(call.tx, msgspec.structs.replace(bucket, has_lifecycle=False))


def checked_rules(call: Call, rules: Any) -> list[dict[str, Any]]:
    """The rules to store; each gets an id where it has none. Raises MalformedXML, InvalidArgument, InvalidRequest."""
    if not rules or len(rules) > 1000:
        raise MalformedXML
    seen = set()
    found = []
    for rule in rules:
        check_rule(rule)
        name = rule.get("ID") or call.ids.alphanumeric(48)
        if len(name) > 255:
            raise InvalidArgument(
                "ID length should not exceed allowed limit of 255", ArgumentName="ID", ArgumentValue=name
            )
        if name in seen:
            raise InvalidArgument(
                "Rule ID must be unique. Found same ID for more than one rule", ArgumentName="ID", ArgumentValue=name
            )
        seen.add(name)
        found.append({**rule, "ID": name})
    return found


def check_rule(rule: Mapping[str, Any]) -> None:
    if rule.get("Status") not in ("Enabled", "Disabled"):
        raise MalformedXML
    filter_ = rule.get("Filter")
    if ("Prefix" in rule) == (filter_ is not None):
        raise MalformedXML
    if filter_ is not None:
        check_filter(filter_)
    if not any(action in rule for action in ACTIONS):
        raise InvalidRequest("At least one action needs to be specified in a rule")
    expiration = rule.get("Expiration")
    if expiration is not None:
        check_expiration(expiration, filter_ or {})
    transitions = rule.get("Transitions") or ()
    for transition in transitions:
        check_transition(transition)
    if expiration is not None and "Days" in expiration:
        prefix = (filter_ or {}).get("Prefix", rule.get("Prefix", ""))
        for transition in transitions:
            if transition.get("Days", 0) >= expiration["Days"]:
                raise InvalidArgument(
                    f"'Days' in the Expiration action for filter '(prefix={prefix})' must be greater than 'Days' in the "
                    "Transition action",
                    ArgumentName="Days",
                    ArgumentValue=str(expiration["Days"]),
                )
    check_noncurrent(rule)


def check_filter(filter_: Mapping[str, Any]) -> None:
    """One predicate, or several under `And`."""
    given = [name for name in FILTERS if name in filter_]
    if len(given) > 1:
        raise MalformedXML
    if given == ["And"]:
        both = filter_["And"]
        count = len(both.get("Tags") or ()) + sum(name in both for name in FILTERS if name not in ("Tag", "And"))
        if count < 2:
            raise MalformedXML
        keys = [tag.get("Key") for tag in both.get("Tags") or ()]
        if len(set(keys)) < len(keys):
            raise InvalidRequest("Duplicate Tag Keys are not allowed.")


def check_expiration(expiration: Mapping[str, Any], filter_: Mapping[str, Any]) -> None:
    given = [name for name in ("Date", "Days", "ExpiredObjectDeleteMarker") if name in expiration]
    if len(given) != 1:
        raise MalformedXML
    if "Days" in expiration and expiration["Days"] <= 0:
        raise InvalidArgument(
            "'Days' for Expiration action must be a positive integer",
            ArgumentName="Days",
            ArgumentValue=str(expiration["Days"]),
        )
    if "Date" in expiration and expiration["Date"] % DAY_SECONDS:
        raise not_midnight(expiration["Date"])
    tagged = "Tag" in filter_ or bool((filter_.get("And") or {}).get("Tags"))
    if "ExpiredObjectDeleteMarker" in expiration and tagged:
        raise InvalidRequest("'ExpiredObjectDeleteMarker' cannot be specified with Tags.")


def not_midnight(moment: float) -> InvalidArgument:
    return InvalidArgument("'Date' must be at midnight GMT", ArgumentName="Date", ArgumentValue=iso_second(int(moment)))


def check_transition(transition: Mapping[str, Any]) -> None:
    name = transition.get("StorageClass")
    if name not in TRANSITION_CLASSES or ("Date" in transition and "Days" in transition):
        raise MalformedXML
    days = transition.get("Days", 0)
    if days < 0:
        raise InvalidArgument(
            "'Days' in Transition action must be nonnegative", ArgumentName="Days", ArgumentValue=str(days)
        )
    if name in SLOW_CLASSES and "Date" not in transition and days < 30:
        raise InvalidArgument(
            f"'Days' in Transition action must be greater than or equal to 30 for storageClass '{name}'",
            ArgumentName="Days",
            ArgumentValue=str(days),
        )
    if "Date" in transition and transition["Date"] % DAY_SECONDS:
        raise not_midnight(transition["Date"])


def check_noncurrent(rule: Mapping[str, Any]) -> None:
    expiration = rule.get("NoncurrentVersionExpiration")
    if expiration is not None and not expiration:
        raise MalformedXML
    if expiration is not None and expiration.get("NoncurrentDays", 1) <= 0:
        raise InvalidArgument(
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
            ArgumentName="NoncurrentDays",
        )
    abort = rule.get("AbortIncompleteMultipartUpload")
    if abort is not None and abort.get("DaysAfterInitiation", 1) <= 0:
        raise InvalidArgument(
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
            ArgumentName="DaysAfterInitiation",
        )
    for transition in rule.get("NoncurrentVersionTransitions") or ():
        if transition.get("StorageClass") not in TRANSITION_CLASSES:
            raise MalformedXML


def matches(rule: Mapping[str, Any], record: ObjectRecord) -> bool:
    """Whether a rule is about an object."""
    filter_ = rule.get("Filter")
    if filter_ is None:
        return record.key.startswith(rule.get("Prefix", ""))
    both = filter_.get("And", filter_)
    tags = both.get("Tags") or ([both["Tag"]] if "Tag" in both else [])
    have = record.tags or {}
    return (
        record.key.startswith(both.get("Prefix", ""))
        and all(have.get(tag["Key"]) == tag["Value"] for tag in tags)
        and record.size > both.get("ObjectSizeGreaterThan", -1)
        and record.size < both.get("ObjectSizeLessThan", record.size + 1)
    )


def expiration_header(tx: Transaction, record: ObjectRecord) -> str | None:
    """`x-amz-expiration` of an object: the soonest date that a rule gives it."""
    config = get_config(tx, record.bucket, KIND)
    soonest: tuple[float, str] | None = None
    for rule in (config or {}).get("Rules", ()):
        expiration = rule.get("Expiration") or {}
        if rule["Status"] != "Enabled" or not matches(rule, record):
            continue
        if "Days" in expiration:
            due = (record.modified // DAY_SECONDS + expiration["Days"] + 1) * DAY_SECONDS
        elif "Date" in expiration:
            due = int(expiration["Date"])
        else:
            continue
        if soonest is None or due < soonest[0]:
            soonest = (due, rule["ID"])
    if soonest is None:
        return None
    return f'expiry-date="{http_second(int(soonest[0]))}", rule-id="{soonest[1]}"'
