"""Saved queries of Logs Insights."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.logs.groups import paged, refuse


def kept(backend: Any) -> dict[str, dict[str, Any]]:
    if not hasattr(backend, "query_definitions"):
        backend.query_definitions = {}
    found: dict[str, dict[str, Any]] = backend.query_definitions
    return found


def put_query_definition(asked: Asked) -> dict[str, Any]:
    request = asked.request
    wanted = request.get("queryDefinitionId")
    with asked.state() as backend:
        if wanted is not None and wanted not in kept(backend):
            raise refuse("ResourceNotFoundException", "The specified query definition does not exist.")
        name = wanted or asked.call.ids.uuid()
        made = {member: value for member, value in request.items() if member != "clientToken"}
        kept(backend)[name] = made | {"queryDefinitionId": name, "lastModified": int(asked.call.now * 1000)}
    return {"queryDefinitionId": name}


def describe_query_definitions(asked: Asked) -> dict[str, Any]:
    prefix = asked.request.get("queryDefinitionNamePrefix", "")
    with asked.state() as backend:
        found = [entry for entry in kept(backend).values() if entry["name"].startswith(prefix)]
    renamed = Asked(asked.fallback, asked.call, {**asked.request, "limit": asked.request.get("maxResults", 1000)})
    return paged(renamed, "queryDefinitions", sorted(found, key=lambda entry: str(entry["name"])), 1000)


def delete_query_definition(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        if kept(backend).pop(asked.request["queryDefinitionId"], None) is None:
            raise refuse("ResourceNotFoundException", "The specified query definition does not exist.")
    return {"success": True}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutQueryDefinition": put_query_definition,
        "DescribeQueryDefinitions": describe_query_definitions,
        "DeleteQueryDefinition": delete_query_definition,
    }
)
