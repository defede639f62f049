"""Objects: written, read, copied, with all that belongs to them."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest


@pytest.mark.parametrize("size", [0, 5, 65_536, 65_537, 1_000_000])
def test_what_is_put_is_got(s3: Any, bucket: str, size: int) -> None:
    data = bytes(index % 256 for index in range(size))
    put = s3.put_object(Bucket=bucket, Key="k", Body=data)
    assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    answer = s3.get_object(Bucket=bucket, Key="k")
    assert answer["Body"].read() == data
    assert answer["ContentLength"] == size
    assert answer["ETag"] == put["ETag"]
    assert answer["ContentType"] == "binary/octet-stream"
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size


def test_overwriting_small_with_large_and_back(s3: Any, bucket: str) -> None:
    for data in (b"a" * 10, b"b" * 200_000, b"", b"c" * 20):
        s3.put_object(Bucket=bucket, Key="k", Body=data)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data


def test_headers_and_metadata_come_back(s3: Any, bucket: str) -> None:
    expires = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
    kept = {
        "CacheControl": "no-cache",
        "ContentDisposition": "attachment",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain",
        "Expires": expires,
        "Metadata": {"name": "value"},
        "StorageClass": "STANDARD_IA",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **kept)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert {name: head[name] for name in kept} == kept
    asked = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/html", ResponseCacheControl="max-age=1")
    assert asked["ContentType"] == "text/html"
    assert asked["CacheControl"] == "max-age=1"


def test_keys_of_every_kind(s3: Any, bucket: str) -> None:
    keys = ["a b+c", "ü/€/😀", "//x", "a/", "%41", "x" * 1024, "&<>\"'", ".", "a?b#c"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert sorted(keys, key=str.encode) == [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    for key in keys:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


def test_limits(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    error = refused("KeyTooLongError", s3.put_object, Bucket=bucket, Key="x" * 1025)
    assert error["MaxSizeAllowed"] == "1024"
    refused("MetadataTooLarge", s3.put_object, Bucket=bucket, Key="k", Metadata={"a": "x" * 2048})
    refused("InvalidStorageClass", s3.put_object, Bucket=bucket, Key="k", StorageClass="NOTHING")


def test_what_does_not_exist(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    error = refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="k")
    assert error["Key"] == "k"
    assert error["Message"] == "The specified key does not exist."
    refused("404", s3.head_object, Bucket=bucket, Key="k")
    error = refused("NoSuchBucket", s3.get_object, Bucket=bucket + "-x", Key="k")
    assert error["BucketName"] == bucket + "-x"


@pytest.mark.parametrize("host", ["s3.localhost.localstack.cloud", "localhost", "s3.eu-west-1.amazonaws.com"])
def test_virtual_hosted_style(emulator: Any, s3: Any, bucket: str, host: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    connection.request("PUT", "/a/b", body=b"x", headers={"Host": f"{bucket}.{host}"})
    assert connection.getresponse().read() == b""
    connection.request("GET", "/a/b", headers={"Host": f"{bucket}.{host}:4566"})
    assert connection.getresponse().read() == b"x"
    connection.request("GET", "/?list-type=2", headers={"Host": f"{bucket}.{host}"})
    assert b"<Key>a/b</Key>" in connection.getresponse().read()
    connection.close()
    assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"x"


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_copy_is_an_object_of_its_own(s3: Any, bucket: str, size: int) -> None:
    data = b"x" * size
    put = s3.put_object(Bucket=bucket, Key="from", Body=data, Metadata={"a": "1"}, ContentType="text/plain")
    copy = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from"})
    assert copy["CopyObjectResult"]["ETag"] == put["ETag"]
    assert copy["CopyObjectResult"]["ChecksumCRC32"] == put["ChecksumCRC32"]
    s3.delete_object(Bucket=bucket, Key="from")
    answer = s3.get_object(Bucket=bucket, Key="to")
    assert answer["Body"].read() == data
    assert answer["Metadata"] == {"a": "1"}
    assert answer["ContentType"] == "text/plain"


def test_a_copy_may_replace_metadata_and_checksum(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "1"}, Tagging="t=1")
    source = {"Bucket": bucket, "Key": "k"}
    refused("InvalidRequest", s3.copy_object, Bucket=bucket, Key="k", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="k", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"b": "2"}
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "t", "Value": "1"}]
    copy = s3.copy_object(
        Bucket=bucket, Key="l", CopySource=source, ChecksumAlgorithm="SHA256", TaggingDirective="REPLACE", Tagging="u=2"
    )
    assert "ChecksumSHA256" in copy["CopyObjectResult"]
    assert s3.get_object_tagging(Bucket=bucket, Key="l")["TagSet"] == [{"Key": "u", "Value": "2"}]


def test_customer_keys_are_asked_for(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"secret", **key)
    assert put["SSECustomerAlgorithm"] == "AES256"
    assert "ServerSideEncryption" not in put
    assert s3.get_object(Bucket=bucket, Key="k", **key)["Body"].read() == b"secret"
    refused("InvalidRequest", s3.get_object, Bucket=bucket, Key="k")
    wrong = {**key, "SSECustomerKey": "x" * 32}
    refused("AccessDenied", s3.get_object, Bucket=bucket, Key="k", **wrong)
    refused("InvalidArgument", s3.put_object, Bucket=bucket, Key="k", SSECustomerAlgorithm="AES256", SSECustomerKey="s")


def test_encryption_by_default_and_by_request(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    assert s3.put_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    put = s3.put_object(Bucket=bucket, Key="k")
    assert put["ServerSideEncryption"] == "aws:kms"
    assert put["SSEKMSKeyId"].startswith("arn:aws:kms:us-east-1:000000000000:key/")
    assert put["BucketKeyEnabled"] is True
    assert s3.put_object(Bucket=bucket, Key="k", ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    refused("InvalidArgument", s3.put_object, Bucket=bucket, Key="k", ServerSideEncryption="rot13")
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.put_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"


def test_archived_objects_are_read_after_a_restore(s3: Any, bucket: str, refused: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER")
    refused("InvalidObjectState", s3.get_object, Bucket=bucket, Key="k")
    s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert 'ongoing-request="false"' in s3.head_object(Bucket=bucket, Key="k")["Restore"]


def test_objects_survive_a_crash(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="kept")
    bodies = {"small": b"s" * 10, "large": b"l" * 300_000}
    for key, data in bodies.items():
        s3.put_object(Bucket="kept", Key=key, Body=data)
    emulator.kill()
    emulator.restart()
    for key, data in bodies.items():
        assert s3.get_object(Bucket="kept", Key=key)["Body"].read() == data
