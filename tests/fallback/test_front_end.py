"""What AWS's front ends do for every service, done for moto's: constraints, statuses, the members of errors."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]
UNCHECKED = Config(parameter_validation=False)


def refusal(act: Callable[..., Any], **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    return dict(caught.value.response)


def test_constraints_are_checked_before_the_operation(client: Client) -> None:
    answer = refusal(client("iam").create_user, UserName="x" * 65)
    assert answer["Error"]["Code"] == "ValidationError"
    assert "Member must have length less than or equal to 64" in answer["Error"]["Message"]
    answer = refusal(client("logs").put_retention_policy, logGroupName="bad name", retentionInDays=1)
    assert answer["Error"]["Message"].endswith("Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+")


def test_a_required_member_that_is_missing_is_named(client: Client) -> None:
    answer = refusal(client("kinesis", config=UNCHECKED).create_stream, ShardCount=1)
    assert answer["Error"]["Code"] == "ValidationException"
    assert "Value null at 'streamName' failed to satisfy constraint: Member must not be null" in str(answer)


def test_a_sensitive_value_is_not_repeated(client: Client) -> None:
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    answer = refusal(client("kms").encrypt, KeyId=key, Plaintext=b"x" * 4097)
    assert answer["Error"]["Message"] == (
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096"
    )


def test_client_errors_of_json_services_have_the_status_400(client: Client, unique: Unique) -> None:
    answer = refusal(client("secretsmanager").get_secret_value, SecretId=unique("none"))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["Message"] == answer["Error"]["Message"]


def test_other_errors_have_the_status_of_the_model(client: Client, unique: Unique) -> None:
    answer = refusal(client("iam").get_user, UserName=unique("none"))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert answer["Error"]["Type"] == "Sender"


def test_a_body_that_is_not_json_is_refused(emulator: Any) -> None:
    headers = {
        "X-Amz-Target": "secretsmanager.ListSecrets",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/secretsmanager/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(emulator.url, b"{nothing", headers), timeout=30)
    assert caught.value.code == 400
    assert json.loads(caught.value.read())["__type"] == "SerializationException"
