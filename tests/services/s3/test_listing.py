"""ListObjects, both versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.services.s3.paging import start_after, take


class Entry:
    def __init__(self, key: str) -> None:
        self.key = key


def scan_of(keys: list[str], prefix: str) -> Callable[..., Iterator[Entry]]:
    def scan(after: tuple[str, ...] | None = None, beyond: str | None = None) -> Iterator[Entry]:
        for key in sorted(keys):
            if not key.startswith(prefix) or (after is not None and key <= after[0]):
                continue
            if beyond is not None and (key.startswith(beyond) or key < beyond):
                continue
            yield Entry(key)

    return scan


KEYS = st.lists(st.text(alphabet="ab/", min_size=1, max_size=5), unique=True, max_size=20)


@given(KEYS, st.sampled_from(["", "a", "a/", "b"]), st.sampled_from(["", "/", "b"]), st.integers(1, 4))
def test_pages_put_together_are_the_whole_listing(keys: list[str], prefix: str, delimiter: str, limit: int) -> None:
    expected: list[str] = []
    for key in sorted(key for key in keys if key.startswith(prefix)):
        place = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = key if place < 0 else key[: place + len(delimiter)]
        if entry not in expected:
            expected.append(entry)
    found: list[str] = []
    marker = ""
    while True:
        page = take(scan_of(keys, prefix), prefix, delimiter, start_after(marker, prefix, delimiter), limit)
        found += sorted([entry.key for entry in page.entries] + page.prefixes)
        assert len(page.entries) + len(page.prefixes) <= limit
        if not page.truncated:
            break
        marker = page.last
    assert found == sorted(expected)


@pytest.fixture
def filled(s3: Any, bucket: str) -> str:
    for key in ("a/1", "a/2", "b/c/1", "b/d", "e", "f g"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"12345")
    return bucket


def keys_of(answer: dict[str, Any]) -> list[str]:
    return [entry["Key"] for entry in answer.get("Contents", [])]


def prefixes_of(answer: dict[str, Any]) -> list[str]:
    return [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])]


def test_delimiter_and_prefix(s3: Any, filled: str) -> None:
    answer = s3.list_objects_v2(Bucket=filled, Delimiter="/")
    assert keys_of(answer) == ["e", "f g"]
    assert prefixes_of(answer) == ["a/", "b/"]
    assert answer["KeyCount"] == 4
    inner = s3.list_objects_v2(Bucket=filled, Delimiter="/", Prefix="b/")
    assert keys_of(inner) == ["b/d"]
    assert prefixes_of(inner) == ["b/c/"]


def test_pages_by_token(s3: Any, filled: str) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=filled, PaginationConfig={"PageSize": 2})
    found = [keys_of(page) for page in pages]
    assert found == [["a/1", "a/2"], ["b/c/1", "b/d"], ["e", "f g"]]


def test_pages_by_marker(s3: Any, filled: str) -> None:
    first = s3.list_objects(Bucket=filled, Delimiter="/", MaxKeys=1)
    assert first["NextMarker"] == "a/"
    assert prefixes_of(first) == ["a/"]
    second = s3.list_objects(Bucket=filled, Delimiter="/", MaxKeys=1, Marker="a/")
    assert prefixes_of(second) == ["b/"]
    assert keys_of(s3.list_objects(Bucket=filled, Marker="b/d")) == ["e", "f g"]
    assert "NextMarker" not in s3.list_objects(Bucket=filled, MaxKeys=1)


def test_what_an_entry_shows(s3: Any, filled: str) -> None:
    entry = s3.list_objects_v2(Bucket=filled, Prefix="e", FetchOwner=True)["Contents"][0]
    assert entry["Size"] == 5
    assert entry["StorageClass"] == "STANDARD"
    assert entry["ETag"] == '"827ccb0eea8a706c4c34a16891f84e7b"'
    assert entry["ChecksumType"] == "FULL_OBJECT"
    assert len(entry["Owner"]["ID"]) == 64
    assert "Owner" not in s3.list_objects_v2(Bucket=filled, Prefix="e")["Contents"][0]


def test_no_keys_asked_for(s3: Any, filled: str) -> None:
    answer = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert answer["KeyCount"] == 0
    assert answer["IsTruncated"] is False
    assert s3.list_objects_v2(Bucket=filled, MaxKeys=5000)["MaxKeys"] == 1000


def test_start_after(s3: Any, filled: str) -> None:
    answer = s3.list_objects_v2(Bucket=filled, StartAfter="b/d")
    assert keys_of(answer) == ["e", "f g"]
    assert answer["StartAfter"] == "b/d"


def test_bad_arguments(s3: Any, filled: str, refused: Callable[..., Any]) -> None:
    refused("InvalidArgument", s3.list_objects_v2, Bucket=filled, MaxKeys=-1)
    error = refused("InvalidArgument", s3.list_objects_v2, Bucket=filled, EncodingType="gzip")
    assert error["Message"] == "Invalid Encoding Method specified in Request"
    refused("InvalidArgument", s3.list_objects_v2, Bucket=filled, ContinuationToken="")
