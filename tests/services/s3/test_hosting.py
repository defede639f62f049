"""Static websites."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.fixture
def site(s3: Any, bucket: str) -> str:
    rule = {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
    configuration = {
        "IndexDocument": {"Suffix": "index.html"},
        "ErrorDocument": {"Key": "error.html"},
        "RoutingRules": [rule],
    }
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=configuration)
    for key in ("index.html", "docs/index.html", "error.html"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="text/html")
    s3.put_object(Bucket=bucket, Key="moved", WebsiteRedirectLocation="/index.html")
    return bucket


def get(emulator: Any, bucket: str, path: str) -> httpx.Response:
    host = f"{bucket}.s3-website.localhost.localstack.cloud:{emulator.port}"
    return httpx.get(f"{emulator.url}{path}", headers={"Host": host})


def test_pages(emulator: Any, site: str) -> None:
    answer = get(emulator, site, "/")
    assert answer.text == "index.html"
    assert answer.headers["content-type"] == "text/html"
    assert get(emulator, site, "/docs/").text == "docs/index.html"
    folder = get(emulator, site, "/docs")
    assert (folder.status_code, folder.headers["location"]) == (302, "/docs/")


def test_redirections(emulator: Any, site: str) -> None:
    answer = get(emulator, site, "/moved")
    assert (answer.status_code, answer.headers["location"]) == (301, "/index.html")
    answer = get(emulator, site, "/old/page")
    assert answer.status_code == 301
    assert answer.headers["location"].endswith("/new/page")


def test_errors(emulator: Any, s3: Any, site: str) -> None:
    answer = get(emulator, site, "/missing")
    assert (answer.status_code, answer.text) == (404, "error.html")
    s3.delete_object(Bucket=site, Key="error.html")
    answer = get(emulator, site, "/missing")
    assert answer.status_code == 404
    assert "<li>Code: NoSuchKey</li>" in answer.text
    s3.delete_bucket_website(Bucket=site)
    assert "NoSuchWebsiteConfiguration" in get(emulator, site, "/").text
    assert "NoSuchBucket" in get(emulator, "no-such-bucket-here", "/").text
