"""Presigned URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.config import Config


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls(client: Callable[..., Any], bucket: str, version: str) -> None:
    s3 = client("s3", config=Config(signature_version=version))
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a/b ü"})
    assert httpx.put(put, content=b"content").status_code == 200
    get = s3.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "a/b ü", "ResponseContentType": "text/x"}
    )
    answer = httpx.get(get)
    assert answer.content == b"content"
    assert answer.headers["content-type"] == "text/x"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_changed_url_is_refused(client: Callable[..., Any], bucket: str, version: str) -> None:
    s3 = client("s3", config=Config(signature_version=version))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    answer = httpx.get(url.replace("/k?", "/l?"))
    assert answer.status_code == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in answer.text


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_an_old_url_is_refused(client: Callable[..., Any], bucket: str, version: str) -> None:
    s3 = client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    url = re.sub(r"&Expires=\d+", "&Expires=1577836800", url)
    signed_on = re.search(r"X-Amz-Date=(\d{8})", url)
    if signed_on is not None:
        url = url.replace(signed_on[1], "20200101")
    answer = httpx.get(url)
    assert answer.status_code == 403
    assert "<Message>Request has expired</Message>" in answer.text


def test_an_incomplete_url_is_refused(s3: Any, bucket: str) -> None:
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    url = url.replace("X-Amz-Expires=3600&", "")
    if "X-Amz-Signature" in url:
        answer = httpx.get(url)
        assert answer.status_code == 400
        assert "<Code>AuthorizationQueryParametersError</Code>" in answer.text


def test_metadata_travels_in_the_url(client: Callable[..., Any], bucket: str) -> None:
    s3 = client("s3", config=Config(signature_version="s3"))
    params = {"Bucket": bucket, "Key": "k", "Metadata": {"name": "value"}}
    assert httpx.put(s3.generate_presigned_url("put_object", Params=params)).status_code == 200
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"name": "value"}


def test_checks_can_be_switched_off(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator(S3_SKIP_SIGNATURE_VALIDATION="1")
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="lenient")
    s3.put_object(Bucket="lenient", Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "lenient", "Key": "other"})
    assert httpx.get(url.replace("/other?", "/k?")).content == b"x"
