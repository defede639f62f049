"""The versions of a key against a model: random writes, deletes and changes of the bucket's versioning."""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = itertools.count()
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["put", "put", "put-large", "delete", "Enabled", "Suspended"]),
        st.integers(0, 4),  # delete the version at this place
    ),
    max_size=14,
)


class Model:
    """What S3 keeps of one key: (version id, content) newest first; a delete marker has no content."""

    def __init__(self) -> None:
        self.state = ""
        self.versions: list[tuple[str, bytes | None]] = []

    def write(self, version: str, content: bytes | None) -> None:
        if self.state != "Enabled":
            self.versions = [entry for entry in self.versions if entry[0] != "null"]
        if content is not None or self.state:
            self.versions.insert(0, (version, content))

    @property
    def current(self) -> bytes | None:
        return self.versions[0][1] if self.versions else None


def stored(s3: Any, bucket: str) -> list[tuple[str, bytes | None]]:
    """All versions of the key as S3 lists them one by one, which shows the order of objects and markers."""
    found: list[tuple[str, bytes | None]] = []
    arguments: dict[str, Any] = {}
    while True:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=1, **arguments)
        for entry in page.get("Versions", []):
            assert entry["IsLatest"] is (not found)
            answer = s3.get_object(Bucket=bucket, Key="k", VersionId=entry["VersionId"])
            found.append((entry["VersionId"], answer["Body"].read()))
        for entry in page.get("DeleteMarkers", []):
            assert entry["IsLatest"] is (not found)
            found.append((entry["VersionId"], None))
        if not page["IsTruncated"]:
            return found
        arguments = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def take_step(s3: Any, bucket: str, model: Model, step: str | int, number: int) -> None:
    if step in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": step})
        model.state = str(step)
    elif step == "delete":
        answer = s3.delete_object(Bucket=bucket, Key="k")
        model.write(answer.get("VersionId", "null"), None)
    elif isinstance(step, int):
        if step < len(model.versions):
            version, _ = model.versions.pop(step)
            s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    else:
        content = f"{number}".encode() * (70_000 if step == "put-large" else 1)
        answer = s3.put_object(Bucket=bucket, Key="k", Body=content)
        model.write(answer.get("VersionId", "null"), content)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_versions_are_what_the_model_says(s3: Any, steps: list[str | int]) -> None:
    bucket = f"history-{os.getpid():x}-{next(NAMES)}"
    s3.create_bucket(Bucket=bucket)
    model = Model()
    for number, step in enumerate(steps):
        take_step(s3, bucket, model, step, number)
    assert stored(s3, bucket) == model.versions
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    assert len(listed) == (model.current is not None)
    if model.current is None:
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket=bucket, Key="k")
    else:
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == model.current
    for version, _ in model.versions:
        s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    s3.delete_bucket(Bucket=bucket)
