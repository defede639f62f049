"""Tags of buckets and of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    DeleteBucketTaggingRequest,
    DeleteObjectTaggingOutput,
    DeleteObjectTaggingRequest,
    GetBucketTaggingOutput,
    GetBucketTaggingRequest,
    GetObjectTaggingOutput,
    GetObjectTaggingRequest,
    PutBucketTaggingRequest,
    PutObjectTaggingOutput,
    PutObjectTaggingRequest,
    Tag,
)
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import MalformedXML, NoSuchKey, NoSuchTagSet
from cloudlet.emulator.services.s3.events import publish
from cloudlet.emulator.services.s3.history import require_version, rewrite, version_label
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.rules import check_bucket_tags, check_object_tags, tag_pairs, tag_set

KIND = "tagging"


def requested_tags(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The pairs of a `Tagging` element. Raises MalformedXML."""
    tagging = request.get("Tagging")
    if tagging is None or "TagSet" not in tagging:
        raise MalformedXML
    if any("Key" not in tag or "Value" not in tag for tag in tagging["TagSet"]):
        raise MalformedXML
    return tag_pairs(tagging["TagSet"])


def has_empty_set(request: Mapping[str, Any]) -> bool:
    """Whether a request puts no tags, which takes away what there are."""
    return "Tagging" in request and not element(request, "Tagging").get("TagSet")


@read_write
def put_bucket_tagging(call: Call, request: PutBucketTaggingRequest) -> None:
    bucket = require_bucket(call, request)
    if has_empty_set(request):  # an empty set is the same as none
        delete_config(call.tx, bucket.name, KIND)
        return
    tags = check_bucket_tags(requested_tags(request))
    put_config(call.tx, bucket.name, KIND, {"TagSet": tag_set(tags)})


@read_only
def get_bucket_tagging(call: Call, request: GetBucketTaggingRequest) -> GetBucketTaggingOutput:
    bucket = require_bucket(call, request)
    found = get_config(call.tx, bucket.name, KIND)
    if found is None or not found["TagSet"]:
        raise NoSuchTagSet(BucketName=bucket.name)
    tags: list[Tag] = found["TagSet"]
    return {"TagSet": tags}


@read_write
def delete_bucket_tagging(call: Call, request: DeleteBucketTaggingRequest) -> None:
    bucket = require_bucket(call, request)
    delete_config(call.tx, bucket.name, KIND)


@read_write
def put_object_tagging(call: Call, request: PutObjectTaggingRequest) -> PutObjectTaggingOutput:
    bucket = require_bucket(call, request)
    record = require_version(call.tx, bucket, request, "PUT")
    tags = {} if has_empty_set(request) else check_object_tags(requested_tags(request))
    rewrite(call.tx, record, msgspec.structs.replace(record, tags=tags or None))
    publish(call, bucket, "ObjectTagging:Put", record)
    return {"VersionId": version_label(record)} if bucket.versioning else {}


@read_only
def get_object_tagging(call: Call, request: GetObjectTaggingRequest) -> GetObjectTaggingOutput:
    bucket = require_bucket(call, request)
    try:
        record = require_version(call.tx, bucket, request)
    except NoSuchKey as error:  # this operation names a missing object with its bucket
        error.members["Key"] = f"{bucket.name}/{request['Key']}"
        raise
    tags: Any = tag_set(record.tags or {})
    result: GetObjectTaggingOutput = {"TagSet": tags}
    if bucket.versioning:
        result["VersionId"] = version_label(record)
    return result


@read_write
def delete_object_tagging(call: Call, request: DeleteObjectTaggingRequest) -> DeleteObjectTaggingOutput:
    bucket = require_bucket(call, request)
    record = require_version(call.tx, bucket, request, "DELETE")
    rewrite(call.tx, record, msgspec.structs.replace(record, tags=None))
    publish(call, bucket, "ObjectTagging:Delete", record)
    return {"VersionId": version_label(record)} if bucket.versioning else {}
