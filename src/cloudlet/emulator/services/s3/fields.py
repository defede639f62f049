"""The members of PutObject's request where they come as fields of a form or as parameters of a presigned URL."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.services.s3.checksums import MEMBERS, header_name

# field of a form, or parameter of a presigned URL -> member of PutObject's request
MEMBER_FIELDS = MappingProxyType(
    {
        "acl": "ACL",
        "cache-control": "CacheControl",
        "content-disposition": "ContentDisposition",
        "content-encoding": "ContentEncoding",
        "content-language": "ContentLanguage",
        "content-type": "ContentType",
        "content-md5": "ContentMD5",
        "x-amz-storage-class": "StorageClass",
        "x-amz-website-redirect-location": "WebsiteRedirectLocation",
        "x-amz-server-side-encryption": "ServerSideEncryption",
        "x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
        "x-amz-server-side-encryption-customer-algorithm": "SSECustomerAlgorithm",
        "x-amz-server-side-encryption-customer-key": "SSECustomerKey",
        "x-amz-server-side-encryption-customer-key-md5": "SSECustomerKeyMD5",
        "x-amz-object-lock-mode": "ObjectLockMode",
        "x-amz-object-lock-legal-hold": "ObjectLockLegalHoldStatus",
        "x-amz-checksum-algorithm": "ChecksumAlgorithm",
        "x-amz-sdk-checksum-algorithm": "ChecksumAlgorithm",
        "x-amz-expected-bucket-owner": "ExpectedBucketOwner",
        **{header_name(algorithm): member for algorithm, member in MEMBERS.items()},
    }
)
METADATA = "x-amz-meta-"


def members_of(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The request's members among fields with lower-case names."""
    found: dict[str, Any] = {}
    metadata = {}
    for name, value in fields:
        member = MEMBER_FIELDS.get(name)
        if member is not None:
            found[member] = value
        elif name.startswith(METADATA):
            metadata[name.removeprefix(METADATA)] = value
        elif name == "expires":
            found |= expiry(value)
    if metadata:
        found["Metadata"] = metadata
    return found


def expiry(text: str) -> dict[str, float]:
    """The `Expires` member; S3 passes over what is no date."""
    try:
        return {"Expires": parsedate_to_datetime(text).timestamp()}
    except ValueError:
        return {}
