"""Object lock: retention, legal hold, and what they forbid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)


@pytest.fixture
def locked(s3: Any, unique: Callable[..., str]) -> str:
    name = unique("locked")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def test_a_bucket_with_locks_is_versioned(s3: Any, locked: str, refused: Callable[..., Any]) -> None:
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    configuration = s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"]
    assert configuration == {"ObjectLockEnabled": "Enabled"}
    suspended = {"Status": "Suspended"}
    refused("InvalidBucketState", s3.put_bucket_versioning, Bucket=locked, VersioningConfiguration=suspended)


def test_the_default_retention_applies(s3: Any, locked: str, refused: Callable[..., Any]) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
    assert s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"] == configuration
    version = s3.put_object(Bucket=locked, Key="k")["VersionId"]
    assert s3.head_object(Bucket=locked, Key="k")["ObjectLockMode"] == "GOVERNANCE"
    error = refused("AccessDenied", s3.delete_object, Bucket=locked, Key="k", VersionId=version)
    assert error["Message"] == "Access Denied because object protected by object lock."
    s3.delete_object(Bucket=locked, Key="k", VersionId=version, BypassGovernanceRetention=True)
    both = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}}
    refused("MalformedXML", s3.put_object_lock_configuration, Bucket=locked, ObjectLockConfiguration=both)


def test_compliance_is_not_waived(s3: Any, locked: str, refused: Callable[..., Any]) -> None:
    version = s3.put_object(Bucket=locked, Key="k", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=LATER)[
        "VersionId"
    ]
    delete = {"Bucket": locked, "Key": "k", "VersionId": version, "BypassGovernanceRetention": True}
    refused("AccessDenied", s3.delete_object, **delete)
    assert s3.delete_object(Bucket=locked, Key="k")["DeleteMarker"] is True
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": LATER - timedelta(days=1)}
    refused("AccessDenied", s3.put_object_retention, Bucket=locked, Key="k", VersionId=version, Retention=retention)


def test_a_legal_hold_holds(s3: Any, locked: str, refused: Callable[..., Any]) -> None:
    version = s3.put_object(Bucket=locked, Key="k")["VersionId"]
    refused("NoSuchObjectLockConfiguration", s3.get_object_legal_hold, Bucket=locked, Key="k")
    s3.put_object_legal_hold(Bucket=locked, Key="k", LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(Bucket=locked, Key="k")["LegalHold"] == {"Status": "ON"}
    refused("AccessDenied", s3.delete_object, Bucket=locked, Key="k", VersionId=version)
    s3.put_object_legal_hold(Bucket=locked, Key="k", LegalHold={"Status": "OFF"})
    s3.delete_object(Bucket=locked, Key="k", VersionId=version)


def test_retention_of_a_version(s3: Any, locked: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=locked, Key="k")
    named = {"Bucket": locked, "Key": "k"}
    refused("NoSuchObjectLockConfiguration", s3.get_object_retention, **named)
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": LATER}
    s3.put_object_retention(**named, Retention=retention)
    assert s3.get_object_retention(**named)["Retention"] == retention
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": LATER - timedelta(days=1)}
    refused("AccessDenied", s3.put_object_retention, **named, Retention=shorter)
    s3.put_object_retention(**named, Retention=shorter, BypassGovernanceRetention=True)
    past = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)}
    refused("InvalidArgument", s3.put_object_retention, **named, Retention=past)
    refused("MalformedXML", s3.put_object_retention, **named, Retention={"Mode": "GOVERNANCE"})


def test_buckets_without_locks(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": LATER}
    refused("InvalidRequest", s3.put_object, Bucket=bucket, Key="k", **lock)
    s3.put_object(Bucket=bucket, Key="k")
    hold = {"Status": "ON"}
    refused("InvalidRequest", s3.put_object_legal_hold, Bucket=bucket, Key="k", LegalHold=hold)
    enabled = {"ObjectLockEnabled": "Enabled"}
    refused("InvalidBucketState", s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=enabled)
