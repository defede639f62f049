"""Multipart uploads as records: found, listed by key, forgotten with their parts. Operations are in `multipart`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.s3.bodies import discard_content
from cloudlet.emulator.services.s3.errors import NoSuchUpload
from cloudlet.emulator.services.s3.records import PARTS, UPLOADS, UploadRecord
from cloudlet.emulator.store.kv import Transaction

SORTABLE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_upload_id(call: Call) -> str:
    """Uploads of a key are listed by their id, in the order in which they began: the first 9 characters are the time."""
    moment = int(call.now * 1_000_000)
    digits = []
    for _ in range(9):
        moment, place = divmod(moment, len(SORTABLE))
        digits.append(SORTABLE[place])
    return "".join(reversed(digits)) + call.ids.alphanumeric(119)


def require_upload(tx: Transaction, request: Mapping[str, Any]) -> UploadRecord:
    """Raises NoSuchUpload."""
    upload_id = request["UploadId"]
    upload = UPLOADS.get(tx, request["Bucket"], request["Key"], upload_id)
    if upload is None:
        raise NoSuchUpload(UploadId=upload_id)
    return upload


def note_conflict(tx: Transaction, bucket: str, key: str) -> None:
    """A key is deleted: conditional completions of uploads that began before have to begin anew."""
    for upload in UPLOADS.scan(tx, bucket, key):
        if not upload.conflicted:
            UPLOADS.put(tx, msgspec.structs.replace(upload, conflicted=True))


def delete_upload(tx: Transaction, upload: UploadRecord) -> None:
    """Forget an upload and the parts that it still has."""
    for part in PARTS.scan(tx, upload.upload_id):
        PARTS.delete(tx, part.upload_id, part.number)
        discard_content(tx, part.body, part.body_id)
    UPLOADS.delete(tx, upload.bucket, upload.key, upload.upload_id)


def delete_all_uploads(tx: Transaction, bucket: str) -> None:
    for upload in UPLOADS.scan(tx, bucket):
        delete_upload(tx, upload)
