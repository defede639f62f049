"""Versioning: ids, delete markers, null versions, listings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def body(s3: Any, bucket: str, version: str | None = None) -> bytes:
    named = {} if version is None else {"VersionId": version}
    content: bytes = s3.get_object(Bucket=bucket, Key="k", **named)["Body"].read()
    return content


def listed(s3: Any, bucket: str) -> list[tuple[str, bool, bool]]:
    """(version id, is a marker, is the latest) of all versions, newest first."""
    answer = s3.list_object_versions(Bucket=bucket)
    entries = [(entry, False) for entry in answer.get("Versions", [])]
    entries += [(entry, True) for entry in answer.get("DeleteMarkers", [])]
    entries.sort(key=lambda pair: pair[0]["LastModified"], reverse=True)
    return [(entry["VersionId"], marker, entry["IsLatest"]) for entry, marker in entries]


@pytest.mark.parametrize("size", [3, 100_000])
def test_every_write_is_a_version(s3: Any, versioned: str, size: int) -> None:
    versions = [s3.put_object(Bucket=versioned, Key="k", Body=text * size)["VersionId"] for text in (b"1", b"2", b"3")]
    assert len(set(versions)) == 3
    assert body(s3, versioned) == b"3" * size
    for version, text in zip(versions, (b"1", b"2", b"3"), strict=True):
        assert body(s3, versioned, version) == text * size
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 1
    found = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert [entry["VersionId"] for entry in found] == versions[::-1]
    assert [entry["IsLatest"] for entry in found] == [True, False, False]


def test_a_delete_marker_hides_and_its_deletion_shows_again(
    s3: Any, versioned: str, refused: Callable[..., Any]
) -> None:
    version = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    marker = s3.delete_object(Bucket=versioned, Key="k")
    assert marker["DeleteMarker"] is True
    refused("NoSuchKey", s3.get_object, Bucket=versioned, Key="k")
    assert body(s3, versioned, version) == b"1"
    error = refused("MethodNotAllowed", s3.get_object, Bucket=versioned, Key="k", VersionId=marker["VersionId"])
    assert error["Status"] == 405
    assert error["ResourceType"] == "DeleteMarker"
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)
    removed = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker["VersionId"])
    assert removed["DeleteMarker"] is True
    assert body(s3, versioned) == b"1"


def test_deleting_the_newest_version_brings_back_the_one_before(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket=versioned, Key="k", Body=b"2")["VersionId"]
    s3.delete_object(Bucket=versioned, Key="k", VersionId=second)
    assert s3.head_object(Bucket=versioned, Key="k")["VersionId"] == first
    s3.delete_object(Bucket=versioned, Key="k", VersionId=first)
    assert listed(s3, versioned) == []
    s3.delete_bucket(Bucket=versioned)


def test_objects_from_before_versioning_are_the_null_version(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert body(s3, bucket, "null") == b"0"


def test_suspended_buckets_keep_one_null_version(s3: Any, versioned: str) -> None:
    kept = s3.put_object(Bucket=versioned, Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    for text in (b"1", b"2"):
        assert "VersionId" not in s3.put_object(Bucket=versioned, Key="k", Body=text)
    versions = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert [entry["VersionId"] for entry in versions] == ["null", kept]
    assert s3.delete_object(Bucket=versioned, Key="k")["VersionId"] == "null"
    answer = s3.list_object_versions(Bucket=versioned)
    assert [entry["VersionId"] for entry in answer["DeleteMarkers"]] == ["null"]
    assert [entry["VersionId"] for entry in answer["Versions"]] == [kept]
    s3.put_object(Bucket=versioned, Key="k", Body=b"3")
    assert "DeleteMarkers" not in s3.list_object_versions(Bucket=versioned)


def test_version_ids_that_do_not_exist(s3: Any, versioned: str, refused: Callable[..., Any]) -> None:
    version = s3.put_object(Bucket=versioned, Key="k")["VersionId"]
    s3.delete_object(Bucket=versioned, Key="k", VersionId=version)
    assert refused("NoSuchVersion", s3.get_object, Bucket=versioned, Key="k", VersionId=version)["Status"] == 404
    error = refused("InvalidArgument", s3.get_object, Bucket=versioned, Key="k", VersionId="x" * 32)
    assert error["Message"] == "Invalid version id specified"
    assert s3.delete_object(Bucket=versioned, Key="k", VersionId=version)["VersionId"] == version


def test_pages_of_versions(s3: Any, versioned: str) -> None:
    for key in ("a", "b"):
        for _ in range(3):
            s3.put_object(Bucket=versioned, Key=key)
    s3.delete_object(Bucket=versioned, Key="a")
    found: list[tuple[str, str]] = []
    latest = 0
    arguments: dict[str, Any] = {}
    while True:
        page = s3.list_object_versions(Bucket=versioned, MaxKeys=2, **arguments)
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        assert len(entries) <= 2
        found += [(entry["Key"], entry["VersionId"]) for entry in entries]
        latest += sum(entry["IsLatest"] for entry in entries)
        if not page["IsTruncated"]:
            break
        arguments = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
    assert len(found) == len(set(found)) == 7
    assert latest == 2


def test_the_state_of_versioning(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    refused("MalformedXML", s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "On"})
    refused(
        "IllegalVersioningConfigurationException", s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={}
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    s3.put_object(Bucket=bucket, Key="k")
    error = refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    assert "delete all versions" in error["Message"]
