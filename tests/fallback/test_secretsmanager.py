"""Secrets Manager: states, versions and words of errors."""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]
MARKED = "You can't perform this operation on the secret because it was marked for deletion."
DAY_SECONDS = 86400


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_names_have_letters_digits_and_some_signs(client: Client) -> None:
    code, message = refused(client("secretsmanager").create_secret, Name=" a*b? ", SecretString="x")
    assert code == "ValidationException"
    assert message.startswith("Invalid name. Must be a valid name containing alphanumeric characters")


def test_a_secret_has_one_value(client: Client, unique: Unique) -> None:
    act = client("secretsmanager").create_secret
    code, message = refused(act, Name=unique("secret"), SecretString="x", SecretBinary=b"x")
    assert code == "InvalidParameterException"
    assert message.startswith("You can't specify both a binary secret value and a string secret value")


def test_a_marked_secret_can_only_be_restored(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="x")
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    for act, request in (
        (secrets.get_secret_value, {}),
        (secrets.put_secret_value, {"SecretString": "y"}),
        (secrets.update_secret, {"Description": "y"}),
        (secrets.delete_secret, {}),
    ):
        assert refused(act, SecretId=name, **request) == ("InvalidRequestException", MARKED)
    assert refused(secrets.create_secret, Name=name) == (
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
    secrets.restore_secret(SecretId=name)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "x"


def test_a_marked_secret_is_gone_after_its_window(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    secrets = emulator.client("secretsmanager")
    secrets.create_secret(Name="mine", SecretString="x")
    secrets.delete_secret(SecretId="mine", RecoveryWindowInDays=7)
    body = json.dumps({"seconds": 8 * DAY_SECONDS}).encode()
    urllib.request.urlopen(f"{emulator.url}/_cloudlet/clock/advance", data=body, timeout=30).close()
    assert refused(secrets.describe_secret, SecretId="mine")[0] == "ResourceNotFoundException"
    secrets.create_secret(Name="mine", SecretString="y")


def test_windows_have_limits(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name)
    assert refused(secrets.delete_secret, SecretId=name, RecoveryWindowInDays=3)[1] == (
        "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
    )
    assert (
        refused(secrets.delete_secret, SecretId=name, RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)[1]
        == "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
    )


def test_versions_without_a_stage_are_told_only_when_asked_for(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    arn = secrets.create_secret(Name=name, SecretString="1")["ARN"]
    for value in ("2", "3"):
        secrets.put_secret_value(SecretId=name, SecretString=value)
    listed = secrets.list_secret_version_ids(SecretId=name)
    assert listed["ARN"] == arn
    assert sorted(entry["VersionStages"][0] for entry in listed["Versions"]) == ["AWSCURRENT", "AWSPREVIOUS"]
    assert all(entry["KmsKeyIds"] == ["DefaultEncryptionKey"] for entry in listed["Versions"])
    assert len(secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]) == 3
    assert len(secrets.describe_secret(SecretId=name)["VersionIdsToStages"]) == 2
    first = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True, MaxResults=2)
    rest = secrets.list_secret_version_ids(
        SecretId=name, IncludeDeprecated=True, MaxResults=2, NextToken=first["NextToken"]
    )
    assert (len(first["Versions"]), len(rest["Versions"]), "NextToken" in rest) == (2, 1, False)


def test_the_day_of_the_last_use_is_kept(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="1")
    assert "LastAccessedDate" not in secrets.describe_secret(SecretId=name)
    secrets.get_secret_value(SecretId=name)
    assert secrets.describe_secret(SecretId=name)["LastAccessedDate"].timestamp() % DAY_SECONDS == 0


def test_what_is_not_there_is_named(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    arn = secrets.create_secret(Name=name, SecretString="1")["ARN"]
    assert refused(secrets.get_secret_value, SecretId=name, VersionStage="OTHER")[1] == (
        "Secrets Manager can't find the specified secret value for staging label: OTHER"
    )
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    assert refused(secrets.describe_secret, SecretId=elsewhere)[0] == "ResourceNotFoundException"


def test_rotation_wants_a_function(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="1")
    assert refused(secrets.rotate_secret, SecretId=name) == (
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
    )
    arn = "arn:aws:lambda:us-east-1:000000000000:function:" + unique("none")
    assert refused(secrets.rotate_secret, SecretId=name, RotationLambdaARN=arn)[0] == "AccessDeniedException"
    assert "RotationEnabled" not in secrets.describe_secret(SecretId=name)


ROTATING = """
import os, boto3
def handler(event, context):
    secrets = boto3.client("secretsmanager")
    arn, token = event["SecretId"], event["ClientRequestToken"]
    if event["Step"] == "createSecret":
        secrets.put_secret_value(SecretId=arn, ClientRequestToken=token, SecretString="new", VersionStages=["AWSPENDING"])
    if event["Step"] == "finishSecret":
        stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
        current = next(name for name, labels in stages.items() if "AWSCURRENT" in labels)
        secrets.update_secret_version_stage(
            SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
"""


def test_a_function_rotates_a_secret(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", ROTATING)
    function = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/rotation",
        Code={"ZipFile": content.getvalue()},
        Timeout=30,
    )["FunctionArn"]
    client("lambda").get_waiter("function_active_v2").wait(FunctionName=name)
    secrets.create_secret(Name=name, SecretString="old")
    token = secrets.rotate_secret(
        SecretId=name, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 7}
    )["VersionId"]
    end = time.monotonic() + 60
    while secrets.get_secret_value(SecretId=name)["SecretString"] == "old" and time.monotonic() < end:
        time.sleep(0.05)
    now = secrets.get_secret_value(SecretId=name)
    assert (now["SecretString"], now["VersionId"]) == ("new", token)
    described = secrets.describe_secret(SecretId=name)
    assert described["RotationEnabled"] is True
    assert described["RotationRules"] == {"AutomaticallyAfterDays": 7}
    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "old"


def test_several_values_at_once_and_what_was_wrong(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="1")
    answer = secrets.batch_get_secret_value(SecretIdList=[name, unique("none")])
    assert [value["SecretString"] for value in answer["SecretValues"]] == ["1"]
    assert [error["ErrorCode"] for error in answer["Errors"]] == ["ResourceNotFoundException"]
    assert refused(secrets.batch_get_secret_value)[0] == "InvalidParameterException"


def test_policies_are_validated(client: Client) -> None:
    secrets = client("secretsmanager")
    assert secrets.validate_resource_policy(ResourcePolicy="{}")["PolicyValidationPassed"] is True
    assert secrets.validate_resource_policy(ResourcePolicy="x")["PolicyValidationPassed"] is False
