"""Object ownership controls of a bucket."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.acls import ENFORCED, OWNERSHIPS
from cloudlet.emulator.services.s3.api import (
    DeleteBucketOwnershipControlsRequest,
    GetBucketOwnershipControlsOutput,
    GetBucketOwnershipControlsRequest,
    PutBucketOwnershipControlsRequest,
)
from cloudlet.emulator.services.s3.configurations import get_config
from cloudlet.emulator.services.s3.errors import (
    InvalidBucketAclWithObjectOwnership,
    MalformedXML,
    OwnershipControlsNotFoundError,
)
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS


@read_write
def put_bucket_ownership_controls(call: Call, request: PutBucketOwnershipControlsRequest) -> None:
    bucket = require_bucket(call, request)
    rules = element(request, "OwnershipControls").get("Rules") or []
    ownership = rules[0].get("ObjectOwnership") if len(rules) == 1 else None
    if ownership not in OWNERSHIPS:
        raise MalformedXML
    if ownership == ENFORCED and len((get_config(call.tx, bucket.name, "acl") or {}).get("Grants", ())) > 1:
        raise InvalidBucketAclWithObjectOwnership
    BUCKETS.put(call.tx, msgspec.structs.replace(bucket, ownership=str(ownership)))


@read_only
def get_bucket_ownership_controls(
    call: Call, request: GetBucketOwnershipControlsRequest
) -> GetBucketOwnershipControlsOutput:
    bucket = require_bucket(call, request)
    if not bucket.ownership:
        raise OwnershipControlsNotFoundError(BucketName=bucket.name)
    shown: Any = {"OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.ownership}]}}
    return cast(GetBucketOwnershipControlsOutput, shown)


@read_write
def delete_bucket_ownership_controls(call: Call, request: DeleteBucketOwnershipControlsRequest) -> None:
    bucket = require_bucket(call, request)
    BUCKETS.put(call.tx, msgspec.structs.replace(bucket, ownership=""))
