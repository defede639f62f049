"""Deleting objects, one and many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_deleting_what_is_not_there_succeeds(s3: Any, bucket: str) -> None:
    answer = s3.delete_object(Bucket=bucket, Key="k")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "VersionId" not in answer


def test_many_at_once(s3: Any, bucket: str) -> None:
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=key)
    objects = [{"Key": key} for key in ("a", "b", "missing")]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert answer["Deleted"] == objects
    assert "Errors" not in answer
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "c"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_at_most_a_thousand(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    objects = [{"Key": str(number)} for number in range(1001)]
    refused("MalformedXML", s3.delete_objects, Bucket=bucket, Delete={"Objects": objects})
    assert len(s3.delete_objects(Bucket=bucket, Delete={"Objects": objects[:1000]})["Deleted"]) == 1000


def test_errors_stand_beside_what_was_deleted(s3: Any, versioned: str) -> None:
    version = s3.put_object(Bucket=versioned, Key="k")["VersionId"]
    objects = [{"Key": "k", "VersionId": version}, {"Key": "k", "VersionId": "x" * 32}]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": objects})
    assert answer["Deleted"] == [{"Key": "k", "VersionId": version}]
    assert answer["Errors"][0]["Code"] == "NoSuchVersion"
    again = s3.delete_objects(Bucket=versioned, Delete={"Objects": objects[:1]})
    assert again["Deleted"] == [{"Key": "k", "VersionId": version}]


def test_a_delete_may_depend_on_the_entity_tag(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    refused("PreconditionFailed", s3.delete_object, Bucket=bucket, Key="k", IfMatch='"other"')
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    refused("404", s3.head_object, Bucket=bucket, Key="k")
