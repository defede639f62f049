"""Versioning of buckets, and ListObjectVersions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from heapq import merge
from typing import Any, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    GetBucketVersioningOutput,
    GetBucketVersioningRequest,
    ListObjectVersionsOutput,
    ListObjectVersionsRequest,
    PutBucketVersioningRequest,
)
from cloudlet.emulator.services.s3.errors import (
    IllegalVersioningConfigurationException,
    InvalidArgument,
    InvalidBucketState,
    MalformedXML,
)
from cloudlet.emulator.services.s3.history import find_version, version_label
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.paging import Page, check_encoding, page_limit, start_after, take
from cloudlet.emulator.services.s3.records import (
    BUCKETS,
    CURRENT,
    ENABLED,
    SUSPENDED,
    VERSIONS,
    BucketRecord,
    ObjectRecord,
)
from cloudlet.emulator.services.s3.rules import owner_of
from cloudlet.emulator.store.kv import Transaction


@read_write
def put_bucket_versioning(call: Call, request: PutBucketVersioningRequest) -> None:
    bucket = require_bucket(call, request)
    configuration: Mapping[str, Any] = element(request, "VersioningConfiguration")
    status = configuration.get("Status")
    if status is None:
        raise IllegalVersioningConfigurationException
    if status not in (ENABLED, SUSPENDED):
        raise MalformedXML
    if status == SUSPENDED and bucket.object_lock:
        raise InvalidBucketState(
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        )
    mfa = configuration.get("MFADelete", bucket.mfa_delete)
    BUCKETS.put(call.tx, msgspec.structs.replace(bucket, versioning=status, mfa_delete=mfa))


@read_only
def get_bucket_versioning(call: Call, request: GetBucketVersioningRequest) -> GetBucketVersioningOutput:
    bucket = require_bucket(call, request)
    result: GetBucketVersioningOutput = {}
    if bucket.versioning:
        result["Status"] = bucket.versioning
    if bucket.mfa_delete:
        result["MFADelete"] = bucket.mfa_delete
    return result


@read_only
def list_object_versions(call: Call, request: ListObjectVersionsRequest) -> ListObjectVersionsOutput:
    bucket = require_bucket(call, request)
    encode = check_encoding(request.get("EncodingType"))
    limit, shown_limit = page_limit(request.get("MaxKeys"))
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    key_marker, version_marker = request.get("KeyMarker", ""), request.get("VersionIdMarker", "")
    if "VersionIdMarker" in request and "KeyMarker" not in request:
        raise InvalidArgument(
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=version_marker,
        )
    page = page_of(call.tx, bucket, prefix, delimiter, key_marker, version_marker, limit)
    result: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": encode(prefix),
        "KeyMarker": encode(key_marker),
        "VersionIdMarker": version_marker,
        "MaxKeys": shown_limit,
        "IsTruncated": page.truncated,
    }
    if page.truncated:
        result["NextKeyMarker"] = encode(page.last)
        if page.entries and page.entries[-1].key == page.last:
            result["NextVersionIdMarker"] = version_label(page.entries[-1])
    add_versions(result, page, encode, key_marker if version_marker else "")
    if page.prefixes:
        result["CommonPrefixes"] = [{"Prefix": encode(name)} for name in page.prefixes]
    if delimiter:
        result["Delimiter"] = encode(delimiter)
    if "EncodingType" in request:
        result["EncodingType"] = request["EncodingType"]
    return cast(ListObjectVersionsOutput, result)


def page_of(
    tx: Transaction, bucket: BucketRecord, prefix: str, delimiter: str, key: str, version_id: str, limit: int
) -> Page[ObjectRecord]:
    scan = partial(all_versions, tx, bucket.name, prefix)
    start = start_after(key, prefix, delimiter)
    if key and version_id and "after" in start:
        found = find_version(tx, bucket.name, key, version_id)
        if found is None:
            raise InvalidArgument(
                "Invalid version id specified", ArgumentName="version-id-marker", ArgumentValue=version_id
            )
        start = {"after": (key, found.order)}
    return take(scan, prefix, delimiter, start, limit)


def all_versions(
    tx: Transaction, bucket: str, prefix: str, after: tuple[Any, ...] | None = None, beyond: str | None = None
) -> Iterator[ObjectRecord]:
    """All versions and delete markers by key, the newest of a key first."""
    starts_with = prefix or None
    current = CURRENT.scan(
        tx, bucket, starts_with=starts_with, after=None if after is None else after[:1], beyond=beyond
    )
    older = VERSIONS.scan(tx, bucket, starts_with=starts_with, after=after, beyond=beyond)
    return merge(current, older, key=lambda record: (record.key, record.order))


def add_versions(result: dict[str, Any], page: Page[ObjectRecord], encode: Any, resumed_key: str) -> None:
    """`Versions` and `DeleteMarkers`. The first entry of a key is its newest, except of the key that the page resumes."""
    versions, markers = [], []
    seen = resumed_key
    for record in page.entries:
        shown: dict[str, Any] = {
            "Key": encode(record.key),
            "VersionId": version_label(record),
            "IsLatest": record.key != seen,
            "LastModified": record.modified,
            "Owner": owner_of(record.owner),
        }
        seen = record.key
        if record.is_marker:
            markers.append(shown)
            continue
        shown["ETag"] = f'"{record.etag}"'
        shown["Size"] = record.size
        shown["StorageClass"] = record.storage_class or "STANDARD"
        if record.checksum_algorithm:
            shown["ChecksumAlgorithm"] = [record.checksum_algorithm]
            shown["ChecksumType"] = record.checksum_type
        versions.append(shown)
    if versions:
        result["Versions"] = versions
    if markers:
        result["DeleteMarkers"] = markers
