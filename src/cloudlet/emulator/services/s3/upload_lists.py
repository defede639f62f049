"""ListParts and ListMultipartUploads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.s3.api import (
    ListMultipartUploadsOutput,
    ListMultipartUploadsRequest,
    ListPartsOutput,
    ListPartsRequest,
)
from cloudlet.emulator.services.s3.checksums import MEMBERS
from cloudlet.emulator.services.s3.errors import InvalidArgument
from cloudlet.emulator.services.s3.lookup import require_bucket
from cloudlet.emulator.services.s3.paging import check_encoding, page_limit, start_after, take
from cloudlet.emulator.services.s3.records import PARTS, UPLOADS, UploadRecord
from cloudlet.emulator.services.s3.rules import display_name, owner_of
from cloudlet.emulator.services.s3.uploads import require_upload
from cloudlet.emulator.store.kv import Transaction


@read_only
def list_parts(call: Call, request: ListPartsRequest) -> ListPartsOutput:
    bucket = require_bucket(call, request)
    upload = require_upload(call.tx, request)
    limit, shown_limit = page_limit(request.get("MaxParts"), "max-parts")
    marker = request.get("PartNumberMarker", 0)
    parts = list(islice(PARTS.scan(call.tx, upload.upload_id, after=(int(marker),)), limit + 1))
    truncated = len(parts) > limit
    member = MEMBERS[upload.checksum_algorithm]
    shown_parts = []
    for part in parts[:limit]:
        shown: dict[str, Any] = {
            "PartNumber": part.number,
            "LastModified": part.modified,
            "ETag": f'"{part.etag}"',
            "Size": part.size,
        }
        if upload.asked_checksum:
            shown[member] = part.checksum
        shown_parts.append(shown)
    result: dict[str, Any] = {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "PartNumberMarker": int(marker),
        "NextPartNumberMarker": shown_parts[-1]["PartNumber"] if shown_parts else 0,
        "MaxParts": shown_limit,
        "IsTruncated": truncated,
        "Initiator": initiator(call, upload),
        "Owner": owner_of(upload.template.owner),
        "StorageClass": upload.template.storage_class or "STANDARD",
    }
    if shown_parts:
        result["Parts"] = shown_parts
    if upload.asked_checksum:
        result["ChecksumAlgorithm"] = upload.checksum_algorithm
        result["ChecksumType"] = upload.checksum_type
    return cast(ListPartsOutput, result)


def initiator(call: Call, upload: UploadRecord) -> dict[str, str]:
    return {
        "ID": f"arn:{call.partition}:iam::{upload.initiator}:root",
        "DisplayName": display_name(upload.initiator),
    }


@read_only
def list_multipart_uploads(call: Call, request: ListMultipartUploadsRequest) -> ListMultipartUploadsOutput:
    bucket = require_bucket(call, request)
    encode = check_encoding(request.get("EncodingType"))
    limit, shown_limit = page_limit(request.get("MaxUploads"), "max-uploads")
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    key_marker, id_marker = request.get("KeyMarker", ""), request.get("UploadIdMarker", "")
    start = start_after(key_marker, prefix, delimiter)
    if key_marker and id_marker and "after" in start:
        if not UPLOADS.exists(call.tx, bucket.name, key_marker, id_marker):
            raise InvalidArgument("Invalid uploadId marker", ArgumentName="upload-id-marker", ArgumentValue=id_marker)
        start = {"after": (key_marker, id_marker)}
    page = take(partial(uploads, call.tx, bucket.name, prefix), prefix, delimiter, start, limit)
    result: dict[str, Any] = {
        "Bucket": bucket.name,
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker if key_marker else "",
        "MaxUploads": shown_limit,
        "IsTruncated": page.truncated,
        "NextKeyMarker": encode(page.last) if page.entries or page.truncated else "",
        "NextUploadIdMarker": "",
    }
    if page.entries and page.entries[-1].key == page.last:
        result["NextUploadIdMarker"] = page.entries[-1].upload_id
    if page.entries:
        result["Uploads"] = [shown_upload(call, upload, encode(upload.key)) for upload in page.entries]
    if page.prefixes:
        result["CommonPrefixes"] = [{"Prefix": encode(name)} for name in page.prefixes]
    if "Prefix" in request:
        result["Prefix"] = encode(prefix)
    if delimiter:
        result["Delimiter"] = encode(delimiter)
    if "EncodingType" in request:
        result["EncodingType"] = request["EncodingType"]
    return cast(ListMultipartUploadsOutput, result)


def uploads(
    tx: Transaction, bucket: str, prefix: str, after: tuple[str, ...] | None = None, beyond: str | None = None
) -> Iterator[UploadRecord]:
    return UPLOADS.scan(tx, bucket, starts_with=prefix or None, after=after, beyond=beyond)


def shown_upload(call: Call, upload: UploadRecord, key: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "UploadId": upload.upload_id,
        "Key": key,
        "Initiated": float(int(upload.initiated)),
        "StorageClass": upload.template.storage_class or "STANDARD",
        "Owner": owner_of(upload.template.owner),
        "Initiator": initiator(call, upload),
    }
    if upload.asked_checksum:
        shown["ChecksumAlgorithm"] = upload.checksum_algorithm
        shown["ChecksumType"] = upload.checksum_type
    return shown
