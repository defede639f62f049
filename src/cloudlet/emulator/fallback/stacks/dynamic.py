"""Dynamic references: `{{resolve:ssm:name}}`, `{{resolve:ssm-secure:name}}`, `{{resolve:secretsmanager:id:SecretString:key}}`.

Replaced in the properties of resources when these are made, never in what a stack shows. Source: CloudFormation User
Guide, "Get values stored in other services using dynamic references".
"""

from __future__ import annotations

import json
import re
from typing import Any

from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.parameters import Reach
from cloudlet.emulator.kernel.errors import AwsError

REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")
SECRET = re.compile(r"(arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^:]+|[^:]+)(?::(.*))?")


def has_reference(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(has_reference, value.values()))
    if isinstance(value, list):
        return any(map(has_reference, value))
    return isinstance(value, str) and "{{resolve:" in value


def resolve(value: Any, reach: Reach) -> Any:
    """The value with what its references stand for. Raises `ValidationError`."""
    if isinstance(value, dict):
        return {key: resolve(inner, reach) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, reach) for inner in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return REFERENCE.sub(lambda match: resolve_one(match[1], match[2], reach), value)
    return value


def resolve_one(service: str, argument: str, reach: Reach) -> str:
    if service == "secretsmanager":
        return secret(argument, reach)
    try:
        found: str = reach("ssm", "GetParameter", {"Name": argument, "WithDecryption": service == "ssm-secure"})[
            "Parameter"
        ]["Value"]
    except AwsError as error:
        if error.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
            raise refused(error.message) from error
        raise refused(
            f"SSM Parameter {argument} could not be found: Parameters: [{service}:{argument}:] cannot be found."
        ) from error
    return found


def secret(argument: str, reach: Reach) -> str:
    match = SECRET.fullmatch(argument)
    if match is None:
        raise refused(f"Invalid dynamic reference: secretsmanager:{argument}")
    _what, key, stage, version = [*(match[2] or "").split(":"), "", "", "", ""][:4]
    request = {"SecretId": match[1]}
    if stage:
        request["VersionStage"] = stage
    if version:
        request["VersionId"] = version
    try:
        text: str = reach("secretsmanager", "GetSecretValue", request).get("SecretString", "")
    except AwsError as error:
        raise refused(f"Secrets Manager can't find the specified secret. ({error.message})") from error
    if not key:
        return text
    try:
        found = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        raise refused(f"Could not parse SecretString JSON of {match[1]}: there is no key {key}") from None
    return found if isinstance(found, str) else json.dumps(found)
