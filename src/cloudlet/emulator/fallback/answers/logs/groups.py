"""Groups and streams: named by their names or by ARNs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.kernel.errors import UnmodelledError

CLASS = "STANDARD"
NOT_THERE = "The specified log group does not exist."


def refuse(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message)


def name_of(identifier: str) -> str:
    """`arn:…:log-group:NAME` or the name itself."""
    if identifier.startswith("arn:"):
        return identifier.split(":log-group:", 1)[-1].split(":", 1)[0]
    return identifier


def named(asked: Asked) -> Asked:
    """The same with the group's name, whichever way it was given. Raises InvalidParameterException."""
    request = asked.request
    identifier = request.get("logGroupIdentifier")
    if identifier is None:
        return asked
    if request.get("logGroupName") is not None:
        raise refuse("InvalidParameterException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    plain = {member: value for member, value in request.items() if member != "logGroupIdentifier"}
    return Asked(asked.fallback, asked.call, plain | {"logGroupName": name_of(identifier)})


def by_name(asked: Asked) -> dict[str, Any]:
    return named(asked).proceed()


def group_of(backend: Any, name: str) -> Any:
    found = backend.groups.get(name)
    if found is None:
        raise refuse("ResourceNotFoundException", NOT_THERE)
    return found


def create_log_group(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        answer = asked.proceed()
        backend.groups[asked.request["logGroupName"]].log_class = asked.request.get("logGroupClass", CLASS)
        return answer


def described(group: Any) -> dict[str, Any]:
    told: dict[str, Any] = group.to_describe_dict()
    told["logGroupClass"] = getattr(group, "log_class", CLASS)
    told["metricFilterCount"] = len(getattr(group, "metric_filters", {}))
    if getattr(group, "deletion_protection", None) is not None:
        told["deletionProtectionEnabled"] = group.deletion_protection
    return told


def describe_log_groups(asked: Asked) -> dict[str, Any]:
    request = asked.request
    prefix, pattern = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise refuse(
            "InvalidParameterException",
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
        )
    identifiers = [name_of(name) for name in request.get("logGroupIdentifiers", ())]
    with asked.state() as backend:
        found = [
            described(group)
            for name, group in sorted(backend.groups.items())
            if name.startswith(prefix or "")
            and (pattern is None or pattern.lower() in name.lower())
            and (not identifiers or name in identifiers)
            and request.get("logGroupClass") in (None, getattr(group, "log_class", CLASS))
        ]
    if pattern is not None:  # answered from an index that does not have the sizes
        for told in found:
            told.pop("storedBytes", None)
    return paged(asked, "logGroups", found, 50)


def paged(asked: Asked, member: str, found: list[dict[str, Any]], most: int) -> dict[str, Any]:
    shown, following = page(
        found,
        asked.request.get("limit", asked.request.get("maxItems", most)),
        asked.request.get("nextToken"),
        lambda: refuse("InvalidParameterException", "The specified nextToken is invalid."),
    )
    return {member: list(shown)} | ({"nextToken": following} if following else {})


def list_log_groups(asked: Asked) -> dict[str, Any]:
    pattern = asked.request.get("logGroupNamePattern", "")
    with asked.state() as backend:
        found = [
            {
                "logGroupName": name,
                "logGroupArn": group.arn,
                "logGroupClass": getattr(group, "log_class", CLASS),
            }
            for name, group in sorted(backend.groups.items())
            if pattern.lower() in name.lower()
        ]
    return paged(asked, "logGroups", found, 50)


def describe_log_streams(asked: Asked) -> dict[str, Any]:
    request = asked.request
    if request.get("logGroupName") is None and request.get("logGroupIdentifier") is None:
        raise refuse("InvalidParameterException", "Please provide either LogGroup name or LogGroup ARN.")
    return named(asked).proceed()


def put_deletion_protection(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        group = group_of(backend, name_of(asked.request["logGroupIdentifier"]))
        group.deletion_protection = asked.request["deletionProtectionEnabled"]
    return {}


def delete_log_group(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        group = group_of(backend, asked.request["logGroupName"])
        if getattr(group, "deletion_protection", False):
            raise refuse("ValidationException", "The log group is protected from deletion.")
        return asked.proceed()


def associate_kms_key(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        name = asked.request.get("logGroupName") or name_of(asked.request.get("resourceIdentifier", ""))
        group_of(backend, name).kms_key_id = asked.request.get("kmsKeyId")
    return {}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateLogGroup": create_log_group,
        "DeleteLogGroup": delete_log_group,
        "DescribeLogGroups": describe_log_groups,
        "ListLogGroups": list_log_groups,
        "DescribeLogStreams": describe_log_streams,
        "PutLogGroupDeletionProtection": put_deletion_protection,
        "AssociateKmsKey": associate_kms_key,
        "DisassociateKmsKey": associate_kms_key,
    }
)
