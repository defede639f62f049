"""Object lock: a bucket's default retention, retention and legal hold of versions, and what they forbid.

Source: "Locking objects with Object Lock", S3 User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    GetObjectLegalHoldOutput,
    GetObjectLegalHoldRequest,
    GetObjectLockConfigurationOutput,
    GetObjectLockConfigurationRequest,
    GetObjectRetentionOutput,
    GetObjectRetentionRequest,
    PutObjectLegalHoldOutput,
    PutObjectLegalHoldRequest,
    PutObjectLockConfigurationOutput,
    PutObjectLockConfigurationRequest,
    PutObjectRetentionOutput,
    PutObjectRetentionRequest,
)
from cloudlet.emulator.services.s3.errors import (
    AccessDenied,
    InvalidArgument,
    InvalidBucketState,
    InvalidRequest,
    InvalidRetentionPeriod,
    MalformedXML,
    NoSuchObjectLockConfiguration,
    ObjectLockConfigurationNotFoundError,
)
from cloudlet.emulator.services.s3.history import require_version, rewrite
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import (
    BUCKETS,
    ENABLED,
    BucketRecord,
    DefaultRetention,
    Lock,
    ObjectRecord,
)
from cloudlet.emulator.services.s3.times import iso_time

MODES = frozenset({"GOVERNANCE", "COMPLIANCE"})
DAY_SECONDS = 86_400
PROTECTED = "Access Denied because object protected by object lock."
NO_CONFIGURATION = "Bucket is missing Object Lock Configuration"


def new_lock(call: Call, bucket: BucketRecord, request: Mapping[str, Any]) -> Lock | None:
    """The lock of a new version: the request's, or the bucket's default. Raises InvalidRequest, InvalidArgument."""
    mode, until = request.get("ObjectLockMode"), request.get("ObjectLockRetainUntilDate")
    hold = request.get("ObjectLockLegalHoldStatus")
    asked = mode is not None or until is not None or hold is not None
    if not bucket.object_lock:
        if asked:
            raise InvalidRequest(NO_CONFIGURATION)
        return None
    if (mode is None) != (until is None):
        missing = "x-amz-object-lock-mode" if mode is None else "x-amz-object-lock-retain-until-date"
        raise InvalidArgument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied", ArgumentName=missing
        )
    if mode is not None and mode not in MODES:
        raise InvalidArgument("Unknown wormMode directive.", ArgumentName="x-amz-object-lock-mode", ArgumentValue=mode)
    if until is not None and until < call.now:
        raise InvalidArgument(
            "The retain until date must be in the future!",
            ArgumentName="x-amz-object-lock-retain-until-date",
            ArgumentValue=iso_time(until),
        )
    if hold is not None and hold not in ("ON", "OFF"):
        raise InvalidArgument(
            "Legal Hold must be either of 'ON' or 'OFF'",
            ArgumentName="x-amz-object-lock-legal-hold",
            ArgumentValue=hold,
        )
    default = bucket.retention
    if mode is None and default is not None:
        mode = default.mode
        until = call.now + DAY_SECONDS * (default.days or 365 * default.years)
    if mode is None and hold is None:
        return None
    return Lock(mode or "", until or 0.0, hold or "")


def check_deletable(call: Call, record: ObjectRecord, bypass: bool) -> None:
    """Raises AccessDenied where a lock forbids to delete a version. `bypass`: the caller waives governance mode."""
    lock = record.lock
    if lock is None:
        return
    if lock.legal_hold == "ON":
        raise AccessDenied(PROTECTED)
    if lock.until > call.now and not (lock.mode == "GOVERNANCE" and bypass):
        raise AccessDenied(PROTECTED)


def show_lock(result: dict[str, Any], record: ObjectRecord) -> None:
    """The members that tell of a version's lock."""
    lock = record.lock
    if lock is None:
        return
    if lock.mode:
        result["ObjectLockMode"] = lock.mode
        result["ObjectLockRetainUntilDate"] = lock.until
    if lock.legal_hold:
        result["ObjectLockLegalHoldStatus"] = lock.legal_hold


@read_write
def put_object_lock_configuration(
    call: Call, request: PutObjectLockConfigurationRequest
) -> PutObjectLockConfigurationOutput:
    bucket = require_bucket(call, request)
    configuration: Mapping[str, Any] = element(request, "ObjectLockConfiguration")
    if configuration.get("ObjectLockEnabled") != "Enabled":
        raise MalformedXML
    if bucket.versioning != ENABLED:
        raise InvalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
    rule = configuration.get("Rule")
    retention = None
    if rule is not None:
        retention = default_retention(rule.get("DefaultRetention") or {})
    BUCKETS.put(call.tx, msgspec.structs.replace(bucket, object_lock=True, retention=retention))
    return {}


def default_retention(default: Mapping[str, Any]) -> DefaultRetention:
    """Raises MalformedXML and InvalidArgument."""
    days, years = default.get("Days"), default.get("Years")
    if default.get("Mode") not in MODES or (days is None) == (years is None):
        raise MalformedXML
    period = days if days is not None else years or 0
    if period <= 0:
        raise InvalidRetentionPeriod("Default retention period must be a positive integer value.")
    if period > (36_500 if days is not None else 100):
        raise InvalidRetentionPeriod("Default retention period is too large.")
    return DefaultRetention(default["Mode"], days or 0, years or 0)


@read_only
def get_object_lock_configuration(
    call: Call, request: GetObjectLockConfigurationRequest
) -> GetObjectLockConfigurationOutput:
    bucket = require_bucket(call, request)
    if not bucket.object_lock:
        raise ObjectLockConfigurationNotFoundError(BucketName=bucket.name)
    configuration: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    retention = bucket.retention
    if retention is not None:
        shown: dict[str, Any] = {"Mode": retention.mode}
        if retention.days:
            shown["Days"] = retention.days
        else:
            shown["Years"] = retention.years
        configuration["Rule"] = {"DefaultRetention": shown}
    return cast(GetObjectLockConfigurationOutput, {"ObjectLockConfiguration": configuration})


def require_lockable(call: Call, request: Mapping[str, Any], method: str = "GET") -> ObjectRecord:
    """The version that a retention or legal hold is about. Raises InvalidRequest where the bucket has no locks."""
    bucket = require_bucket(call, request)
    if not bucket.object_lock:
        raise InvalidRequest(NO_CONFIGURATION)
    return require_version(call.tx, bucket, request, method)


@read_write
def put_object_retention(call: Call, request: PutObjectRetentionRequest) -> PutObjectRetentionOutput:
    record = require_lockable(call, request, "PUT")
    retention: Mapping[str, Any] = element(request, "Retention")
    mode, until = retention.get("Mode"), retention.get("RetainUntilDate")
    if (mode is None) != (until is None) or (mode is not None and mode not in MODES):
        raise MalformedXML
    if until is not None and until < call.now:
        raise InvalidArgument(
            "The retain until date must be in the future!",
            ArgumentName="RetainUntilDate",
            ArgumentValue=iso_time(until),
        )
    old = record.lock or Lock()
    if old.mode and old.until > call.now:
        weaker = until is None or until < old.until or (old.mode == "COMPLIANCE" and mode != "COMPLIANCE")
        changed = weaker or mode != old.mode
        bypass = bool(request.get("BypassGovernanceRetention"))
        if (old.mode == "COMPLIANCE" and weaker) or (old.mode == "GOVERNANCE" and changed and not bypass):
            raise AccessDenied(PROTECTED)
    lock = Lock(mode or "", until or 0.0, old.legal_hold)
    rewrite(call.tx, record, msgspec.structs.replace(record, lock=lock))
    return {}


@read_only
def get_object_retention(call: Call, request: GetObjectRetentionRequest) -> GetObjectRetentionOutput:
    lock = require_lockable(call, request).lock
    if lock is None or not lock.mode:
        raise NoSuchObjectLockConfiguration
    return {"Retention": {"Mode": lock.mode, "RetainUntilDate": lock.until}}


@read_write
def put_object_legal_hold(call: Call, request: PutObjectLegalHoldRequest) -> PutObjectLegalHoldOutput:
    record = require_lockable(call, request, "PUT")
    status = element(request, "LegalHold").get("Status")
    if status not in ("ON", "OFF"):
        raise MalformedXML
    lock = msgspec.structs.replace(record.lock or Lock(), legal_hold=status)
    rewrite(call.tx, record, msgspec.structs.replace(record, lock=lock))
    return {}


@read_only
def get_object_legal_hold(call: Call, request: GetObjectLegalHoldRequest) -> GetObjectLegalHoldOutput:
    lock = require_lockable(call, request).lock
    if lock is None or not lock.legal_hold:
        raise NoSuchObjectLockConfiguration
    return {"LegalHold": {"Status": lock.legal_hold}}
