"""Buckets: create, delete, head, list, locate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_a_new_bucket_is_listed_and_found(s3: Any, bucket: str) -> None:
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    head = s3.head_bucket(Bucket=bucket)
    assert head["BucketRegion"] == "us-east-1"
    assert head["AccessPointAlias"] is False
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_a_bucket_in_another_region(client: Callable[..., Any], unique: Callable[..., str]) -> None:
    west = client("s3", region_name="eu-west-1")
    name = unique("west")
    answer = west.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "EU"})
    assert answer["Location"] == f"http://{name}.s3.amazonaws.com/"
    assert west.get_bucket_location(Bucket=name)["LocationConstraint"] == "EU"
    assert west.head_bucket(Bucket=name)["BucketRegion"] == "eu-west-1"


def test_constraints_that_do_not_fit_the_region(
    client: Callable[..., Any], s3: Any, unique: Callable[..., str], refused: Callable[..., Any]
) -> None:
    west = client("s3", region_name="eu-west-1")
    refused("IllegalLocationConstraintException", west.create_bucket, Bucket=unique())
    other = {"LocationConstraint": "us-west-2"}
    refused("IllegalLocationConstraintException", west.create_bucket, Bucket=unique(), CreateBucketConfiguration=other)
    nowhere = {"LocationConstraint": "nowhere-1"}
    refused("InvalidLocationConstraint", s3.create_bucket, Bucket=unique(), CreateBucketConfiguration=nowhere)
    here = {"LocationConstraint": "us-east-1"}
    refused("InvalidLocationConstraint", s3.create_bucket, Bucket=unique(), CreateBucketConfiguration=here)


def test_names_are_global(
    client: Callable[..., Any], s3: Any, bucket: str, unique: Callable[..., str], refused: Callable[..., Any]
) -> None:
    s3.create_bucket(Bucket=bucket)  # us-east-1 does not mind its own
    refused("BucketAlreadyExists", client("s3", account="111122223333").create_bucket, Bucket=bucket)
    west = client("s3", region_name="us-west-2")
    name = unique()
    place = {"LocationConstraint": "us-west-2"}
    west.create_bucket(Bucket=name, CreateBucketConfiguration=place)
    error = refused("BucketAlreadyOwnedByYou", west.create_bucket, Bucket=name, CreateBucketConfiguration=place)
    assert error["Status"] == 409
    assert error["BucketName"] == name


@pytest.mark.parametrize("name", ["Upper", "under_score", "ab"])
def test_bad_names_are_refused(emulator: Any, refused: Callable[..., Any], name: str) -> None:
    s3 = emulator.client("s3")
    s3.meta.events.unregister("before-parameter-build.s3")
    error = refused("InvalidBucketName", s3.create_bucket, Bucket=name + "__" if len(name) < 3 else name)
    assert error["Message"] == "The specified bucket is not valid."


def test_only_an_empty_bucket_goes(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    s3.create_multipart_upload(Bucket=bucket, Key="upload")
    error = refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    assert error["Status"] == 409
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    refused("404", s3.head_bucket, Bucket=bucket)
    refused("NoSuchBucket", s3.list_objects_v2, Bucket=bucket)


def test_listing_in_pages(client: Callable[..., Any]) -> None:
    own = client("s3", account="444455556666")
    for name in ("page-a", "page-b", "page-c", "other"):
        own.create_bucket(Bucket=name)
    first = own.list_buckets(MaxBuckets=2, Prefix="page-")
    assert [entry["Name"] for entry in first["Buckets"]] == ["page-a", "page-b"]
    second = own.list_buckets(MaxBuckets=2, Prefix="page-", ContinuationToken=first["ContinuationToken"])
    assert [entry["Name"] for entry in second["Buckets"]] == ["page-c"]
    assert "ContinuationToken" not in second


def test_the_expected_owner_is_checked(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner="000000000000")
    refused("AccessDenied", s3.list_objects_v2, Bucket=bucket, ExpectedBucketOwner="111111111111")
    refused("InvalidBucketOwnerAWSAccountID", s3.list_objects_v2, Bucket=bucket, ExpectedBucketOwner="x")
