"""Secrets Manager: what may be asked of a secret in which state, and what is told of its versions.

Words of errors from recorded answers of AWS and the "AWS Secrets Manager API Reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import ANY, Answer, Asked, rotation
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+\Z")
DAY_SECONDS = 86400
# What moto puts before and into its messages
PREFIX = re.compile(r"^(?:\w+Exception: )?An error occurred \(\w+\)\s+when calling the \w+ operation: ")
MARKED = "You can't perform this operation on the secret because it was marked for deletion."
TOKEN = "You must provide a ClientRequestToken value. We recommend a UUID-type value."  # noqa: S105 - a message
NOT_FOUND = "Secrets Manager can't find the specified secret."
WANTS_TOKEN = frozenset({"CreateSecret", "PutSecretValue", "RotateSecret", "UpdateSecret"})
WHILE_MARKED = frozenset({"DeleteSecret", "DescribeSecret", "RestoreSecret", "ListSecretVersionIds", "ListSecrets"})
KEY_OF_AWS = "DefaultEncryptionKey"


def refuse(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message)


def not_found(message: str = NOT_FOUND) -> UnmodelledError:
    return refuse("ResourceNotFoundException", message)


def checked(answer: Answer) -> Answer:
    """The same, for a secret that is here and can be used, with AWS's words."""

    def answered(asked: Asked) -> dict[str, Any]:
        operation, request = asked.call.operation, asked.request
        is_outside = asked.call.http is not None
        if operation in WANTS_TOKEN and is_outside and not request.get("ClientRequestToken"):
            raise refuse("InvalidRequestException", TOKEN)
        with asked.state() as backend:
            forget_deleted(backend, asked.call.now)
            name = request.get("SecretId")
            if name is not None:
                check_scope(asked, name)
                if not name.startswith("arn:"):
                    check_name(name)
                secret = backend.secrets.get(name)
                if secret is not None and secret.is_deleted() and operation not in WHILE_MARKED:
                    raise refuse("InvalidRequestException", MARKED)
            try:
                return answer(asked)
            except AwsError as error:
                raise refuse(error.code, in_words(error.message)) from error

    return answered


def in_words(message: str) -> str:
    message = " ".join(PREFIX.sub("", message).split())
    return MARKED if message.startswith("You tried to perform the operation on a secret") else message


def forget_deleted(backend: Any, now: float) -> None:
    """Secrets whose window is over are gone."""
    for secret in tuple(backend.secrets.values()):
        if secret.is_deleted() and getattr(secret, "deleted_date", None) and secret.deleted_date <= now:
            backend.secrets.pop(secret.arn)


def check_name(name: str) -> None:
    if not NAME.match(name):
        raise refuse(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )


def check_scope(asked: Asked, name: str) -> None:
    """An ARN of another region or account names nothing here."""
    parts = name.split(":")
    if name.startswith("arn:") and (len(parts) < 7 or parts[3:5] != [asked.call.region, asked.call.account_id]):
        raise not_found()


def secret_of(asked: Asked, backend: Any) -> Any:
    found = backend.secrets.get(asked.request["SecretId"])
    if found is None:
        raise not_found()
    return found


def as_it_is(asked: Asked) -> dict[str, Any]:
    return asked.proceed()


def create_secret(asked: Asked) -> dict[str, Any]:
    request = asked.request
    name = request["Name"]
    check_name(name)
    check_one_value(request)
    with asked.state() as backend:
        before = backend.secrets.get(name)
        if before is not None and before.is_deleted():
            raise refuse(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )
        return asked.proceed()


def check_one_value(request: dict[str, Any]) -> None:
    if request.get("SecretString") is not None and request.get("SecretBinary") is not None:
        raise refuse(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )


def with_one_value(asked: Asked) -> dict[str, Any]:
    check_one_value(asked.request)
    return asked.proceed()


def get_secret_value(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        secret = secret_of(asked, backend)
        version = request.get("VersionId")
        stage = request.get("VersionStage") or (None if version is not None else "AWSCURRENT")
        check_value(secret, stage, version)
        known = secret.versions.get(version, {})
        if version is not None and version in secret.versions and stage not in (None, *known["version_stages"]):
            raise refuse(
                "InvalidRequestException",
                "You provided a VersionStage that is not associated to the provided VersionId.",
            )
        if stage is not None and version is None:
            staged = [made for made in secret.versions.values() if stage in made["version_stages"]]
            if not staged:
                raise not_found(f"Secrets Manager can't find the specified secret value for staging label: {stage}")
        answer = asked.proceed(VersionStage=stage)
        today = asked.call.now // DAY_SECONDS * DAY_SECONDS
        secret.accessed_at = today
        made = secret.versions.get(answer["VersionId"])
        if made is not None:
            made["accessed_at"] = today
        return answer


def check_value(secret: Any, stage: str | None, version: str | None) -> None:
    """A version that a rotation has begun has no value yet."""
    for name, made in secret.versions.items():
        has_none = "secret_string" not in made and "secret_binary" not in made
        if has_none and (name == version or (version is None and stage in made["version_stages"])):
            named = f"VersionId: {version}" if version is not None else f"staging label: {stage}"
            raise not_found(f"Secrets Manager can't find the specified secret value for {named}")


def describe_secret(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        secret = secret_of(asked, backend)
        return completed(asked.proceed(), secret, "VersionIdsToStages")


def completed(told: dict[str, Any], secret: Any, stages: str) -> dict[str, Any]:
    """Versions without a stage are not told of, the day of the last use is."""
    if getattr(secret, "rotation_rules", None):
        told["RotationRules"] = dict(secret.rotation_rules)
    if secret.rotation_requested and secret.next_rotation_date:
        told["NextRotationDate"] = secret.next_rotation_date
    if stages in told:
        told[stages] = {version: labels for version, labels in told[stages].items() if labels}
    if hasattr(secret, "accessed_at"):
        told["LastAccessedDate"] = secret.accessed_at
    return told


def list_secrets(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        result = asked.proceed()
        listed = [
            completed(told, backend.secrets.get(told["ARN"]), "SecretVersionsToStages") for told in result["SecretList"]
        ]
    return {**result, "SecretList": listed}


def list_secret_version_ids(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        secret = secret_of(asked, backend)
        found = []
        for version, made in secret.versions.items():
            told = {
                "VersionId": version,
                "CreatedDate": made["createdate"],
                "KmsKeyIds": [secret.kms_key_id or KEY_OF_AWS],
            }
            if made["version_stages"]:
                told["VersionStages"] = list(made["version_stages"])
            elif not request.get("IncludeDeprecated"):
                continue
            if "accessed_at" in made:
                told["LastAccessedDate"] = made["accessed_at"]
            found.append(told)
    shown, following = page(
        found,
        request.get("MaxResults", 100),
        request.get("NextToken"),
        lambda: refuse("InvalidNextTokenException", "Invalid NextToken provided"),
    )
    answer = {"Versions": list(shown), "ARN": secret.arn, "Name": secret.name}
    return answer | ({"NextToken": following} if following else {})


def update_secret_version_stage(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        secret = secret_of(asked, backend)
        for member in ("MoveToVersionId", "RemoveFromVersionId"):
            wanted = asked.request.get(member)
            if wanted is not None and wanted not in secret.versions:
                raise not_found(f"Secrets Manager can't find the specified secret value for VersionId: {wanted}")
        return asked.proceed()


def rotate_secret(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return rotation.rotate_secret(asked, secret_of(asked, backend))


def put_resource_policy(asked: Asked) -> dict[str, Any]:
    check_policy(asked.request["ResourcePolicy"])
    return asked.proceed()


def check_policy(text: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise refuse("MalformedPolicyDocumentException", "This resource policy contains a syntax error.") from error


def validate_resource_policy(asked: Asked) -> dict[str, Any]:
    if asked.request.get("SecretId") is not None:
        with asked.state() as backend:
            secret_of(asked, backend)
    try:
        check_policy(asked.request["ResourcePolicy"])
    except AwsError as error:
        failed = {"CheckName": "POLICY_SYNTAX", "ErrorMessage": error.message}
        return {"PolicyValidationPassed": False, "ValidationErrors": [failed]}
    return {"PolicyValidationPassed": True, "ValidationErrors": []}


def batch_get_secret_value(asked: Asked) -> dict[str, Any]:
    names = asked.request.get("SecretIdList")
    if bool(names) == bool(asked.request.get("Filters")):
        raise refuse("InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
    if not names:
        return asked.proceed()
    values, errors = [], []
    for name in names:
        one = asked.as_another("GetSecretValue", {"SecretId": name})
        try:
            values.append(value_of(one))
        except AwsError as error:
            errors.append({"SecretId": name, "ErrorCode": error.code, "Message": error.message})
    return {"SecretValues": values, "Errors": errors}


def value_of(asked: Asked) -> dict[str, Any]:
    """The current value as a list has it."""
    with asked.state() as backend:
        check_scope(asked, asked.request["SecretId"])
        secret = secret_of(asked, backend)
        if secret.is_deleted():
            raise refuse("InvalidRequestException", MARKED)
    return get_secret_value(asked)


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        name: checked(answer)
        for name, answer in {
            ANY: as_it_is,
            "CreateSecret": create_secret,
            "PutSecretValue": with_one_value,
            "UpdateSecret": with_one_value,
            "GetSecretValue": get_secret_value,
            "BatchGetSecretValue": batch_get_secret_value,
            "DescribeSecret": describe_secret,
            "ListSecrets": list_secrets,
            "ListSecretVersionIds": list_secret_version_ids,
            "UpdateSecretVersionStage": update_secret_version_stage,
            "RotateSecret": rotate_secret,
            "PutResourcePolicy": put_resource_policy,
            "ValidateResourcePolicy": validate_resource_policy,
        }.items()
    }
)
