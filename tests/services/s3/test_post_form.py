"""Uploads by HTML forms."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cloudlet.emulator.services.s3.errors import AccessDenied, EntityTooLarge, InvalidPolicyDocument
from cloudlet.emulator.services.s3.forms import read_form
from cloudlet.emulator.services.s3.post_policy import check_policy, parse_policy

LATER = "2099-01-01T00:00:00Z"


def policy(*conditions: Any, expiration: str = LATER) -> dict[str, Any]:
    return {"expiration": expiration, "conditions": list(conditions)}


def test_conditions_of_a_policy() -> None:
    fields = {"bucket": "b", "key": "user/x", "content-type": "image/png", "policy": "…"}
    check_policy(
        policy({"bucket": "b"}, ["starts-with", "$key", "user/"], ["eq", "$Content-Type", "image/png"]), fields, 5, 0.0
    )
    with pytest.raises(AccessDenied, match=r'Policy Condition failed: \["eq", "\$key", "other"\]'):
        check_policy(policy({"key": "other"}), {"key": "x"}, 5, 0.0)
    with pytest.raises(AccessDenied, match="Extra input fields: acl"):
        check_policy(policy({"key": "x"}), {"key": "x", "acl": "private"}, 5, 0.0)
    with pytest.raises(EntityTooLarge):
        check_policy(policy({"key": "x"}, ["content-length-range", 0, 4]), {"key": "x"}, 5, 0.0)
    with pytest.raises(AccessDenied, match="Policy expired"):
        check_policy(policy(expiration="2020-01-01T00:00:00Z"), {}, 0, 1_800_000_000.0)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"expiration": "2099-01-01T00:00:00Z"}'])
def test_policies_that_are_none(text: str) -> None:
    with pytest.raises(InvalidPolicyDocument):
        parse_policy(base64.b64encode(text.encode()).decode())


def test_the_file_ends_the_fields() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="Key"\r\n\r\nk\r\n'
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a b.txt"\r\nContent-Type: text/plain\r\n\r\n'
        b"line\r\n--not\r\n"
        b'--B\r\nContent-Disposition: form-data; name="after"\r\n\r\nx\r\n--B--\r\n'
    )
    form = read_form("multipart/form-data; boundary=B", body)
    assert form.fields == {"key": "k"}
    assert form.file == b"line\r\n--not"
    assert form.filename == "a b.txt"


def test_a_presigned_form(s3: Any, bucket: str) -> None:
    form = s3.generate_presigned_post(
        bucket,
        "up/${filename}",
        Fields={"x-amz-meta-a": "1", "success_action_status": "201", "Content-Type": "text/plain"},
        Conditions=[{"x-amz-meta-a": "1"}, {"success_action_status": "201"}, {"Content-Type": "text/plain"}],
    )
    answer = httpx.post(form["url"], data=form["fields"], files={"file": ("name.txt", b"content")})
    assert answer.status_code == 201
    assert "<Key>up/name.txt</Key>" in answer.text
    got = s3.get_object(Bucket=bucket, Key="up/name.txt")
    assert got["Body"].read() == b"content"
    assert got["Metadata"] == {"a": "1"}
    assert got["ContentType"] == "text/plain"


def test_a_large_form(s3: Any, bucket: str) -> None:
    form = s3.generate_presigned_post(bucket, "large")
    data = b"x" * 500_000
    assert httpx.post(form["url"], data=form["fields"], files={"file": data}).status_code == 204
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == data


def test_redirection(s3: Any, bucket: str) -> None:
    target = "http://example.com/done?x=1"
    form = s3.generate_presigned_post(
        bucket, "k", Fields={"success_action_redirect": target}, Conditions=[{"success_action_redirect": target}]
    )
    answer = httpx.post(form["url"], data=form["fields"], files={"file": b"x"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{target}&bucket={bucket}&key=k&etag=")


def test_forms_that_are_refused(s3: Any, bucket: str, emulator: Any) -> None:
    form = s3.generate_presigned_post(bucket, "k", Conditions=[["content-length-range", 0, 3]])
    answer = httpx.post(form["url"], data=form["fields"], files={"file": b"12345"})
    assert answer.status_code == 400
    assert "<Code>EntityTooLarge</Code>" in answer.text
    signature = "signature" if "signature" in form["fields"] else "x-amz-signature"
    wrong = {**form["fields"], signature: "0" * 64}
    answer = httpx.post(form["url"], data=wrong, files={"file": b"1"})
    assert answer.status_code == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in answer.text
    answer = httpx.post(f"{emulator.url}/{bucket}", data={"a": "b"}, files={"file": b"1"})
    assert "Bucket POST must contain a field named 'key'" in answer.text
    answer = httpx.post(f"{emulator.url}/{bucket}", content=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 412


def test_the_older_signature(s3: Any, bucket: str, emulator: Any, unique: Callable[..., str]) -> None:
    expiration = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = policy({"bucket": bucket}, {"key": "old"}, expiration=expiration)
    text = base64.b64encode(json.dumps(document).encode()).decode()
    signature = base64.b64encode(hmac.digest(b"test", text.encode(), "sha1")).decode()
    fields = {"key": "old", "AWSAccessKeyId": "test", "policy": text, "signature": signature}
    assert httpx.post(f"{emulator.url}/{bucket}", data=fields, files={"file": b"x"}).status_code == 204
    fields["signature"] = "AAAA"
    assert httpx.post(f"{emulator.url}/{bucket}", data=fields, files={"file": b"x"}).status_code == 403
