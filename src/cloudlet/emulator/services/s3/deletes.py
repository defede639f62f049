"""DeleteObject and DeleteObjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.s3 import history
from cloudlet.emulator.services.s3.api import (
    DeleteObjectOutput,
    DeleteObjectRequest,
    DeleteObjectsOutput,
    DeleteObjectsRequest,
)
from cloudlet.emulator.services.s3.conditions import bare_etag
from cloudlet.emulator.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    MalformedXML,
    NoSuchVersion,
    PreconditionFailed,
    UnimplementedHeader,
)
from cloudlet.emulator.services.s3.events import publish, publish_deletion
from cloudlet.emulator.services.s3.lookup import check_key, element, require_bucket
from cloudlet.emulator.services.s3.object_lock import check_deletable
from cloudlet.emulator.services.s3.records import BucketRecord
from cloudlet.emulator.services.s3.uploads import note_conflict

MAX_KEYS = 1000


@read_write
def delete_object(call: Call, request: DeleteObjectRequest) -> DeleteObjectOutput:
    bucket = require_bucket(call, request)
    check_bypass(bucket, request)
    return cast(DeleteObjectOutput, delete(call, bucket, request, bool(request.get("BypassGovernanceRetention"))))


def check_bypass(bucket: BucketRecord, request: Mapping[str, Any]) -> None:
    """Raises InvalidArgument where governance mode is waived in a bucket that has none."""
    if request.get("BypassGovernanceRetention") is not None and not bucket.object_lock:
        raise InvalidArgument(
            "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
            ArgumentName="x-amz-bypass-governance-retention",
        )


def delete(call: Call, bucket: BucketRecord, request: Mapping[str, Any], bypass: bool) -> dict[str, Any]:
    """Delete a key, or one version of it; the members of DeleteObject's answer."""
    key = request["Key"]
    check_key(key)
    version_id = request.get("VersionId")
    tx = call.tx
    note_conflict(tx, bucket.name, key)
    if version_id is None and bucket.versioning:
        if has_conditions(request):
            check_conditions(request, history.newest(tx, bucket.name, key))
        marker = history.add_marker(call, bucket, key, call.account_id)
        publish(call, bucket, "ObjectRemoved:DeleteMarkerCreated", marker)
        return {"DeleteMarker": True, "VersionId": history.version_label(marker)}
    record = history.find_version(tx, bucket.name, key, version_id or "null")
    if has_conditions(request):
        check_conditions(request, record)
    if record is None:
        if version_id is not None and not history.was_issued(version_id, bucket.name, key):
            raise InvalidArgument("Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id)
        if version_id is None:
            publish_deletion(call, bucket, key)
            return {}
        return {"VersionId": version_id}
    check_deletable(call, record, bypass)
    history.remove(tx, record)
    publish(call, bucket, "ObjectRemoved:Delete", record)
    if version_id is None:
        return {}
    result: dict[str, Any] = {"VersionId": version_id}
    if record.is_marker:
        result["DeleteMarker"] = True
    return result


def has_conditions(request: Mapping[str, Any]) -> bool:
    return "IfMatch" in request or "IfMatchSize" in request or "IfMatchLastModifiedTime" in request or "ETag" in request


def check_conditions(request: Mapping[str, Any], record: Any) -> None:
    """If-Match and its like of a delete. Raises PreconditionFailed and UnimplementedHeader."""
    if "IfMatchSize" in request or "IfMatchLastModifiedTime" in request:
        header = "last-modified-time" if "IfMatchLastModifiedTime" in request else "size"
        raise UnimplementedHeader(Header=f"x-amz-if-match-{header}")
    wanted = request.get("IfMatch", request.get("ETag"))
    if wanted is None or record is None:
        return
    if record.is_marker or (wanted.strip() != "*" and bare_etag(wanted) != record.etag):
        raise PreconditionFailed(Condition="If-Match")


@read_write
def delete_objects(call: Call, request: DeleteObjectsRequest) -> DeleteObjectsOutput:
    bucket = require_bucket(call, request)
    wanted: Mapping[str, Any] = element(request, "Delete")
    objects = wanted.get("Objects") or ()
    if not objects or len(objects) > MAX_KEYS:
        raise MalformedXML
    check_bypass(bucket, request)
    bypass = bool(request.get("BypassGovernanceRetention"))
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for entry in objects:
        if not entry.get("Key"):
            raise MalformedXML if "Key" not in entry else InvalidRequest("Missing key")
        named = {name: entry[name] for name in ("Key", "VersionId") if name in entry}
        try:
            version_id = entry.get("VersionId")
            if version_id is not None and not history.was_issued(version_id, bucket.name, entry["Key"]):
                raise NoSuchVersion  # where DeleteObject says InvalidArgument
            answer = delete(call, bucket, entry, bypass)
        except AwsError as error:
            errors.append({**named, "Code": error.code, "Message": error.message})
            continue
        if answer.get("DeleteMarker"):
            named["DeleteMarker"] = True
            named["DeleteMarkerVersionId"] = answer["VersionId"]
        deleted.append(named)
    result: dict[str, Any] = {}
    if deleted and not wanted.get("Quiet"):
        result["Deleted"] = deleted
    if errors:
        result["Errors"] = errors
    return cast(DeleteObjectsOutput, result)
