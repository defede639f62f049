"""GetObject, HeadObject and GetObjectAttributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.s3.api import (
    GetObjectAttributesOutput,
    GetObjectAttributesRequest,
    GetObjectOutput,
    GetObjectRequest,
    HeadObjectOutput,
    HeadObjectRequest,
)
from cloudlet.emulator.services.s3.bodies import content
from cloudlet.emulator.services.s3.checksums import MEMBERS
from cloudlet.emulator.services.s3.conditions import check_read
from cloudlet.emulator.services.s3.encryption import check_customer_key, show_encryption
from cloudlet.emulator.services.s3.errors import (
    InvalidArgument,
    InvalidObjectState,
    InvalidPartNumber,
    InvalidRequest,
)
from cloudlet.emulator.services.s3.history import require_version, version_label
from cloudlet.emulator.services.s3.lifecycle import expiration_header
from cloudlet.emulator.services.s3.lookup import check_key, require_bucket
from cloudlet.emulator.services.s3.object_lock import show_lock
from cloudlet.emulator.services.s3.ranges import parse_range
from cloudlet.emulator.services.s3.records import MANIFESTS, BucketRecord, ObjectRecord, Segment
from cloudlet.emulator.services.s3.rules import ARCHIVED, MAX_PART_NUMBER
from cloudlet.emulator.services.s3.times import http_second
from cloudlet.emulator.store.kv import Transaction

# request member -> member of the answer that it overrides
OVERRIDES = (
    ("ResponseCacheControl", "CacheControl"),
    ("ResponseContentDisposition", "ContentDisposition"),
    ("ResponseContentEncoding", "ContentEncoding"),
    ("ResponseContentLanguage", "ContentLanguage"),
    ("ResponseContentType", "ContentType"),
    ("ResponseExpires", "Expires"),
)
WORD_START = re.compile(r"(?<!^)(?=[A-Z])")
ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")


@read_only
def get_object(call: Call, request: GetObjectRequest) -> GetObjectOutput:
    result, record, start, length = read(call, request, "GET")
    result["Body"] = content(call.tx, record, start, length)
    return cast(GetObjectOutput, result)


@read_only
def head_object(call: Call, request: HeadObjectRequest) -> HeadObjectOutput:
    return cast(HeadObjectOutput, read(call, request, "HEAD")[0])


def read(call: Call, request: Mapping[str, Any], method: str) -> tuple[dict[str, Any], ObjectRecord, int, int]:
    """What GetObject and HeadObject answer, the object, and the slice (start, length) of it that is meant."""
    bucket = require_bucket(call, request)
    tx = call.tx
    record = require_version(tx, bucket, request, method)
    if record.storage_class in ARCHIVED and method == "GET":
        check_restored(call, record)
    if record.encryption is not None or "SSECustomerAlgorithm" in request or "SSECustomerKey" in request:
        check_customer_key(record, request)
    if (
        "IfMatch" in request
        or "IfNoneMatch" in request
        or "IfModifiedSince" in request
        or "IfUnmodifiedSince" in request
    ):
        check_read(request, record.etag, record.modified, call.now, not_modified_headers(bucket, record))
    if call.http is not None and "x-amz-server-side-encryption" in call.http.headers:
        raise InvalidArgument(
            "x-amz-server-side-encryption header is not supported for this operation.",
            ArgumentName="x-amz-server-side-encryption",
            ArgumentValue=call.http.headers["x-amz-server-side-encryption"],
        )
    start, length = 0, record.size
    result: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": record.modified,
        "ContentLength": length,
        "ETag": f'"{record.etag}"',
        "ContentType": record.content_type,
        "Metadata": record.metadata or {},
    }
    if record.headers is not None:
        result.update(record.headers)
    show_encryption(result, bucket, record.encryption)
    if bucket.versioning:
        result["VersionId"] = version_label(record)
    if record.storage_class:
        result["StorageClass"] = record.storage_class
    if "Range" in request or "PartNumber" in request:
        start, length = partial(tx, record, request, result)
    elif wants_checksum(request) and record.checksum:
        show_checksum(result, record)
    if record.tags:
        result["TagCount"] = len(record.tags)
    if record.lock is not None:
        show_lock(result, record)
    if bucket.has_lifecycle:
        expires = expiration_header(tx, record)
        if expires:
            result["Expiration"] = expires
    if record.restore is not None:
        result["Restore"] = f'ongoing-request="false", expiry-date="{http_second(int(record.restore.expiry))}"'
    if call.http is not None and "response-" in call.http.query:
        override(call, request, result)
    return result, record, start, length


def override(call: Call, request: Mapping[str, Any], result: dict[str, Any]) -> None:
    """The `response-…` parameters. Raises InvalidRequest for anonymous callers, InvalidArgument outside Latin-1."""
    for name, member in OVERRIDES:
        value = request.get(name)
        if value is None:
            continue
        if call.principal.kind == "anonymous":
            raise InvalidRequest("Request specific response headers cannot be used for anonymous GET requests.")
        if isinstance(value, str) and any(character > "\u00ff" for character in value):
            raise InvalidArgument(
                "Header value cannot be represented using ISO-8859-1.",
                ArgumentName="response-" + kebab(name),
                ArgumentValue=value,
            )
        result[member] = value


def kebab(name: str) -> str:
    """`ResponseCacheControl` -> `cache-control`."""
    return WORD_START.sub("-", name.removeprefix("Response")).lower()


def not_modified_headers(bucket: BucketRecord, record: ObjectRecord) -> dict[str, str]:
    """The headers of a 304."""
    headers = {"ETag": f'"{record.etag}"', "Last-Modified": http_second(record.modified)}
    if bucket.versioning:
        headers["x-amz-version-id"] = version_label(record)
    if record.headers and "CacheControl" in record.headers:
        headers["Cache-Control"] = str(record.headers["CacheControl"])
    return headers


def check_restored(call: Call, record: ObjectRecord) -> None:
    """Raises InvalidObjectState for an archived object without a restored copy."""
    if record.restore is None or record.restore.expiry < call.now:
        raise InvalidObjectState(StorageClass=record.storage_class)


def wants_checksum(request: Mapping[str, Any]) -> bool:
    mode = request.get("ChecksumMode")
    return mode is not None and mode.upper() == "ENABLED"


def show_checksum(result: dict[str, Any], record: ObjectRecord) -> None:
    result[MEMBERS[record.checksum_algorithm]] = record.checksum
    result["ChecksumType"] = record.checksum_type


def partial(
    tx: Transaction, record: ObjectRecord, request: Mapping[str, Any], result: dict[str, Any]
) -> tuple[int, int]:
    """The slice (start, length) that a range or part number asks for; `result` gets what goes with it."""
    if "PartNumber" in request:
        if "Range" in request:
            raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
        start, length = part_slice(tx, record, request["PartNumber"], request, result)
    else:
        wanted = parse_range(request["Range"], record.size)
        if wanted is None:
            if wants_checksum(request) and record.checksum:
                show_checksum(result, record)
            return 0, record.size
        start, length = wanted
    result["ContentLength"] = length
    if record.size:
        result["ContentRange"] = f"bytes {start}-{start + length - 1}/{record.size}"
    whole = start == 0 and length == record.size and "PartNumber" not in request
    if whole and wants_checksum(request) and record.checksum:
        show_checksum(result, record)
    return start, length


def part_slice(
    tx: Transaction, record: ObjectRecord, number: int, request: Mapping[str, Any], result: dict[str, Any]
) -> tuple[int, int]:
    if not 1 <= number <= MAX_PART_NUMBER:
        raise InvalidArgument(
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(number),
        )
    show = wants_checksum(request)
    if not record.parts:
        if number != 1:
            raise InvalidPartNumber(PartNumberRequested=str(number), ActualPartCount="1")
        if show and record.checksum:
            show_checksum(result, record)
        return 0, record.size
    start = 0
    result["PartsCount"] = record.parts
    for segment in segments(tx, record):
        if segment.number == number:
            if show and segment.checksum and (record.checksum_type == "COMPOSITE" or record.parts == 1):
                result[MEMBERS[record.checksum_algorithm]] = segment.checksum
                result["ChecksumType"] = record.checksum_type
            return start, segment.size
        start += segment.size
    raise InvalidPartNumber(PartNumberRequested=str(number), ActualPartCount=str(record.parts))


def segments(tx: Transaction, record: ObjectRecord) -> tuple[Segment, ...]:
    """The parts of a multipart object, in order."""
    manifest = MANIFESTS.get(tx, record.body_id)
    return () if manifest is None else manifest.segments


@read_only
def get_object_attributes(call: Call, request: GetObjectAttributesRequest) -> GetObjectAttributesOutput:
    bucket = require_bucket(call, request)
    check_key(request["Key"])
    record = require_version(call.tx, bucket, request)
    check_customer_key(record, request)
    wanted = [name.strip() for entry in request.get("ObjectAttributes") or () for name in entry.split(",")]
    if not wanted or any(name not in ATTRIBUTES for name in wanted):
        raise InvalidArgument(
            "Invalid attribute name specified.",
            ArgumentName="x-amz-object-attributes",
            ArgumentValue=",".join(wanted),
        )
    result: dict[str, Any] = {"LastModified": record.modified}
    if bucket.versioning:
        result["VersionId"] = version_label(record)
    if "ETag" in wanted:
        result["ETag"] = record.etag
    if "StorageClass" in wanted:
        result["StorageClass"] = record.storage_class or "STANDARD"
    if "ObjectSize" in wanted:
        result["ObjectSize"] = record.size
    if "Checksum" in wanted and record.checksum:
        shown = record.checksum.partition("-")[0]  # without the number of parts
        result["Checksum"] = {MEMBERS[record.checksum_algorithm]: shown, "ChecksumType": record.checksum_type}
    if "ObjectParts" in wanted and record.parts:
        result["ObjectParts"] = object_parts(call, record, request)
    return cast(GetObjectAttributesOutput, result)


def object_parts(call: Call, record: ObjectRecord, request: Mapping[str, Any]) -> dict[str, Any]:
    """The `ObjectParts` element; parts themselves are shown where they have checksums of their own."""
    if record.checksum_type != "COMPOSITE":
        return {"TotalPartsCount": record.parts}
    limit = min(request.get("MaxParts", 1000), 1000)
    marker = int(request.get("PartNumberMarker") or 0)
    after = [segment for segment in segments(call.tx, record) if segment.number > marker]
    page = after[:limit]
    member = MEMBERS[record.checksum_algorithm]
    return {
        "TotalPartsCount": record.parts,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(after) > limit,
        "Parts": [{"PartNumber": part.number, "Size": part.size, member: part.checksum} for part in page],
    }
