"""Configurations of buckets: stored as given, refused as AWS does, absent as AWS says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ABSENT = (
    ("get_bucket_cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    (
        "get_bucket_lifecycle_configuration",
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    ("get_bucket_policy", "NoSuchBucketPolicy", "The bucket policy does not exist"),
    ("get_bucket_tagging", "NoSuchTagSet", "The TagSet does not exist"),
    (
        "get_bucket_replication",
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    (
        "get_object_lock_configuration",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
)


@pytest.mark.parametrize(("operation", "code", "message"), ABSENT)
def test_what_a_new_bucket_has_not(
    s3: Any, bucket: str, refused: Callable[..., Any], operation: str, code: str, message: str
) -> None:
    error = refused(code, getattr(s3, operation), Bucket=bucket)
    assert error["Message"] == message
    assert error["Status"] == 404


def test_what_a_new_bucket_has(s3: Any, bucket: str) -> None:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    for operation in ("get_bucket_logging", "get_bucket_notification_configuration"):
        assert set(getattr(s3, operation)(Bucket=bucket)) == {"ResponseMetadata"}
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)


def test_lifecycle(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    rule = {"ID": "r", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 3}}
    put = s3.put_bucket_lifecycle_configuration
    put(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert found["Rules"] == [rule]
    assert found["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    assert 'rule-id="r"' in s3.put_object(Bucket=bucket, Key="logs/1")["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="other")
    assert 'rule-id="r"' in s3.head_object(Bucket=bucket, Key="logs/1")["Expiration"]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert "Expiration" not in s3.head_object(Bucket=bucket, Key="logs/1")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Status": "On"}, "MalformedXML"),
        ({"Expiration": {"Days": 0}}, "InvalidArgument"),
        ({"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}, "MalformedXML"),
        ({"Filter": {"Prefix": "a", "Tag": {"Key": "k", "Value": "v"}}}, "MalformedXML"),
        ({"Prefix": ""}, "MalformedXML"),
        ({"ID": "x" * 256}, "InvalidArgument"),
        ({"Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}]}, "InvalidArgument"),
        ({"Transitions": [{"Days": 9, "StorageClass": "GLACIER"}]}, "InvalidArgument"),
    ],
)
def test_lifecycle_rules_that_are_refused(
    s3: Any, bucket: str, refused: Callable[..., Any], changes: dict[str, Any], code: str
) -> None:
    rule = {"ID": "r", "Filter": {"Prefix": ""}, "Status": "Enabled", "Expiration": {"Days": 3}, **changes}
    refused(code, s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})


def test_website(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    configuration = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=configuration)
    found = s3.get_bucket_website(Bucket=bucket)
    assert {name: found[name] for name in configuration} == configuration
    put = s3.put_bucket_website
    refused("InvalidArgument", put, Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "a/b"}})
    everything = {"RedirectAllRequestsTo": {"HostName": "x"}, "IndexDocument": {"Suffix": "i"}}
    refused("InvalidArgument", put, Bucket=bucket, WebsiteConfiguration=everything)
    s3.delete_bucket_website(Bucket=bucket)
    refused("NoSuchWebsiteConfiguration", s3.get_bucket_website, Bucket=bucket)


def test_logging(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    wanted = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "log/"}}
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=wanted)
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == wanted["LoggingEnabled"]
    nowhere = {"LoggingEnabled": {"TargetBucket": "no-such-bucket-x", "TargetPrefix": ""}}
    refused("InvalidTargetBucketForLogging", s3.put_bucket_logging, Bucket=bucket, BucketLoggingStatus=nowhere)
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_payment_and_acceleration(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "Requester"
    put = s3.put_bucket_request_payment
    refused("MalformedXML", put, Bucket=bucket, RequestPaymentConfiguration={"Payer": "Nobody"})
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_accelerate_configuration(Bucket=bucket)["Status"] == "Enabled"
    put = s3.put_bucket_accelerate_configuration
    refused("MalformedXML", put, Bucket=bucket, AccelerateConfiguration={"Status": "On"})


def test_encryption(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    put = s3.put_bucket_encryption
    refused("MalformedXML", put, Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": []})
    wrong = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"}}]
    refused("InvalidArgument", put, Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": wrong})


def test_replication(s3: Any, versioned: str, unique: Callable[..., str], refused: Callable[..., Any]) -> None:
    def configuration(destination: str) -> dict[str, Any]:
        rule = {
            "ID": "r",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{destination}"},
        }
        return {"Role": "arn:aws:iam::000000000000:role/r", "Rules": [rule]}

    put = s3.put_bucket_replication
    target = unique("target")
    refused("InvalidRequest", put, Bucket=versioned, ReplicationConfiguration=configuration(target))
    s3.create_bucket(Bucket=target)
    refused("InvalidRequest", put, Bucket=versioned, ReplicationConfiguration=configuration(target))
    refused("InvalidRequest", put, Bucket=target, ReplicationConfiguration=configuration(versioned))
    s3.put_bucket_versioning(Bucket=target, VersioningConfiguration={"Status": "Enabled"})
    put(Bucket=versioned, ReplicationConfiguration=configuration(target))
    found = s3.get_bucket_replication(Bucket=versioned)["ReplicationConfiguration"]
    assert found == configuration(target)
    s3.delete_bucket_replication(Bucket=versioned)


@pytest.mark.parametrize(
    ("kind", "member", "content"),
    [
        ("metrics", "MetricsConfiguration", {"Filter": {"Prefix": "a"}}),
        ("analytics", "AnalyticsConfiguration", {"StorageClassAnalysis": {}}),
        (
            "intelligent_tiering",
            "IntelligentTieringConfiguration",
            {"Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]},
        ),
        (
            "inventory",
            "InventoryConfiguration",
            {
                "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::x", "Format": "CSV"}},
                "IsEnabled": True,
                "IncludedObjectVersions": "All",
                "Schedule": {"Frequency": "Daily"},
            },
        ),
    ],
)
def test_configurations_under_an_id(
    s3: Any, bucket: str, refused: Callable[..., Any], kind: str, member: str, content: dict[str, Any]
) -> None:
    named = {"Bucket": bucket, "Id": "one"}
    get = getattr(s3, f"get_bucket_{kind}_configuration")
    refused("NoSuchConfiguration", get, **named)
    getattr(s3, f"put_bucket_{kind}_configuration")(**named, **{member: {"Id": "one", **content}})
    assert get(**named)[member] == {"Id": "one", **content}
    listed = getattr(s3, f"list_bucket_{kind}_configurations")(Bucket=bucket)
    assert [entry["Id"] for entry in listed[f"{member}List"]] == ["one"]
    getattr(s3, f"delete_bucket_{kind}_configuration")(**named)
    refused("NoSuchConfiguration", get, **named)


def test_a_new_bucket_of_an_old_name_starts_anew(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "Requester"})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    refused("NoSuchTagSet", s3.get_bucket_tagging, Bucket=bucket)
