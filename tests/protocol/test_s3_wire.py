"""What S3 does that no other service does."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.emulator.kernel.errors import AwsError, SerializationError
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.message import HttpRequest, InlineBody
from tests.protocol import wire


def s3(operation: str) -> Any:
    return codec(wire.MODELS.service("s3"), operation, "rest-xml")


def body_of(operation: str, result: dict[str, Any]) -> str:
    body: bytes = s3(operation).serialize(result, "r").body
    return body.decode().removeprefix('<?xml version="1.0" encoding="UTF-8"?>\n')


XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def test_the_location_is_the_root_itself() -> None:
    assert body_of("GetBucketLocation", {"LocationConstraint": "eu-west-1"}) == (
        f"<LocationConstraint {XMLNS}>eu-west-1</LocationConstraint>"
    )
    assert body_of("GetBucketLocation", {}) == f"<LocationConstraint {XMLNS}/>"


def test_a_listing_has_its_name_and_milliseconds() -> None:
    listed = {"Name": "b", "Contents": [{"Key": "a&b\x01", "LastModified": 1732444800.0, "ETag": '"e"', "Size": 3}]}
    assert body_of("ListObjectsV2", listed) == (
        f"<ListBucketResult {XMLNS}><Contents><Key>a&amp;b&#x1;</Key>"
        "<LastModified>2024-11-24T10:40:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size></Contents>"
        "<Name>b</Name></ListBucketResult>"
    )


def test_a_grantee_has_its_type_as_an_attribute() -> None:
    acl = {"Grants": [{"Grantee": {"Type": "Group", "URI": "u"}, "Permission": "READ"}]}
    assert (
        '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>u</URI></Grantee>'
    ) in body_of("GetBucketAcl", acl)


def test_every_answer_has_both_request_ids() -> None:
    headers = s3("PutObject").serialize({"ETag": '"e"'}, "request-id").headers
    assert headers["x-amz-request-id"] == "request-id"
    assert headers["x-amz-id-2"]
    assert headers["ETag"] == '"e"'
    assert "Content-Type" not in headers


def get(target: str, **headers: str) -> HttpRequest:
    return HttpRequest("GET", target, headers, InlineBody(b""))


def test_a_bad_number_is_an_invalid_argument() -> None:
    with pytest.raises(AwsError) as caught:
        s3("ListObjectsV2").parse(get("/b?list-type=2&max-keys=x"))
    assert caught.value.code == "InvalidArgument"
    assert caught.value.message == "Provided max-keys not an integer or within integer range"
    assert caught.value.members == {"ArgumentName": "max-keys", "ArgumentValue": "x"}


def test_a_date_that_cannot_be_read_is_passed_over() -> None:
    request = HttpRequest("GET", "/b/k", {"if-modified-since": "yesterday"}, InlineBody(b""))
    assert s3("GetObject").parse(request) == {"Bucket": "b", "Key": "k"}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/b/a%20b", "a b"),
        ("/b/a//b/", "a//b/"),
        ("/b//a", "/a"),
        ("/b/%2e%2e/x", "../x"),
        ("/b/a+b", "a+b"),
        ("/b/%C3%A9", "é"),
    ],
)
def test_keys_are_taken_as_they_are(path: str, key: str) -> None:
    assert s3("GetObject").parse(get(path)) == {"Bucket": "b", "Key": key}


def test_a_bucket_may_have_a_slash_behind_it() -> None:
    assert s3("ListObjectsV2").parse(get("/b/?list-type=2")) == {"Bucket": "b"}


def test_metadata_are_the_headers_with_the_prefix() -> None:
    request = HttpRequest("PUT", "/b/k", {"x-amz-meta-a": "1", "x-amz-meta-b-c": "é"}, InlineBody(b"x"))
    found = s3("PutObject").parse(request)
    assert found["Metadata"] == {"a": "1", "b-c": "é"}
    assert found["Body"].read() == b"x"


@pytest.mark.parametrize("body", [b"<a", b"<a/>", b"<!DOCTYPE x><CreateBucketConfiguration/>", b"\x00"])
def test_xml_that_is_not_what_it_should_be_is_malformed(body: bytes) -> None:
    with pytest.raises(SerializationError) as caught:
        s3("CreateBucket").parse(HttpRequest("PUT", "/b", {}, InlineBody(body)))
    assert caught.value.code == "MalformedXML"
    assert caught.value.status == 400


def test_xml_is_read_with_and_without_its_namespace() -> None:
    for attribute in ("", f" {XMLNS}"):
        text = f"<Tagging{attribute}><TagSet><Tag><Key>a</Key><Value></Value></Tag></TagSet></Tagging>"
        request = HttpRequest("PUT", "/b?tagging", {}, InlineBody(text.encode()))
        assert s3("PutBucketTagging").parse(request)["Tagging"] == {"TagSet": [{"Key": "a", "Value": ""}]}


def test_what_a_presigned_url_carries_instead_of_headers_counts() -> None:
    query = "?x-amz-acl=public-read&x-amz-meta-colour=blue&X-Amz-Expires=60&X-Amz-Signature=s&x-id=PutObject"
    request = HttpRequest("PUT", "/b/k" + query, {"x-amz-meta-size": "1"}, InlineBody(b"x"))
    found = s3("PutObject").parse(request)
    assert found["ACL"] == "public-read"
    assert found["Metadata"] == {"colour": "blue", "size": "1"}


def test_a_plain_url_carries_no_headers() -> None:
    request = HttpRequest("PUT", "/b/k?x-amz-acl=public-read", {}, InlineBody(b"x"))
    assert "ACL" not in s3("PutObject").parse(request)
