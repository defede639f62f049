"""Ranges of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.services.s3.errors import InvalidArgument, InvalidRange
from cloudlet.emulator.services.s3.ranges import parse_copy_range, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-4", (0, 5)),
        ("bytes=5-", (5, 5)),
        ("bytes=-3", (7, 3)),
        ("bytes=-30", (0, 10)),
        ("bytes=8-100", (8, 2)),
        ("bytes=5-2", None),
        ("bytes=1-2,4-5", None),
        ("lines=1-2", None),
        ("bytes=a-b", None),
        ("bytes=-", None),
        ("nonsense", None),
    ],
)
def test_forms_of_ranges(header: str, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=11-12", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_ranges_without_a_byte_are_refused(header: str, size: int) -> None:
    with pytest.raises(InvalidRange):
        parse_range(header, size)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 40))
def test_a_range_is_what_slicing_gives(first: int, last: int, size: int) -> None:
    data = bytes(range(size))
    try:
        found = parse_range(f"bytes={first}-{last}", size)
    except InvalidRange:
        assert first >= size
        return
    if found is None:
        assert last < first
        return
    start, length = found
    assert data[start : start + length] == data[first : last + 1]


def test_ranges_of_copies_have_one_form() -> None:
    assert parse_copy_range("bytes=0-9", 10) == (0, 10)
    for header in ("bytes=0-10", "bytes=5-", "0-9", "bytes=-5", "bytes=9-3"):
        with pytest.raises(InvalidArgument):
            parse_copy_range(header, 10)


@pytest.mark.parametrize("size", [1000, 200_000])
def test_a_range_of_an_object_is_partial_content(s3: Any, bucket: str, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    answer = s3.get_object(Bucket=bucket, Key="k", Range="bytes=100-199")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == f"bytes 100-199/{size}"
    assert answer["Body"].read() == data[100:200]
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-7")["Body"].read() == data[-7:]
    whole = s3.get_object(Bucket=bucket, Key="k", Range="bytes=9-1")
    assert whole["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert whole["Body"].read() == data


def test_a_range_beyond_the_end_is_416(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    error = refused("InvalidRange", s3.get_object, Bucket=bucket, Key="k", Range="bytes=10-")
    assert error["Status"] == 416
    assert error["ActualObjectSize"] == "10"
    assert error["RangeRequested"] == "bytes=10-"
