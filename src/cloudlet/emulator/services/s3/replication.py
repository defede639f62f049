"""Replication configurations of buckets: validated and stored (nothing is replicated)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    DeleteBucketReplicationRequest,
    GetBucketReplicationOutput,
    GetBucketReplicationRequest,
    PutBucketReplicationRequest,
)
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import InvalidRequest, MalformedXML, ReplicationConfigurationNotFoundError
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS, ENABLED

KIND = "replication"


@read_write
def put_bucket_replication(call: Call, request: PutBucketReplicationRequest) -> None:
    bucket = require_bucket(call, request)
    if bucket.versioning != ENABLED:
        raise InvalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    configuration: Mapping[str, Any] = element(request, "ReplicationConfiguration")
    rules = configuration.get("Rules")
    if not rules or not configuration.get("Role"):
        raise MalformedXML
    stored = []
    for rule in rules:
        arn = (rule.get("Destination") or {}).get("Bucket", "")
        if rule.get("Status") not in ("Enabled", "Disabled") or not arn:
            raise MalformedXML
        destination = BUCKETS.get(call.tx, arn.rpartition(":::")[2])
        if destination is None:
            raise InvalidRequest("Destination bucket must exist.")
        if destination.versioning != ENABLED:
            raise InvalidRequest("Destination bucket must have versioning enabled.")
        stored.append({**rule, "ID": rule.get("ID") or call.ids.alphanumeric(48)})
    put_config(call.tx, bucket.name, KIND, {"Role": configuration["Role"], "Rules": stored})


@read_only
def get_bucket_replication(call: Call, request: GetBucketReplicationRequest) -> GetBucketReplicationOutput:
    bucket = require_bucket(call, request)
    found = get_config(call.tx, bucket.name, KIND)
    if found is None:
        raise ReplicationConfigurationNotFoundError(BucketName=bucket.name)
    return cast(GetBucketReplicationOutput, {"ReplicationConfiguration": found})


@read_write
def delete_bucket_replication(call: Call, request: DeleteBucketReplicationRequest) -> None:
    delete_config(call.tx, require_bucket(call, request).name, KIND)
