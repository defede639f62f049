"""Lambda: the members of a function's configuration that AWS always sends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import AwsError

CREATING = MappingProxyType(
    {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
)
UPDATING = MappingProxyType(
    {
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": "The function is being created.",
        "LastUpdateStatusReasonCode": "Creating",
    }
)
NOTHING = MappingProxyType[str, str]({})
SENT_ONLY_WITH_A_VALUE = ("KMSKeyArn", "Layers", "SigningProfileVersionArn", "SigningJobArn")


def complete(configuration: dict[str, Any], region: str, state: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    """A function's configuration with the members that AWS always sends, without those that it does not."""
    made = {
        name: value
        for name, value in configuration.items()
        if value is not None and (value or name not in SENT_ONLY_WITH_A_VALUE)
    }
    if not (made.get("VpcConfig") or {}).get("SubnetIds"):
        made.pop("VpcConfig", None)
    version = "|".join(str(made.get(name)) for name in ("FunctionArn", "Version", "LastModified", "CodeSha256"))
    digest = hashlib.sha256(repr((version, sorted(map(str, made.items())))).encode()).hexdigest()
    made["RevisionId"] = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
    made.setdefault("LoggingConfig", {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{made['FunctionName']}"})
    if made.get("PackageType") != "Image":
        runtime = hashlib.sha256(str(made.get("Runtime")).encode()).hexdigest()
        made.setdefault("RuntimeVersionConfig", {"RuntimeVersionArn": f"arn:aws:lambda:{region}::runtime:{runtime}"})
    return {**made, **state}


def configured(state: Mapping[str, str] = NOTHING) -> Answer:
    """For operations that answer with a configuration."""

    def answer(asked: Asked) -> dict[str, Any]:
        return complete(asked.proceed(), asked.call.region, state)

    return answer


def get_function(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    return {**result, "Configuration": complete(result["Configuration"], asked.call.region)}


def list_functions(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    listed = [complete(made, asked.call.region) for made in result.get("Functions", ())]
    for made in listed:
        for name in ("State", "LastUpdateStatus", "RuntimeVersionConfig"):
            made.pop(name, None)
    return {**result, "Functions": listed}


def as_user(answer: Callable[[Asked], dict[str, Any]]) -> Answer:
    """Errors that name who is to blame: the caller."""

    def answered(asked: Asked) -> dict[str, Any]:
        try:
            return answer(asked)
        except AwsError as error:
            if error.status < 500:
                error.members.setdefault("Type", "User")
            raise

    return answered


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        name: as_user(answer)
        for name, answer in {
            "CreateFunction": configured(CREATING),
            "GetFunction": get_function,
            "GetFunctionConfiguration": configured(),
            "ListFunctions": list_functions,
            "PublishVersion": configured(),
            "UpdateFunctionCode": configured(UPDATING),
            "UpdateFunctionConfiguration": configured(UPDATING),
        }.items()
    }
)
