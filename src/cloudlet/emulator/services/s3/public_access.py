"""The public access block of a bucket.

A new bucket shows all four settings on, as on AWS. They take effect once somebody has put them: until then local
set-ups may give buckets public policies and ACLs without a further step.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    DeletePublicAccessBlockRequest,
    GetPublicAccessBlockOutput,
    GetPublicAccessBlockRequest,
    PutPublicAccessBlockRequest,
)
from cloudlet.emulator.services.s3.configurations import get_config, put_config
from cloudlet.emulator.services.s3.errors import MalformedXML, NoSuchPublicAccessBlockConfiguration
from cloudlet.emulator.services.s3.lookup import element, require_bucket

KIND = "public_access_block"
SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
DEFAULT = MappingProxyType(dict.fromkeys(SETTINGS, True))


@read_write
def put_public_access_block(call: Call, request: PutPublicAccessBlockRequest) -> None:
    bucket = require_bucket(call, request)
    given: dict[str, Any] = dict(element(request, "PublicAccessBlockConfiguration"))
    if not any(name in given for name in SETTINGS):
        raise MalformedXML
    put_config(call.tx, bucket.name, KIND, {name: bool(given.get(name, False)) for name in SETTINGS})


@read_only
def get_public_access_block(call: Call, request: GetPublicAccessBlockRequest) -> GetPublicAccessBlockOutput:
    bucket = require_bucket(call, request)
    found = get_config(call.tx, bucket.name, KIND)
    if found is not None and not found:
        raise NoSuchPublicAccessBlockConfiguration(BucketName=bucket.name)
    return cast(GetPublicAccessBlockOutput, {"PublicAccessBlockConfiguration": dict(found or DEFAULT)})


@read_write
def delete_public_access_block(call: Call, request: DeletePublicAccessBlockRequest) -> None:
    bucket = require_bucket(call, request)
    put_config(call.tx, bucket.name, KIND, {})
