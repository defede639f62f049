"""The Resource Groups Tagging API, over native services and moto's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.fallback.answers.tagging.kinds import Tags, erase_tags, kind_of, read_tags, resources, write_tags
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

LISTED = 100


def refuse(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message)


def everything(asked: Asked, types: tuple[str, ...] = ()) -> list[tuple[str, Tags]]:
    """(ARN, tags) of everything that can be tagged, native resources first."""
    found = dict(resources(asked, types))
    token = ""
    while True:
        request: dict[str, Any] = {"ResourceTypeFilters": list(types)} if types else {}
        if token:
            request["PaginationToken"] = token
        answer = asked.as_another("GetResources", request).proceed()
        for entry in answer.get("ResourceTagMappingList", ()):
            found.setdefault(entry["ResourceARN"], {tag["Key"]: tag["Value"] for tag in entry.get("Tags", ())})
        token = answer.get("PaginationToken", "")
        if not token:
            return list(found.items())


def matches(tags: Tags, filters: list[dict[str, Any]]) -> bool:
    return all(
        wanted["Key"] in tags and (not wanted.get("Values") or tags[wanted["Key"]] in wanted["Values"])
        for wanted in filters
    )


def get_resources(asked: Asked) -> dict[str, Any]:
    request = asked.request
    names = request.get("ResourceARNList")
    if names and (request.get("TagFilters") or request.get("ResourceTypeFilters")):
        raise refuse("InvalidParameterException", "ResourceARNList cannot be combined with other filters.")
    if names:
        found = [(name, tags) for name, tags in everything(asked) if name in names]
    else:
        filters = request.get("TagFilters", [])
        every = everything(asked, tuple(request.get("ResourceTypeFilters", ())))
        found = [(name, tags) for name, tags in every if tags and matches(tags, filters)]
    shown, following = page(
        found,
        request.get("ResourcesPerPage", LISTED),
        request.get("PaginationToken"),
        lambda: refuse("PaginationTokenExpiredException", "Specified PaginationToken is invalid."),
    )
    listed = [
        {"ResourceARN": name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for name, tags in shown
    ]
    return {"PaginationToken": following or "", "ResourceTagMappingList": listed}


def get_tag_keys(asked: Asked) -> dict[str, Any]:
    return {"PaginationToken": "", "TagKeys": sorted({key for _, tags in everything(asked) for key in tags})}


def get_tag_values(asked: Asked) -> dict[str, Any]:
    key = asked.request["Key"]
    values = {tags[key] for _, tags in everything(asked) if key in tags}
    return {"PaginationToken": "", "TagValues": sorted(values)}


def change_each(asked: Asked, names: list[str], change: Any) -> dict[str, Any]:
    """What failed, by ARN; moto changes what is not native."""
    failed: dict[str, Any] = {}
    others = []
    for name in names:
        kind = kind_of(asked, name)
        if kind is None:
            others.append(name)
            continue
        try:
            read_tags(asked, kind, name)
            change(kind, name)
        except AwsError as error:
            failed[name] = {
                "StatusCode": 400,
                "ErrorCode": "InvalidParameterException",
                "ErrorMessage": error.message or error.code,
            }
    if others:
        answer = asked.proceed(ResourceARNList=others)
        failed |= answer.get("FailedResourcesMap", {})
    return {"FailedResourcesMap": failed}


def tag_resources(asked: Asked) -> dict[str, Any]:
    request = asked.request
    return change_each(
        asked, request["ResourceARNList"], lambda kind, name: write_tags(asked, kind, name, request["Tags"])
    )


def untag_resources(asked: Asked) -> dict[str, Any]:
    request = asked.request
    return change_each(
        asked, request["ResourceARNList"], lambda kind, name: erase_tags(asked, kind, name, request["TagKeys"])
    )


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "GetResources": get_resources,
        "GetTagKeys": get_tag_keys,
        "GetTagValues": get_tag_values,
        "TagResources": tag_resources,
        "UntagResources": untag_resources,
    }
)
