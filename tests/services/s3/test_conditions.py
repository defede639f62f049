"""Conditional requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudlet.emulator.services.s3.conditions import check_copy_source, check_read, check_write, matches
from cloudlet.emulator.services.s3.errors import NoSuchKey, NotModified, PreconditionFailed, UnimplementedHeader

DAY = timedelta(days=1)


def test_entity_tags_match_with_and_without_quotes() -> None:
    assert matches('"abc"', "abc")
    assert matches("abc", "abc")
    assert matches('"x", "abc"', "abc")
    assert matches("*", "abc")
    assert not matches('"abcd"', "abc")


def test_if_match_wins_over_if_unmodified_since() -> None:
    check_read({"IfMatch": '"e"', "IfUnmodifiedSince": 10.0}, "e", 20, 100.0, {})
    with pytest.raises(PreconditionFailed):
        check_read({"IfUnmodifiedSince": 10.0}, "e", 20, 100.0, {})


def test_if_none_match_wins_over_if_modified_since() -> None:
    check_read({"IfNoneMatch": '"other"', "IfModifiedSince": 50.0}, "e", 20, 100.0, {})
    with pytest.raises(NotModified):
        check_read({"IfNoneMatch": '"e"', "IfModifiedSince": 1.0}, "e", 20, 100.0, {})
    with pytest.raises(NotModified):
        check_read({"IfModifiedSince": 50.0}, "e", 20, 100.0, {})


def test_a_date_in_the_future_is_no_condition() -> None:
    check_read({"IfModifiedSince": 500.0}, "e", 20, 100.0, {})
    check_copy_source({"CopySourceIfModifiedSince": 500.0}, "e", 20, 100.0)


def test_writes() -> None:
    check_write({}, "k", None)
    check_write({"IfNoneMatch": "*"}, "k", None)
    check_write({"IfMatch": '"e"'}, "k", "e")
    with pytest.raises(PreconditionFailed):
        check_write({"IfNoneMatch": "*"}, "k", "e")
    with pytest.raises(NoSuchKey):
        check_write({"IfMatch": '"e"'}, "k", None)
    with pytest.raises(PreconditionFailed):
        check_write({"IfMatch": '"f"'}, "k", "e")
    with pytest.raises(UnimplementedHeader):
        check_write({"IfNoneMatch": '"e"'}, "k", None)
    with pytest.raises(UnimplementedHeader):
        check_write({"IfNoneMatch": "*", "IfMatch": '"e"'}, "k", None)


def test_a_write_that_must_be_the_first_happens_once(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    error = refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert error["Condition"] == "If-None-Match"
    assert error["Status"] == 412
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def test_a_write_can_depend_on_what_it_replaces(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    refused("NoSuchKey", s3.put_object, Bucket=bucket, Key="k", Body=b"1", IfMatch='"x"')
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)
    refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)


def test_reads_that_are_not_modified(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert refused("304", s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag)["Status"] == 304
    refused("304", s3.head_object, Bucket=bucket, Key="k", IfNoneMatch=etag)
    refused("PreconditionFailed", s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"')
    refused("412", s3.head_object, Bucket=bucket, Key="k", IfUnmodifiedSince=datetime.now(UTC) - DAY)
    s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=datetime.now(UTC) - DAY)


def test_copies_that_depend_on_their_source(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "k"}}
    s3.copy_object(**copy, CopySourceIfMatch=etag)
    error = refused("PreconditionFailed", s3.copy_object, **copy, CopySourceIfNoneMatch=etag)
    assert error["Condition"] == "x-amz-copy-source-If-None-Match"
    refused("PreconditionFailed", s3.copy_object, **copy, CopySourceIfUnmodifiedSince=datetime.now(UTC) - DAY)
