"""Events for EventBridge: what happened to an object, for every rule of the account that listens.

Unlike the other notifications they are not chosen by kind or key: a bucket sends all of them or none.
Source: "EventBridge event message structure", S3 User Guide.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from cloudlet.emulator.kernel.call import Call, Principal
from cloudlet.emulator.services.s3.records import BucketRecord, ObjectRecord

MEMBER = "EventBridgeConfiguration"
# name of the event -> (detail type, what is further said)
DETAILS = MappingProxyType(
    {
        "ObjectCreated:Put": ("Object Created", {"reason": "PutObject"}),
        "ObjectCreated:Post": ("Object Created", {"reason": "POST Object"}),
        "ObjectCreated:Copy": ("Object Created", {"reason": "CopyObject"}),
        "ObjectCreated:CompleteMultipartUpload": ("Object Created", {"reason": "CompleteMultipartUpload"}),
        "ObjectRemoved:Delete": (
            "Object Deleted",
            {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"},
        ),
        "ObjectRemoved:DeleteMarkerCreated": (
            "Object Deleted",
            {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
        ),
        "ObjectRestore:Post": ("Object Restore Initiated", {}),
        "ObjectRestore:Completed": ("Object Restore Completed", {}),
        "ObjectTagging:Put": ("Object Tags Added", {}),
        "ObjectTagging:Delete": ("Object Tags Deleted", {}),
        "ObjectAcl:Put": ("Object ACL Updated", {}),
    }
)
WITHOUT_SIZE = ("ObjectRemoved:", "ObjectTagging:", "ObjectAcl:")


def send(call: Call, bucket: BucketRecord, event: str, record: ObjectRecord) -> None:
    """Part of the transaction of what it tells of."""
    detail_type, more = DETAILS[event]
    about: dict[str, Any] = {"key": record.key}
    if not event.startswith(WITHOUT_SIZE):
        about["size"] = record.size
    if record.etag:
        about["etag"] = record.etag
    if record.version_id:
        about["version-id"] = record.version_id
    if not event.startswith(("ObjectTagging:", "ObjectAcl:")):
        about["sequencer"] = f"{int(call.now * 1_000_000):016X}"
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": about,
        "request-id": call.request_id,
        "requester": call.principal.account_id,
        "source-ip-address": "127.0.0.1" if call.http is None else call.http.client[0],
        **more,
    }
    request = {
        "Source": "aws.s3",
        "DetailType": detail_type,
        "Detail": detail,
        "Resources": [f"arn:{call.partition}:s3:::{bucket.name}"],
    }
    principal = Principal(bucket.account_id, "", "service", "s3.amazonaws.com", "s3.amazonaws.com")
    call.invoke_in(bucket.account_id, bucket.region, "events", "AcceptServiceEvent", request, principal=principal)
