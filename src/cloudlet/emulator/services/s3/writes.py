"""PutObject, and what all ways of writing an object share: headers, encryption, tags, locks, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.protocol.message import EMPTY_BODY, Body
from cloudlet.emulator.services.s3 import history
from cloudlet.emulator.services.s3.acls import check_public_acl_allowed, object_grants
from cloudlet.emulator.services.s3.api import PutObjectOutput, PutObjectRequest
from cloudlet.emulator.services.s3.bodies import keep
from cloudlet.emulator.services.s3.checksums import MEMBERS, accept, body_md5, check_md5, check_payload_hash
from cloudlet.emulator.services.s3.conditions import check_write
from cloudlet.emulator.services.s3.encryption import object_encryption, show_encryption
from cloudlet.emulator.services.s3.errors import (
    EntityTooLarge,
    MissingContentLength,
)
from cloudlet.emulator.services.s3.events import publish
from cloudlet.emulator.services.s3.lifecycle import expiration_header
from cloudlet.emulator.services.s3.lookup import check_key, require_bucket
from cloudlet.emulator.services.s3.metadata import checked_metadata, system_headers
from cloudlet.emulator.services.s3.object_lock import new_lock
from cloudlet.emulator.services.s3.presign import presigned_members
from cloudlet.emulator.services.s3.records import CURRENT, INLINE, BucketRecord, ObjectRecord
from cloudlet.emulator.services.s3.rules import (
    MAX_PUT_BYTES,
    check_storage_class,
    parse_tag_header,
)

DEFAULT_CONTENT_TYPE = "binary/octet-stream"


@read_write
def put_object(call: Call, request: PutObjectRequest) -> PutObjectOutput:
    bucket = require_bucket(call, request)
    body = request.get("Body", EMPTY_BODY)
    http = call.http
    if http is not None:
        if not body.size:
            check_length_given(http.headers)
        if "x-amz-" in http.query:
            request = {**request, **presigned_members(http)}  # type: ignore[typeddict-item]
    return write_object(call, bucket, request, body)


def write_object(
    call: Call,
    bucket: BucketRecord,
    request: Mapping[str, Any],
    body: Body,
    claim: tuple[str, str] | None = None,
    event: str = "ObjectCreated:Put",
) -> PutObjectOutput:
    """Store `body` as the current version of the request's key. `claim` is the client's checksum of a POST form."""
    key = request["Key"]
    check_key(key)
    if body.size > MAX_PUT_BYTES:
        raise EntityTooLarge(ProposedSize=str(body.size), MaxSizeAllowed=str(MAX_PUT_BYTES))
    tx = call.tx
    current = CURRENT.get(tx, bucket.name, key)
    if "IfMatch" in request or "IfNoneMatch" in request:
        check_write(request, key, None if current is None else current.etag)
    etag = check_integrity(call, request, body)
    algorithm, checksum = accept(request, body, claim)
    order, version_id = history.next_version(call, bucket, key, current)
    replaced = current is not None and current.version_id == version_id and current.body == INLINE and not current.parts
    kind, body_id = keep(call, body, current.body_id if replaced and current is not None else "")
    record = ObjectRecord(
        bucket.name,
        key,
        body.size,
        int(call.now),
        etag,
        check_storage_class(request["StorageClass"]) if "StorageClass" in request else "",
        algorithm,
        "FULL_OBJECT",
        checksum,
        order,
        version_id,
        kind,
        body_id,
        **new_properties(call, bucket, request),
    )
    history.add(tx, bucket, record, current)
    if bucket.has_notifications:
        publish(call, bucket, event, record)
    result: dict[str, Any] = {
        "ETag": f'"{etag}"',
        MEMBERS[algorithm]: checksum,
        "ChecksumType": "FULL_OBJECT",
    }
    show_encryption(result, bucket, record.encryption)
    if bucket.versioning and version_id:
        result["VersionId"] = version_id
    if bucket.has_lifecycle:
        expires = expiration_header(tx, record)
        if expires:
            result["Expiration"] = expires
    return cast(PutObjectOutput, result)


def check_length_given(headers: Mapping[str, str]) -> None:
    """Raises MissingContentLength."""
    if "content-length" not in headers and "transfer-encoding" not in headers:
        raise MissingContentLength


def check_integrity(call: Call, request: Mapping[str, Any], body: Body) -> str:
    """The MD5 of a payload (hex), after the client's claims about it. Raises BadDigest and its like."""
    etag = body_md5(body)
    content_md5 = request.get("ContentMD5")
    if content_md5 is not None:
        check_md5(content_md5, etag, part="PartNumber" in request)
    if call.http is not None:
        payload_hash = call.http.headers.get("x-amz-content-sha256")
        if payload_hash is not None:
            check_payload_hash(payload_hash, body)
    return etag


def new_properties(call: Call, bucket: BucketRecord, request: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new object that do not depend on its content."""
    owner = bucket.account_id if bucket.ownership == "BucketOwnerEnforced" else call.account_id
    acl = object_grants(request, bucket, owner)
    if acl is not None:
        check_public_acl_allowed(call, bucket, acl)
    properties: dict[str, Any] = {
        "owner": owner,
        "content_type": request.get("ContentType") or DEFAULT_CONTENT_TYPE,
        "acl": acl,
        "encryption": object_encryption(bucket, request),
    }
    headers = system_headers(request)
    if headers:
        properties["headers"] = headers
    metadata = request.get("Metadata")
    if metadata:
        properties["metadata"] = checked_metadata(metadata)
    if "Tagging" in request:
        properties["tags"] = parse_tag_header(request["Tagging"])
    if bucket.object_lock or "ObjectLockMode" in request or "ObjectLockLegalHoldStatus" in request:
        properties["lock"] = new_lock(call, bucket, request)
    return properties
