"""Which S3 operation a request is: S3 tells by method, level (service, bucket, key), subresource and a few headers.

The tables are built from the model's own URIs (`/{Bucket}?tagging`); what the model cannot say is written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cloudlet.emulator.gateway.rest_routes import RestOperation
from cloudlet.emulator.protocol.message import HttpRequest

# An operation that answers the same request as another one: the older form, kept in the models for old clients.
SUPERSEDED = frozenset(
    {
        "GetBucketLifecycle",
        "PutBucketLifecycle",
        "GetBucketNotification",
        "PutBucketNotification",
        "ListDirectoryBuckets",  # GET / on a directory-bucket endpoint, which this is not
        "WriteGetObjectResponse",  # POST to the Object Lambda endpoint
        "ListObjectAnnotations",
    }
)

# (method, level) -> operation when there is no subresource.
PLAIN = (
    (("GET", "service"), "ListBuckets"),
    (("GET", "bucket"), "ListObjects"),
    (("HEAD", "bucket"), "HeadBucket"),
    (("PUT", "bucket"), "CreateBucket"),
    (("DELETE", "bucket"), "DeleteBucket"),
    (("POST", "bucket"), "PostObject"),
    (("OPTIONS", "bucket"), "OptionsObject"),
    (("OPTIONS", "service"), "OptionsObject"),
    (("GET", "key"), "GetObject"),
    (("HEAD", "key"), "HeadObject"),
    (("PUT", "key"), "PutObject"),
    (("DELETE", "key"), "DeleteObject"),
    (("OPTIONS", "key"), "OptionsObject"),
)

# Parameters that choose an operation although the model only binds them: (method, level, parameter) -> operation.
BY_PARAMETER = (
    (("GET", "key", "uploadId"), "ListParts"),
    (("PUT", "key", "uploadId"), "UploadPart"),
    (("POST", "key", "uploadId"), "CompleteMultipartUpload"),
    (("DELETE", "key", "uploadId"), "AbortMultipartUpload"),
)

# The same subresource lists all configurations without `id` and reads one with it.
LIST_WITHOUT_ID = (
    ("GetBucketAnalyticsConfiguration", "ListBucketAnalyticsConfigurations"),
    ("GetBucketIntelligentTieringConfiguration", "ListBucketIntelligentTieringConfigurations"),
    ("GetBucketInventoryConfiguration", "ListBucketInventoryConfigurations"),
    ("GetBucketMetricsConfiguration", "ListBucketMetricsConfigurations"),
)

# bucket.s3.amazonaws.com, bucket.s3.eu-west-1.localhost.localstack.cloud, bucket.localhost; a bucket may hold dots.
VIRTUAL_HOST = re.compile(
    r"(?P<bucket>.+?)\.(?:s3(?:-accelerate|-external-1|-website)?(?:\.dualstack)?(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\."
    r"(?:amazonaws\.com(?:\.cn)?|localhost\.localstack\.cloud|localhost|127\.0\.0\.1)|localhost)"
)
# Hosts that look like `bucket.localhost` and are not buckets.
NOT_BUCKETS = frozenset({"s3", "sqs", "sns", "sts", "dynamodb", "www", "queue"})


def virtual_bucket(host: str) -> str | None:
    """The bucket that a host name names, or None. `host` is lower-case and has no port."""
    match = VIRTUAL_HOST.fullmatch(host)
    if match is None:
        return None
    bucket = match["bucket"]
    return None if bucket in NOT_BUCKETS else bucket


class S3Routes:
    """The look-up tables of S3, built once."""

    __slots__ = ("_by_subresource", "_list_without_id", "_plain")

    def __init__(self, operations: Iterable[RestOperation]) -> None:
        self._plain = dict(PLAIN)
        self._list_without_id = dict(LIST_WITHOUT_ID)
        by_subresource: dict[tuple[str, str, str], str] = dict(BY_PARAMETER)
        for entry in operations:
            name = entry.required[0][0] if entry.required else ""
            if name and entry.operation not in SUPERSEDED and not entry.operation.startswith("ListBucket"):
                by_subresource[entry.method, "key" if "{Key" in entry.path else "bucket", name] = entry.operation
        self._by_subresource = by_subresource

    def operation(self, request: HttpRequest) -> str | None:
        """The operation of a path-style request; None where S3 has none (405)."""
        path = request.path
        slash = path.find("/", 1)
        level = "service" if len(path) <= 1 else "bucket" if slash < 0 or slash == len(path) - 1 else "key"
        method = request.method
        found = None
        if request.query:
            for name in request.params:
                found = self._by_subresource.get((method, level, name))
                if found is not None:
                    break
        if found is None:
            found = self._plain.get((method, level))
            if found == "PutObject" and "x-amz-copy-source" in request.headers:
                return "CopyObject"
            return found
        if found == "UploadPart" and "x-amz-copy-source" in request.headers:
            return "UploadPartCopy"
        if found in self._list_without_id and "id" not in request.params:
            return self._list_without_id[found]
        return found
