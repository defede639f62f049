"""The look-ups that operations begin with: the bucket of a request, and checks that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.s3.errors import (
    AccessDenied,
    InvalidBucketOwnerAWSAccountID,
    KeyTooLongError,
    NoSuchBucket,
)
from cloudlet.emulator.services.s3.presign import check_presigned
from cloudlet.emulator.services.s3.records import BUCKETS, BucketRecord
from cloudlet.emulator.services.s3.rules import MAX_KEY_BYTES


def require_bucket(call: Call, request: Mapping[str, Any]) -> BucketRecord:
    """The bucket of a request. Raises NoSuchBucket, and AccessDenied when it is not the expected owner's."""
    http = call.http
    if http is not None and "ignature=" in http.query:
        check_presigned(call, http)
    name = request["Bucket"]
    bucket = BUCKETS.get(call.tx, name)
    if bucket is None:
        raise NoSuchBucket(BucketName=name)
    expected = request.get("ExpectedBucketOwner")
    if expected is not None:
        check_owner(expected, bucket)
    return bucket


def check_owner(expected: str, bucket: BucketRecord) -> None:
    """`x-amz-expected-bucket-owner` and its like for copy sources."""
    if len(expected) != 12 or not expected.isdigit():
        raise InvalidBucketOwnerAWSAccountID(
            f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
        )
    if expected != bucket.account_id:
        raise AccessDenied


def element(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A structure of a request; empty where the client left it out, which S3 does not check before the operation."""
    return request.get(name) or {}


def check_key(key: str) -> None:
    """Raises KeyTooLongError."""
    if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
        raise KeyTooLongError(Size=str(len(key.encode())), MaxSizeAllowed=str(MAX_KEY_BYTES))
