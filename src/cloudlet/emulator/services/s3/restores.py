"""RestoreObject: a readable copy of an archived object for some days. It is there at once."""

from __future__ import annotations

from typing import cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.s3.api import RestoreObjectOutput, RestoreObjectRequest
from cloudlet.emulator.services.s3.errors import InvalidObjectState, MalformedXML
from cloudlet.emulator.services.s3.events import publish
from cloudlet.emulator.services.s3.history import require_version, rewrite
from cloudlet.emulator.services.s3.lookup import element, require_bucket
from cloudlet.emulator.services.s3.records import Restore
from cloudlet.emulator.services.s3.rules import ARCHIVED

DAY_SECONDS = 86_400


@read_write
def restore_object(call: Call, request: RestoreObjectRequest) -> RestoreObjectOutput:
    bucket = require_bucket(call, request)
    record = require_version(call.tx, bucket, request, "POST")
    if record.storage_class not in ARCHIVED:
        raise InvalidObjectState(
            "Restore is not allowed for the object's current storage class",
            StorageClass=record.storage_class or "STANDARD",
        )
    days = element(request, "RestoreRequest").get("Days")
    if not days or days < 0:
        raise MalformedXML
    expiry = float((call.now // DAY_SECONDS + days + 1) * DAY_SECONDS)
    rewrite(call.tx, record, msgspec.structs.replace(record, restore=Restore(expiry)))
    publish(call, bucket, "ObjectRestore:Post", record)
    publish(call, bucket, "ObjectRestore:Completed", record)
    return cast(RestoreObjectOutput, {})
