"""The versions of a key: finding, adding and removing them. The only writer of `s3.current` and `s3.versions`.

    unversioned   one null version in s3.current, replaced by each write
    enabled       each write moves the current version to s3.versions and becomes the current one
    suspended     as enabled, but what is written is the null version, of which there is one at most

Deleting without a version id moves the current version aside and puts a delete marker on top of s3.versions.
Deleting the newest version brings the one below back, unless that is a delete marker.
Source: "Using versioning in S3 buckets", S3 User Guide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.s3.bodies import discard
from cloudlet.emulator.services.s3.errors import InvalidArgument, MethodNotAllowed, NoSuchKey, NoSuchVersion
from cloudlet.emulator.services.s3.records import CURRENT, EMPTY, ENABLED, VERSIONS, BucketRecord, ObjectRecord
from cloudlet.emulator.store.kv import Transaction

VERSION_ID_LENGTH = 32
MARK_LENGTH = 6  # of the characters of a version id that follow from the rest and the key


def version_label(record: ObjectRecord) -> str:
    """A version's id as the API shows it."""
    return record.version_id or "null"


def new_version_id(call: Call, bucket: str, key: str) -> str:
    """A version id. Its end can be told from an invented one, as AWS tells ids that it issued for a key."""
    start = call.ids.alphanumeric(VERSION_ID_LENGTH - MARK_LENGTH)
    return start + version_mark(start, bucket, key)


def version_mark(start: str, bucket: str, key: str) -> str:
    return hashlib.sha256(f"{bucket}/{key}/{start}".encode()).hexdigest()[:MARK_LENGTH]


def was_issued(version_id: str, bucket: str, key: str) -> bool:
    """Whether a version id is one of this key's, of which the version may be gone."""
    start = version_id[:-MARK_LENGTH]
    return version_id == "null" or (
        len(version_id) == VERSION_ID_LENGTH and version_id.endswith(version_mark(start, bucket, key))
    )


def newest(tx: Transaction, bucket: str, key: str) -> ObjectRecord | None:
    """The newest version of a key: an object, or a delete marker."""
    return CURRENT.get(tx, bucket, key) or next(iter(VERSIONS.scan(tx, bucket, key, limit=1)), None)


def find_version(tx: Transaction, bucket: str, key: str, version_id: str) -> ObjectRecord | None:
    """A version by its id as the API shows it."""
    wanted = "" if version_id == "null" else version_id
    current = CURRENT.get(tx, bucket, key)
    if current is not None and current.version_id == wanted:
        return current
    return VERSIONS.find(tx, "by_version", bucket, key, wanted)


def require_version(
    tx: Transaction, bucket: BucketRecord, request: Mapping[str, Any], method: str = "GET"
) -> ObjectRecord:
    """The object that a request names by key and perhaps version.

    Raises NoSuchKey (with the marker's headers where a delete marker is the newest version), NoSuchVersion,
    InvalidArgument for what is no version id, and MethodNotAllowed for a delete marker named by its version.
    """
    key = request["Key"]
    version_id = request.get("VersionId")
    if version_id is None:
        current = CURRENT.get(tx, bucket.name, key)
        if current is not None:
            return current
        headers = {}
        if bucket.versioning:
            marker = next(iter(VERSIONS.scan(tx, bucket.name, key, limit=1)), None)
            if marker is not None:
                headers = marker_headers(marker)
        raise NoSuchKey(headers=headers, Key=key)
    record = find_version(tx, bucket.name, key, version_id)
    if record is None:
        if not was_issued(version_id, bucket.name, key):
            raise InvalidArgument("Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id)
        raise NoSuchVersion(Key=key, VersionId=version_id)
    if record.is_marker:
        headers = {**marker_headers(record), "Allow": "DELETE"}
        raise MethodNotAllowed(headers=headers, Method=method, ResourceType="DeleteMarker")
    return record


def marker_headers(marker: ObjectRecord) -> dict[str, str]:
    return {"x-amz-delete-marker": "true", "x-amz-version-id": version_label(marker)}


def next_version(call: Call, bucket: BucketRecord, key: str, current: ObjectRecord | None) -> tuple[int, str]:
    """(order, version id) of what is about to be written over `current`."""
    order = -int(call.now * 1_000_000)
    if not bucket.versioning:
        return order, ""
    above = current or next(iter(VERSIONS.scan(call.tx, bucket.name, key, limit=1)), None)
    if above is not None and above.order <= order:
        order = above.order - 1
    return order, new_version_id(call, bucket.name, key) if bucket.versioning == ENABLED else ""


def add(tx: Transaction, bucket: BucketRecord, record: ObjectRecord, current: ObjectRecord | None) -> None:
    """Make `record` the current version; `current` is the one before. Content that nobody names any more goes."""
    if current is not None:
        if current.version_id != record.version_id:
            VERSIONS.put(tx, current)
        elif current.body_id != record.body_id:
            discard(tx, current)
    if bucket.versioning and not record.version_id and (current is None or current.version_id):
        remove_null_version(tx, record)
    CURRENT.put(tx, record)


def remove_null_version(tx: Transaction, record: ObjectRecord) -> None:
    """The null version below a new one, which replaces it."""
    old = VERSIONS.find(tx, "by_version", record.bucket, record.key, "")
    if old is not None:
        VERSIONS.delete(tx, old.bucket, old.key, old.order)
        discard(tx, old)


def add_marker(call: Call, bucket: BucketRecord, key: str, owner: str) -> ObjectRecord:
    """Put a delete marker on top of a key's versions."""
    tx = call.tx
    current = CURRENT.get(tx, bucket.name, key)
    order, version_id = next_version(call, bucket, key, current)
    marker = ObjectRecord(
        bucket=bucket.name,
        key=key,
        size=0,
        modified=int(call.now),
        etag="",
        storage_class="",
        checksum_algorithm="",
        checksum_type="",
        checksum="",
        order=order,
        version_id=version_id,
        body=EMPTY,
        body_id="",
        owner=owner,
        is_marker=True,
    )
    if current is not None:
        CURRENT.delete(tx, bucket.name, key)
        if current.version_id or version_id:
            VERSIONS.put(tx, current)
        else:
            discard(tx, current)
    if not version_id:
        remove_null_version(tx, marker)
    VERSIONS.put(tx, marker)
    return marker


def remove(tx: Transaction, record: ObjectRecord) -> None:
    """Delete one version for good; the one below becomes current where this was the newest."""
    current = CURRENT.get(tx, record.bucket, record.key)
    if current is not None and current.order == record.order:
        CURRENT.delete(tx, record.bucket, record.key)
        current = None
    else:
        VERSIONS.delete(tx, record.bucket, record.key, record.order)
    discard(tx, record)
    if current is None:
        below = next(iter(VERSIONS.scan(tx, record.bucket, record.key, limit=1)), None)
        if below is not None and not below.is_marker:
            VERSIONS.delete(tx, below.bucket, below.key, below.order)
            CURRENT.put(tx, below)


def rewrite(tx: Transaction, old: ObjectRecord, new: ObjectRecord) -> None:
    """Store a version whose metadata changed."""
    current = CURRENT.get(tx, old.bucket, old.key)
    if current is not None and current.order == old.order:
        CURRENT.put(tx, new)
    else:
        VERSIONS.put(tx, new)
