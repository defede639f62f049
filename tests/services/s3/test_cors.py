"""Cross-origin requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cloudlet.emulator.services.s3.cors import find_rule, wildcard_match

RULE = {
    "AllowedOrigins": ["https://*.example.com", "http://plain.example"],
    "AllowedMethods": ["GET", "PUT"],
    "AllowedHeaders": ["x-amz-*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 300,
}


def test_one_wildcard() -> None:
    assert wildcard_match("*", "anything")
    assert wildcard_match("https://*.example.com", "https://a.example.com")
    assert not wildcard_match("https://*.example.com", "https://example.com")
    assert not wildcard_match("ab*ba", "aba")
    assert wildcard_match("plain", "plain")


def test_the_first_rule_that_fits() -> None:
    other = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}
    found = find_rule([RULE, other], "https://a.example.com", "GET", ["x-amz-date"])
    assert found is not None
    assert found.origin == "https://a.example.com"
    found = find_rule([RULE, other], "https://elsewhere.test", "GET")
    assert found is not None
    assert found.origin == "*"
    assert find_rule([RULE], "https://a.example.com", "DELETE") is None
    assert find_rule([RULE], "https://a.example.com", "GET", ["content-type"]) is None


@pytest.fixture
def shared(s3: Any, bucket: str) -> str:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [RULE]})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    return bucket


def test_a_preflight(emulator: Any, shared: str) -> None:
    headers = {
        "Origin": "https://a.example.com",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "X-Amz-Date",
    }
    answer = httpx.options(f"{emulator.url}/{shared}/k", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://a.example.com"
    assert answer.headers["access-control-allow-methods"] == "GET, PUT"
    assert answer.headers["access-control-allow-headers"] == "x-amz-date"
    assert answer.headers["access-control-max-age"] == "300"
    assert answer.headers["access-control-allow-credentials"] == "true"


def test_preflights_that_are_refused(emulator: Any, s3: Any, shared: str) -> None:
    url = f"{emulator.url}/{shared}/k"
    wanted = {"Access-Control-Request-Method": "DELETE"}
    answer = httpx.options(url, headers={"Origin": "https://a.example.com", **wanted})
    assert answer.status_code == 403
    assert "This CORS request is not allowed" in answer.text
    assert httpx.options(url, headers=wanted).status_code == 400
    s3.delete_bucket_cors(Bucket=shared)
    answer = httpx.options(url, headers={"Origin": "https://a.example.com", **wanted})
    assert answer.status_code == 403
    assert "CORS is not enabled for this bucket" in answer.text


def test_pages_on_this_machine_may_use_buckets_without_rules(emulator: Any, bucket: str) -> None:
    url = f"{emulator.url}/{bucket}/k"
    wanted = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-amz-date"}
    answer = httpx.options(url, headers={"Origin": "http://localhost:3000", **wanted})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    foreign = httpx.options(url, headers={"Origin": "https://foreign.test", **wanted})
    assert foreign.status_code == 403
    assert "access-control-allow-origin" not in foreign.headers


def test_other_answers_carry_the_headers_too(emulator: Any, shared: str) -> None:
    url = f"{emulator.url}/{shared}/k"
    answer = httpx.get(url, headers={"Origin": "https://a.example.com"})
    assert answer.content == b"x"
    assert answer.headers["access-control-expose-headers"] == "ETag"
    assert "access-control-allow-origin" not in httpx.get(url, headers={"Origin": "https://foreign.test"}).headers


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AllowedMethods": ["PATCH"]}, "InvalidRequest"),
        ({"AllowedOrigins": ["http://*.a.*"]}, "InvalidRequest"),
        ({"ExposeHeaders": ["*"]}, "InvalidRequest"),
        ({"AllowedMethods": []}, "MalformedXML"),
    ],
)
def test_rules_that_are_refused(
    s3: Any, bucket: str, refused: Callable[..., Any], changes: dict[str, Any], code: str
) -> None:
    refused(code, s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": [{**RULE, **changes}]})
