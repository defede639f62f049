"""CopyObject and RenameObject, and the reading of a copy's source, which UploadPartCopy shares."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote, unquote_plus

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.s3 import history
from cloudlet.emulator.services.s3.api import CopyObjectOutput, CopyObjectRequest
from cloudlet.emulator.services.s3.bodies import chunks, share
from cloudlet.emulator.services.s3.checksums import DEFAULT, MEMBERS, Hasher
from cloudlet.emulator.services.s3.conditions import check_copy_source, check_write
from cloudlet.emulator.services.s3.encryption import check_customer_key, show_encryption
from cloudlet.emulator.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    NoSuchBucket,
    ObjectNotInActiveTierError,
)
from cloudlet.emulator.services.s3.events import publish
from cloudlet.emulator.services.s3.history import require_version, version_label
from cloudlet.emulator.services.s3.lifecycle import expiration_header
from cloudlet.emulator.services.s3.lookup import check_key, check_owner, require_bucket
from cloudlet.emulator.services.s3.records import BUCKETS, CURRENT, BucketRecord, ObjectRecord
from cloudlet.emulator.services.s3.rules import ARCHIVED, MAX_PUT_BYTES, check_storage_class
from cloudlet.emulator.services.s3.writes import new_properties
from cloudlet.emulator.store.kv import Transaction

DIRECTIVES = ("COPY", "REPLACE")
TO_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)


def split_source(source: str) -> tuple[str, str, str | None]:
    """(bucket, key, version id) of `x-amz-copy-source`. Raises InvalidArgument."""
    path, _, query = source.partition("?")
    if path.startswith(("http://", "https://")):
        path = path.partition("//")[2].partition("/")[2]  # AWS takes a path-style URL as well
    bucket, slash, key = unquote_plus(path).removeprefix("/").partition("/")
    if bucket.startswith("arn:") and "/object/" in key:
        key = key.partition("/object/")[2]
    if not slash or not bucket or not key:
        raise InvalidArgument(
            "Invalid copy source bucket name" if not bucket else "Invalid copy source object key",
            ArgumentName="x-amz-copy-source",
            ArgumentValue="x-amz-copy-source",
        )
    version_id = None
    if query:
        name, _, value = query.partition("=")
        if name != "versionId":
            raise InvalidArgument(
                f"Unsupported copy source parameter: {name}", ArgumentName="x-amz-copy-source", ArgumentValue=query
            )
        version_id = unquote(value)
        if not version_id:
            raise InvalidArgument(
                "Version id cannot be the empty string", ArgumentName="x-amz-copy-source", ArgumentValue=query
            )
    return bucket, key, version_id


def read_source(call: Call, request: Mapping[str, Any]) -> tuple[BucketRecord, ObjectRecord]:
    """The source of a copy after all its checks."""
    name, key, version_id = split_source(request["CopySource"])
    bucket = BUCKETS.get(call.tx, name)
    if bucket is None:
        raise NoSuchBucket(BucketName=name)
    expected = request.get("ExpectedSourceBucketOwner")
    if expected is not None:
        check_owner(expected, bucket)
    named = {"Key": key} if version_id is None else {"Key": key, "VersionId": version_id}
    record = require_source_version(call.tx, bucket, named)
    if record.storage_class in ARCHIVED and (record.restore is None or record.restore.expiry < call.now):
        raise ObjectNotInActiveTierError
    check_customer_key(record, request, "CopySource")
    check_copy_source(request, record.etag, record.modified, call.now)
    return bucket, record


def require_source_version(tx: Transaction, bucket: BucketRecord, named: Mapping[str, str]) -> ObjectRecord:
    version_id = named.get("VersionId")
    if version_id is not None:
        found = history.find_version(tx, bucket.name, named["Key"], version_id)
        if found is not None and found.is_marker:
            raise InvalidRequest(
                "The source of a copy request may not specifically refer to a delete marker by version id."
            )
    return require_version(tx, bucket, named)


@read_write
def copy_object(call: Call, request: CopyObjectRequest) -> CopyObjectOutput:
    bucket = require_bucket(call, request)
    key = request["Key"]
    check_key(key)
    source_bucket, source = read_source(call, request)
    for member, header in (
        ("MetadataDirective", "x-amz-metadata-directive"),
        ("TaggingDirective", "x-amz-tagging-directive"),
    ):
        directive = request.get(member)
        if directive is not None and directive not in DIRECTIVES:
            what = "metadata" if member == "MetadataDirective" else "tagging"
            raise InvalidArgument(f"Unknown {what} directive.", ArgumentName=header, ArgumentValue=str(directive))
    if source.size > MAX_PUT_BYTES:
        raise InvalidRequest(
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
        )
    current = CURRENT.get(call.tx, bucket.name, key)
    to_itself = current is not None and current.order == source.order and source_bucket.name == bucket.name
    if to_itself and key == source.key and not changes_something(bucket, request):
        raise InvalidRequest(TO_ITSELF)
    if "IfMatch" in request or "IfNoneMatch" in request:
        check_write(request, key, None if current is None else current.etag)
    record = write_copy(call, bucket, request, source, current)
    shown: dict[str, Any] = {"ETag": f'"{record.etag}"', "LastModified": record.modified}
    if record.checksum:
        shown[MEMBERS[record.checksum_algorithm]] = record.checksum
        shown["ChecksumType"] = record.checksum_type
    result: dict[str, Any] = {"CopyObjectResult": shown}
    show_encryption(result, bucket, record.encryption)
    if source_bucket.versioning:
        result["CopySourceVersionId"] = version_label(source)
    if record.version_id:
        result["VersionId"] = record.version_id
    if bucket.has_lifecycle:
        expires = expiration_header(call.tx, record)
        if expires:
            result["Expiration"] = expires
    return cast(CopyObjectOutput, result)


def changes_something(bucket: BucketRecord, request: Mapping[str, Any]) -> bool:
    """Whether a copy of an object onto itself has a reason."""
    return (
        request.get("MetadataDirective") == "REPLACE"
        or any(
            member in request
            for member in (
                "StorageClass", "ServerSideEncryption", "SSECustomerAlgorithm", "WebsiteRedirectLocation",
                "CopySourceSSECustomerAlgorithm", "ChecksumAlgorithm",
            )
        )
        or bucket.encryption.algorithm != "AES256"
    )  # fmt: skip


def write_copy(
    call: Call, bucket: BucketRecord, request: Mapping[str, Any], source: ObjectRecord, current: ObjectRecord | None
) -> ObjectRecord:
    """Store the copy as the current version of the request's key."""
    etag, algorithm, checksum = copied_digests(call.tx, request, source)
    order, version_id = history.next_version(call, bucket, request["Key"], current)
    kind, body_id = share(call, source.body, source.body_id)
    record = ObjectRecord(
        bucket=bucket.name,
        key=request["Key"],
        size=source.size,
        modified=int(call.now),
        etag=etag,
        storage_class=check_storage_class(request.get("StorageClass", "STANDARD")),
        checksum_algorithm=algorithm,
        checksum_type="FULL_OBJECT",
        checksum=checksum,
        order=order,
        version_id=version_id,
        body=kind,
        body_id=body_id,
        **new_properties(call, bucket, request),
    )
    if request.get("MetadataDirective") != "REPLACE":
        headers = {name: value for name, value in (source.headers or {}).items() if name != "WebsiteRedirectLocation"}
        if "WebsiteRedirectLocation" in request:
            headers["WebsiteRedirectLocation"] = request["WebsiteRedirectLocation"]
        record = msgspec.structs.replace(
            record, headers=headers or None, metadata=source.metadata, content_type=source.content_type
        )
    if request.get("TaggingDirective") != "REPLACE":
        record = msgspec.structs.replace(record, tags=source.tags)
    history.add(call.tx, bucket, record, current)
    publish(call, bucket, "ObjectCreated:Copy", record)
    return record


def copied_digests(tx: Transaction, request: Mapping[str, Any], source: ObjectRecord) -> tuple[str, str, str]:
    """(ETag, checksum algorithm, checksum) of a copy; the content is read only where the source does not tell them."""
    wanted = request.get("ChecksumAlgorithm") or source.checksum_algorithm or DEFAULT
    if wanted not in MEMBERS:
        raise InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
        )
    know_checksum = wanted == source.checksum_algorithm and source.checksum_type == "FULL_OBJECT"
    if know_checksum and not source.parts:
        return source.etag, wanted, source.checksum
    md5 = hashlib.md5(usedforsecurity=False)
    hasher = Hasher(wanted)
    for chunk in chunks(tx, source, 0, source.size):
        if source.parts:
            md5.update(chunk)
        if not know_checksum:
            hasher.update(chunk)
    etag = md5.hexdigest() if source.parts else source.etag
    return etag, wanted, source.checksum if know_checksum else b64encode(hasher.digest()).decode()
