"""Which web pages may call, and what the browser is told."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest

from cloudlet.emulator.gateway.cors import Cors
from cloudlet.settings import Settings

SIGNED = "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("https://localhost", True),
        ("http://127.0.0.1:8080", True),
        ("http://app.localhost:4200", True),
        ("https://app.localstack.cloud", True),
        ("http://bucket.s3.localhost.localstack.cloud:4566", True),
        ("vscode-webview://abc", True),
        ("https://example.com", False),
        ("https://localhost.example.com", False),
        ("https://evil-localhost", False),
        ("null", False),
    ],
)
def test_development_origins_are_allowed_and_foreign_ones_are_not(origin: str, allowed: bool) -> None:
    assert Cors(Settings()).allows(origin) is allowed


def test_extra_origins_and_patterns_are_allowed() -> None:
    cors = Cors(Settings(extra_cors_allowed_origins=("https://one.example", "https://*.two.example")))
    assert cors.allows("https://one.example")
    assert cors.allows("https://a.two.example")
    assert not cors.allows("https://three.example")


def test_without_checks_every_origin_is_allowed() -> None:
    assert Cors(Settings(disable_cors_checks=True)).allows("https://example.com")


def call(emulator: Any, method: str, headers: dict[str, str], path: str = "/") -> tuple[int, dict[str, str]]:
    data = b"Action=GetCallerIdentity&Version=2011-06-15" if method == "POST" else None
    request = urllib.request.Request(emulator.url + path, data, {"Authorization": SIGNED, **headers}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}


def test_a_foreign_page_is_refused(emulator: Any) -> None:
    status, _headers = call(emulator, "POST", {"Origin": "https://example.com"})
    assert status == 403


def test_an_allowed_page_gets_the_headers(emulator: Any) -> None:
    status, headers = call(emulator, "POST", {"Origin": "http://localhost:3000"})
    assert status == 200
    assert headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "x-amzn-requestid" in headers["access-control-expose-headers"]


def test_a_preflight_is_answered(emulator: Any) -> None:
    status, headers = call(
        emulator,
        "OPTIONS",
        {
            "Origin": "http://localhost:3000",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-target,x-custom",
        },
    )
    assert status == 204
    assert "POST" in headers["access-control-allow-methods"]
    assert "x-custom" in headers["access-control-allow-headers"]


def test_a_request_without_origin_gets_no_cors_headers(emulator: Any) -> None:
    _status, headers = call(emulator, "POST", {})
    assert "access-control-allow-origin" not in headers


def test_internal_endpoints_refuse_foreign_pages_too(emulator: Any) -> None:
    status, _headers = call(emulator, "GET", {"Origin": "https://example.com"}, "/_localstack/health")
    assert status == 403
