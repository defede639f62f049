"""CompleteMultipartUpload: parts become an object, without being copied."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.s3 import history
from cloudlet.emulator.services.s3.api import CompleteMultipartUploadOutput, CompleteMultipartUploadRequest
from cloudlet.emulator.services.s3.bodies import join, new_body_id
from cloudlet.emulator.services.s3.checksums import MEMBERS, combined, composite
from cloudlet.emulator.services.s3.conditions import bare_etag, check_write
from cloudlet.emulator.services.s3.encryption import show_encryption
from cloudlet.emulator.services.s3.errors import (
    BadDigest,
    ConditionalRequestConflict,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    MalformedXML,
)
from cloudlet.emulator.services.s3.events import publish
from cloudlet.emulator.services.s3.lifecycle import expiration_header
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import (
    CURRENT,
    MANIFESTS,
    PARTS,
    BucketRecord,
    ManifestRecord,
    ObjectRecord,
    PartRecord,
    Segment,
    UploadRecord,
)
from cloudlet.emulator.services.s3.rules import MIN_PART_BYTES
from cloudlet.emulator.services.s3.uploads import delete_upload, require_upload
from cloudlet.emulator.store.kv import Transaction


@read_write
def complete_multipart_upload(call: Call, request: CompleteMultipartUploadRequest) -> CompleteMultipartUploadOutput:
    bucket = require_bucket(call, request)
    current = CURRENT.get(call.tx, bucket.name, request["Key"])
    if current is not None and current.parts and made_by(call.tx, current, request["UploadId"]):
        return shown_completion(call, bucket, current)  # the client asks again because it missed the answer
    upload = require_upload(call.tx, request)
    stated = element(request, "MultipartUpload").get("Parts")
    if not stated:
        raise MalformedXML if "MultipartUpload" in request else InvalidRequest("You must specify at least one part")
    if "IfMatch" in request or "IfNoneMatch" in request:
        check_write(request, upload.key, None if current is None else current.etag)
        check_no_conflict(upload, request, current)
    parts = chosen_parts(call, upload, stated)
    checksum = object_checksum(upload, parts, request)
    return shown_completion(call, bucket, write_completed(call, bucket, upload, parts, checksum, current))


def made_by(tx: Transaction, record: ObjectRecord, upload_id: str) -> bool:
    manifest = MANIFESTS.get(tx, record.body_id)
    return manifest is not None and manifest.upload_id == upload_id


def shown_completion(call: Call, bucket: BucketRecord, record: ObjectRecord) -> CompleteMultipartUploadOutput:
    result: dict[str, Any] = {
        "Location": f"https://{bucket.name}.s3.{bucket.region}.amazonaws.com/{quote(record.key)}",
        "Bucket": bucket.name,
        "Key": record.key,
        "ETag": f'"{record.etag}"',
        MEMBERS[record.checksum_algorithm]: record.checksum,
        "ChecksumType": record.checksum_type,
    }
    show_encryption(result, bucket, record.encryption)
    if bucket.versioning and record.version_id:
        result["VersionId"] = record.version_id
    if bucket.has_lifecycle:
        expires = expiration_header(call.tx, record)
        if expires:
            result["Expiration"] = expires
    return cast(CompleteMultipartUploadOutput, result)


def check_no_conflict(upload: UploadRecord, request: Mapping[str, Any], current: ObjectRecord | None) -> None:
    """A condition holds only if nobody touched the key since the upload began. Raises ConditionalRequestConflict."""
    written = current is not None and -current.order > upload.initiated * 1_000_000
    if written or (upload.conflicted and "IfNoneMatch" in request):
        condition = "If-Match" if "IfMatch" in request else "If-None-Match"
        raise ConditionalRequestConflict(Condition=condition, Key=upload.key)


def chosen_parts(call: Call, upload: UploadRecord, stated: Sequence[Mapping[str, Any]]) -> list[PartRecord]:
    """The parts that the request names, checked. Raises InvalidPartOrder, InvalidPart, EntityTooSmall, MalformedXML."""
    parts: list[PartRecord] = []
    before = 0
    member = MEMBERS[upload.checksum_algorithm]
    for entry in stated:
        if "PartNumber" not in entry or "ETag" not in entry:
            raise MalformedXML
        number = entry["PartNumber"]
        if number <= before:
            raise InvalidPartOrder(UploadId=upload.upload_id)
        before = number
        part = PARTS.get(call.tx, upload.upload_id, number)
        etag = bare_etag(entry["ETag"])
        wrong = part is None or part.etag != etag or (member in entry and entry[member] != part.checksum)
        if part is None or wrong:
            raise InvalidPart(ETag=etag, PartNumber=str(number), UploadId=upload.upload_id)
        if upload.asked_checksum and upload.checksum_type == "COMPOSITE" and member not in entry:
            raise InvalidRequest(
                f"The upload was created using a {upload.checksum_algorithm.lower()} checksum. The complete request "
                f"must include the checksum for each part. It was missing for part {number} in the request."
            )
        parts.append(part)
    for part in parts[:-1]:
        if part.size < MIN_PART_BYTES:
            raise EntityTooSmall(
                ETag=part.etag,
                PartNumber=str(part.number),
                MinSizeAllowed=str(MIN_PART_BYTES),
                ProposedSize=str(part.size),
            )
    return parts


def object_checksum(upload: UploadRecord, parts: list[PartRecord], request: Mapping[str, Any]) -> str:
    """The checksum of the whole, against what the request claims. Raises InvalidRequest and BadDigest."""
    size = sum(part.size for part in parts)
    claimed_size = request.get("MpuObjectSize")
    if claimed_size is not None and int(claimed_size) != size:
        raise InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {claimed_size} does not match what was computed: {size}"
        )
    kind = request.get("ChecksumType")
    if kind is not None and kind != upload.checksum_type:
        raise InvalidRequest(
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete request must use the "
            "same checksum mode."
        )
    algorithm = upload.checksum_algorithm
    if upload.checksum_type == "COMPOSITE":
        checksum = composite(algorithm, (part.checksum for part in parts))
    else:
        checksum = combined(algorithm, ((part.checksum, part.size) for part in parts))
    claim = request.get(MEMBERS[algorithm])
    if claim is not None and claim.partition("-")[0] != checksum.partition("-")[0]:
        raise BadDigest(f"The {algorithm.lower()} you specified did not match the calculated checksum.")
    return checksum


def write_completed(
    call: Call,
    bucket: BucketRecord,
    upload: UploadRecord,
    parts: list[PartRecord],
    checksum: str,
    current: ObjectRecord | None,
) -> ObjectRecord:
    """Store the object and forget the upload."""
    tx = call.tx
    order, version_id = history.next_version(call, bucket, upload.key, current)
    kind, body_id = join(call, parts)
    body_id = body_id or new_body_id(call)  # the manifest of an empty object needs a name too
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    record = msgspec.structs.replace(
        upload.template,
        size=sum(part.size for part in parts),
        modified=int(call.now),
        etag=f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}",
        checksum=checksum,
        order=order,
        version_id=version_id,
        body=kind,
        body_id=body_id,
        parts=len(parts),
    )
    history.add(tx, bucket, record, current)
    publish(call, bucket, "ObjectCreated:CompleteMultipartUpload", record)
    keep_checksums = upload.asked_checksum
    segments = tuple(Segment(part.number, part.size, part.checksum if keep_checksums else "") for part in parts)
    MANIFESTS.put(tx, ManifestRecord(body_id, segments, upload.upload_id))
    for part in parts:  # their content belongs to the object now
        PARTS.delete(tx, part.upload_id, part.number)
    delete_upload(tx, upload)
    return record
