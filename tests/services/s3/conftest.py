"""Fixtures of the S3 tests: a client, and buckets of a test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any, unique: Callable[..., str]) -> str:
    name = unique("bucket")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


@pytest.fixture
def acl_bucket(s3: Any, unique: Callable[..., str]) -> str:
    """A bucket that takes ACLs."""
    name = unique("acl")
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    return name


@pytest.fixture
def refused() -> Callable[..., dict[str, Any]]:
    """Calls what AWS refuses and gives the error: `refused("NoSuchKey", s3.get_object, Bucket=…)`."""

    def call(code: str, operation: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
        with pytest.raises(ClientError) as caught:
            operation(**arguments)
        error: dict[str, Any] = dict(caught.value.response["Error"])
        assert error["Code"] == code, error
        return {**error, "Status": caught.value.response["ResponseMetadata"]["HTTPStatusCode"]}

    return call
