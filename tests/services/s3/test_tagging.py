"""Tags of buckets and of objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def tags(**pairs: str) -> dict[str, Any]:
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs.items()]}


def test_tags_of_a_bucket(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    assert refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=bucket)["BucketName"] == bucket
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(a="1", b="2"))
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags(a="1", b="2")["TagSet"]
    s3.delete_bucket_tagging(Bucket=bucket)
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=bucket)


def test_tags_of_an_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Tagging="a=1&b=2")
    assert s3.head_object(Bucket=bucket, Key="k")["TagCount"] == 2
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags(a="1", b="2")["TagSet"]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging=tags(c="3"))
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == tags(c="3")["TagSet"]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert "TagCount" not in s3.head_object(Bucket=bucket, Key="k")


def test_tags_of_a_version(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="k", Tagging="v=1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Tagging="v=2")
    assert s3.get_object_tagging(Bucket=versioned, Key="k", VersionId=first)["TagSet"] == tags(v="1")["TagSet"]
    answer = s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=first, Tagging=tags(v="9"))
    assert answer["VersionId"] == first
    assert s3.get_object_tagging(Bucket=versioned, Key="k")["TagSet"] == tags(v="2")["TagSet"]


def test_tags_that_are_refused(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    put = {"Bucket": bucket, "Key": "k"}
    eleven = tags(**{f"k{number}": "v" for number in range(11)})
    error = refused("BadRequest", s3.put_object_tagging, **put, Tagging=eleven)
    assert error["Message"] == "Object tags cannot be greater than 10"
    refused("InvalidTag", s3.put_object_tagging, **put, Tagging=tags(**{"x" * 129: "v"}))
    refused("InvalidTag", s3.put_object_tagging, **put, Tagging=tags(k="v" * 257))
    refused("InvalidTag", s3.put_object_tagging, **put, Tagging=tags(**{"aws:k": "v"}))
    twice = {"TagSet": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]}
    error = refused("InvalidTag", s3.put_object_tagging, **put, Tagging=twice)
    assert error["TagKey"] == "k"
