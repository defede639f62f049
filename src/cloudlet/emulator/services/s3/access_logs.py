"""Server access logging of buckets (stored and validated; no logs are written)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import GetBucketLoggingOutput, GetBucketLoggingRequest, PutBucketLoggingRequest
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import (
    CrossLocationLoggingProhibitted,
    InvalidTargetBucketForLogging,
    MalformedXML,
)
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS
from cloudlet.emulator.services.s3.rules import DEFAULT_REGION

KIND = "logging"
PERMISSIONS = frozenset({"FULL_CONTROL", "READ", "WRITE"})


@read_write
def put_bucket_logging(call: Call, request: PutBucketLoggingRequest) -> None:
    bucket = require_bucket(call, request)
    status: Mapping[str, Any] = element(request, "BucketLoggingStatus")
    logging = status.get("LoggingEnabled")
    if logging is None:
        delete_config(call.tx, bucket.name, KIND)
        return
    if "TargetBucket" not in logging or "TargetPrefix" not in logging:
        raise MalformedXML
    if any(grant.get("Permission") not in PERMISSIONS for grant in logging.get("TargetGrants") or ()):
        raise MalformedXML
    name = logging["TargetBucket"]
    target = BUCKETS.get(call.tx, name)
    if target is None or target.account_id != bucket.account_id:
        raise InvalidTargetBucketForLogging(TargetBucket=name)
    if target.region != bucket.region:
        members: dict[str, Any] = {"TargetBucketLocation": target.region}
        if bucket.region != DEFAULT_REGION:
            members["SourceBucketLocation"] = bucket.region
        raise CrossLocationLoggingProhibitted("Cross S3 location logging not allowed. ", **members)
    put_config(call.tx, bucket.name, KIND, {"LoggingEnabled": logging})


@read_only
def get_bucket_logging(call: Call, request: GetBucketLoggingRequest) -> GetBucketLoggingOutput:
    bucket = require_bucket(call, request)
    return cast(GetBucketLoggingOutput, get_config(call.tx, bucket.name, KIND) or {})
