"""Multipart uploads: create, upload and copy parts, abort; completing and listing are in modules of their own.

Source: "Uploading and copying objects using multipart upload", S3 User Guide.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.protocol.message import EMPTY_BODY, Body
from cloudlet.emulator.services.s3.api import (
    AbortMultipartUploadOutput,
    AbortMultipartUploadRequest,
    CreateMultipartUploadOutput,
    CreateMultipartUploadRequest,
    UploadPartCopyOutput,
    UploadPartCopyRequest,
    UploadPartOutput,
    UploadPartRequest,
)
from cloudlet.emulator.services.s3.bodies import (
    INLINE_BYTES,
    chunks,
    discard_content,
    keep,
    keep_bytes,
    keep_chunks,
    share,
)
from cloudlet.emulator.services.s3.checksums import (
    DEFAULT,
    MEMBERS,
    Hasher,
    body_digest,
    claimed,
    default_type,
)
from cloudlet.emulator.services.s3.copies import read_source
from cloudlet.emulator.services.s3.encryption import customer_key_md5, show_encryption
from cloudlet.emulator.services.s3.errors import BadDigest, EntityTooLarge, InvalidArgument, InvalidRequest
from cloudlet.emulator.services.s3.history import version_label
from cloudlet.emulator.services.s3.lookup import check_key, require_bucket
from cloudlet.emulator.services.s3.ranges import parse_copy_range
from cloudlet.emulator.services.s3.records import EMPTY, PARTS, UPLOADS, ObjectRecord, PartRecord, UploadRecord
from cloudlet.emulator.services.s3.rules import MAX_PART_NUMBER, MAX_PUT_BYTES, check_storage_class
from cloudlet.emulator.services.s3.uploads import delete_upload, new_upload_id, require_upload
from cloudlet.emulator.services.s3.writes import check_integrity, new_properties

ONLY_FULL = frozenset({"CRC64NVME"})
ONLY_COMPOSITE = frozenset({"SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"})
UNSUPPORTED = (
    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
    "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
)


@read_write
def create_multipart_upload(call: Call, request: CreateMultipartUploadRequest) -> CreateMultipartUploadOutput:
    bucket = require_bucket(call, request)
    key = request["Key"]
    check_key(key)
    algorithm, kind = requested_checksum(request)
    template = ObjectRecord(
        bucket=bucket.name,
        key=key,
        size=0,
        modified=0,
        etag="",
        storage_class=check_storage_class(request.get("StorageClass", "STANDARD")),
        checksum_algorithm=algorithm or DEFAULT,
        checksum_type=kind or "FULL_OBJECT",
        checksum="",
        order=0,
        version_id="",
        body=EMPTY,
        body_id="",
        **new_properties(call, bucket, request),
    )
    upload = UploadRecord(
        bucket=bucket.name,
        key=key,
        upload_id=new_upload_id(call),
        initiated=call.now,
        initiator=call.account_id,
        template=template,
        checksum_algorithm=template.checksum_algorithm,
        checksum_type=template.checksum_type,
        asked_checksum=bool(algorithm),
    )
    UPLOADS.put(call.tx, upload)
    result: dict[str, Any] = {"Bucket": bucket.name, "Key": key, "UploadId": upload.upload_id}
    if algorithm:
        result["ChecksumAlgorithm"] = algorithm
        result["ChecksumType"] = kind
    show_encryption(result, bucket, template.encryption)
    return cast(CreateMultipartUploadOutput, result)


def requested_checksum(request: Mapping[str, Any]) -> tuple[str, str]:
    """(algorithm, type) that an upload asks for; both empty without. Raises InvalidRequest."""
    algorithm, kind = request.get("ChecksumAlgorithm"), request.get("ChecksumType")
    if algorithm is None:
        if kind is not None:
            raise InvalidRequest(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return "", ""
    algorithm = algorithm.upper()
    if algorithm not in MEMBERS:
        raise InvalidRequest(UNSUPPORTED)
    kind = (kind or default_type(algorithm)).upper()
    if kind not in ("COMPOSITE", "FULL_OBJECT"):
        raise InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    if (kind == "COMPOSITE" and algorithm in ONLY_FULL) or (kind == "FULL_OBJECT" and algorithm in ONLY_COMPOSITE):
        raise InvalidRequest(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return algorithm, kind


def check_part_number(number: int) -> None:
    if not 1 <= number <= MAX_PART_NUMBER:
        raise InvalidArgument(
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(number),
        )


@read_write
def upload_part(call: Call, request: UploadPartRequest) -> UploadPartOutput:
    bucket = require_bucket(call, request)
    upload = require_upload(call.tx, request)
    number = request["PartNumber"]
    check_part_number(number)
    body = request.get("Body", EMPTY_BODY)
    if body.size > MAX_PUT_BYTES:
        raise EntityTooLarge(ProposedSize=str(body.size), MaxSizeAllowed=str(MAX_PUT_BYTES))
    check_part_key(upload, request)
    etag = check_integrity(call, request, body)
    shown, checksum = part_checksums(upload, request, body)
    kind, body_id = keep(call, body)
    put_part(call, PartRecord(upload.upload_id, number, body.size, int(call.now), etag, checksum, kind, body_id))
    result: dict[str, Any] = {"ETag": f'"{etag}"', MEMBERS[shown[0]]: shown[1]}
    show_encryption(result, bucket, upload.template.encryption)
    return cast(UploadPartOutput, result)


def check_part_key(upload: UploadRecord, request: Mapping[str, Any]) -> None:
    """The customer's key of an upload must come with each part. Raises InvalidRequest."""
    encryption = upload.template.encryption
    wanted = "" if encryption is None else encryption.customer_key_md5
    given = ""
    if "SSECustomerAlgorithm" in request or "SSECustomerKey" in request:
        given = customer_key_md5(request)
    if wanted and not given:
        raise InvalidRequest(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
            "encryption parameters."
        )
    if given and not wanted:
        raise InvalidRequest(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
            "encryption parameters."
        )
    if given != wanted:
        raise InvalidRequest("The provided encryption parameters did not match the ones used originally.")


def part_checksums(upload: UploadRecord, request: Mapping[str, Any], body: Body) -> tuple[tuple[str, str], str]:
    """((algorithm, checksum) to show, checksum to keep by the upload's algorithm). Raises InvalidRequest, BadDigest."""
    claim = claimed(request, body.trailers)
    wanted = upload.checksum_algorithm
    if upload.asked_checksum and (claim[0] if claim else "null") != wanted and (claim or needs_claim(upload)):
        actual = claim[0].lower() if claim else "null"
        raise InvalidRequest(
            f"Checksum Type mismatch occurred, expected checksum Type: {wanted.lower()}, actual checksum Type: {actual}"
        )
    if claim is None:
        checksum = body_digest(wanted, body)
        return (wanted, checksum), checksum
    if body_digest(claim[0], body) != claim[1]:
        raise BadDigest(f"The {claim[0]} you specified did not match the calculated checksum.")
    return claim, claim[1] if claim[0] == wanted else body_digest(wanted, body)


def needs_claim(upload: UploadRecord) -> bool:
    return upload.checksum_type == "COMPOSITE"


def put_part(call: Call, part: PartRecord) -> None:
    """Store a part; the one with the same number before it goes."""
    old = PARTS.get(call.tx, part.upload_id, part.number)
    if old is not None:
        discard_content(call.tx, old.body, old.body_id)
    PARTS.put(call.tx, part)


@read_write
def upload_part_copy(call: Call, request: UploadPartCopyRequest) -> UploadPartCopyOutput:
    bucket = require_bucket(call, request)
    upload = require_upload(call.tx, request)
    number = request["PartNumber"]
    check_part_number(number)
    check_part_key(upload, request)
    source_bucket, source = read_source(call, request)
    wanted = request.get("CopySourceRange")
    start, length = (0, source.size) if wanted is None else parse_copy_range(wanted, source.size)
    part = copied_part(call, upload, number, source, start, length)
    put_part(call, part)
    shown: dict[str, Any] = {"ETag": f'"{part.etag}"', "LastModified": part.modified}
    if upload.asked_checksum:
        shown[MEMBERS[upload.checksum_algorithm]] = part.checksum
    result: dict[str, Any] = {"CopyPartResult": shown}
    if source_bucket.versioning:
        result["CopySourceVersionId"] = version_label(source)
    show_encryption(result, bucket, upload.template.encryption)
    return cast(UploadPartCopyOutput, result)


def copied_part(
    call: Call, upload: UploadRecord, number: int, source: ObjectRecord, start: int, length: int
) -> PartRecord:
    """A part with `length` bytes of `source`: the whole of a blob is shared, a piece of it copied."""
    algorithm = upload.checksum_algorithm
    whole = length == source.size
    if whole and not source.parts and source.checksum_algorithm == algorithm and source.checksum_type == "FULL_OBJECT":
        kind, body_id = share(call, source.body, source.body_id)
        etag, checksum = source.etag, source.checksum
    else:
        md5, hasher = hashlib.md5(usedforsecurity=False), Hasher(algorithm)
        pieces = digested(chunks(call.tx, source, start, length), md5, hasher)
        if whole:
            kind, body_id = share(call, source.body, source.body_id)
            for _ in pieces:
                pass
        elif length <= INLINE_BYTES:
            kind, body_id = keep_bytes(call, b"".join(pieces))
        else:
            kind, body_id = keep_chunks(call, pieces)
        etag, checksum = md5.hexdigest(), b64encode(hasher.digest()).decode()
    return PartRecord(upload.upload_id, number, length, int(call.now), etag, checksum, kind, body_id)


def digested(pieces: Iterable[bytes], *digests: Any) -> Iterator[bytes]:
    """The same pieces; each digest has seen them."""
    for piece in pieces:
        for digest in digests:
            digest.update(piece)
        yield piece


@read_write
def abort_multipart_upload(call: Call, request: AbortMultipartUploadRequest) -> AbortMultipartUploadOutput:
    require_bucket(call, request)
    delete_upload(call.tx, require_upload(call.tx, request))
    return {}
