"""Account, region and principal from every form of credential."""

from __future__ import annotations

import pytest

from cloudlet.emulator.gateway.identity import Identities, Identity, partition_of
from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.settings import Settings


def identity(authorization: str = "", target: str = "/", settings: Settings | None = None) -> Identity:
    headers = {"authorization": authorization} if authorization else {}
    return Identities(settings or Settings()).of(HttpRequest("GET", target, headers))


def v4(key: str, region: str = "eu-west-1", service: str = "sqs") -> str:
    return (
        f"AWS4-HMAC-SHA256 Credential={key}/20261124/{region}/{service}/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=abc"
    )


def test_signature_version_4_names_account_region_and_service() -> None:
    found = identity(v4("111122223333"))
    assert (found.account_id, found.region, found.signing_name, found.partition) == (
        "111122223333",
        "eu-west-1",
        "sqs",
        "aws",
    )
    assert found.principal.arn == "arn:aws:iam::111122223333:root"
    assert found.principal.access_key_id == "111122223333"


@pytest.mark.parametrize("key", ["test", "testcontainers-localstack", "AKIAIOSFODNN7EXAMPLE"])
def test_other_keys_are_the_default_accounts(key: str) -> None:
    assert identity(v4(key)).account_id == "000000000000"


def test_a_presigned_url_carries_its_credential_in_the_query() -> None:
    target = "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20261124%2Fap-south-1%2Fs3%2Faws4_request"
    found = identity(target=target)
    assert (found.region, found.signing_name, found.principal.access_key_id) == ("ap-south-1", "s3", "test")


def test_signature_version_2_is_s3s() -> None:
    assert identity("AWS 123456789012:signature").account_id == "123456789012"
    assert identity("AWS test:signature").signing_name == "s3"
    assert identity(target="/b/k?AWSAccessKeyId=123456789012&Signature=x&Expires=1").account_id == "123456789012"


@pytest.mark.parametrize("authorization", ["", "Bearer token", "Basic dGVzdA==", "AWS4-HMAC-SHA256 Credential=broken"])
def test_without_a_readable_credential_a_request_is_anonymous(authorization: str) -> None:
    found = identity(authorization)
    assert (found.principal.kind, found.account_id, found.region) == ("anonymous", "000000000000", "us-east-1")


def test_a_region_that_is_none_becomes_the_default_one_unless_allowed() -> None:
    assert identity(v4("test", "local")).region == "us-east-1"
    assert identity(v4("test", "local"), settings=Settings(allow_nonstandard_regions=True)).region == "local"


def test_a_key_with_slashes_is_read_from_the_right() -> None:
    assert identity(v4("a/b/c")).principal.access_key_id == "a/b/c"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_belongs_to_a_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_seen_credentials_are_remembered() -> None:
    identities = Identities(Settings())
    request = HttpRequest("GET", "/", {"authorization": v4("test")})
    assert identities.of(request) is identities.of(request)
