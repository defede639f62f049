"""Gateway responses: every kind has one, whether or not somebody changed it.

From "Gateway response types for API Gateway".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.apigateway.present import bad

TEMPLATES: Mapping[str, str] = MappingProxyType({"application/json": '{"message":$context.error.messageString}'})
STATUSES: Mapping[str, str | None] = MappingProxyType(
    {
        "ACCESS_DENIED": "403",
        "API_CONFIGURATION_ERROR": "500",
        "AUTHORIZER_CONFIGURATION_ERROR": "500",
        "AUTHORIZER_FAILURE": "500",
        "BAD_REQUEST_BODY": "400",
        "BAD_REQUEST_PARAMETERS": "400",
        "DEFAULT_4XX": None,
        "DEFAULT_5XX": None,
        "EXPIRED_TOKEN": "403",
        "INTEGRATION_FAILURE": "504",
        "INTEGRATION_TIMEOUT": "504",
        "INVALID_API_KEY": "403",
        "INVALID_SIGNATURE": "403",
        "MISSING_AUTHENTICATION_TOKEN": "403",
        "QUOTA_EXCEEDED": "429",
        "REQUEST_TOO_LARGE": "413",
        "RESOURCE_NOT_FOUND": "404",
        "THROTTLED": "429",
        "UNAUTHORIZED": "401",
        "UNSUPPORTED_MEDIA_TYPE": "415",
        "WAF_FILTERED": "403",
    }
)


def changed(asked: Asked, backend: Any) -> dict[str, dict[str, Any]]:
    """What users put, by kind."""
    api = backend.apis[asked.request["restApiId"]]
    if not hasattr(api, "own_responses"):
        api.own_responses = {kind: plain(made) for kind, made in api.gateway_responses.items()}
    kept: dict[str, dict[str, Any]] = api.own_responses
    return kept


def plain(made: Any) -> dict[str, Any]:
    members = ("statusCode", "responseParameters", "responseTemplates")
    return {member: made[member] for member in members if made.get(member) is not None}


def response_of(kind: str, kept: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The user's own, or the default, which has what the default of its hundred has."""
    own = kept.get(kind)
    default_status = STATUSES[kind]
    told: dict[str, Any] = {
        "responseType": kind,
        "responseParameters": {},
        "responseTemplates": dict(TEMPLATES),
        "defaultResponse": own is None,
    }
    if default_status is not None:
        told["statusCode"] = default_status
        general = kept.get("DEFAULT_4XX" if default_status < "500" else "DEFAULT_5XX")
        if own is None and general is not None:
            told |= {member: value for member, value in general.items() if value}
    if own is not None:
        told |= own
    return told


def put_gateway_response(asked: Asked) -> dict[str, Any]:
    request = asked.request
    kind = request["responseType"]
    with asked.state() as backend:
        members = ("statusCode", "responseParameters", "responseTemplates")
        changed(asked, backend)[kind] = {member: request[member] for member in members if member in request}
        return response_of(kind, changed(asked, backend))


def get_gateway_response(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return response_of(asked.request["responseType"], changed(asked, backend))


def get_gateway_responses(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        kept = changed(asked, backend)
        return {"items": [response_of(kind, kept) for kind in STATUSES]}


def delete_gateway_response(asked: Asked) -> dict[str, Any]:
    kind = asked.request["responseType"]
    with asked.state() as backend:
        kept = changed(asked, backend)
        if kind not in kept:
            raise bad("Gateway response type not defined on api")
        del kept[kind]
    return {}


def update_gateway_response(asked: Asked) -> dict[str, Any]:
    kind = asked.request["responseType"]
    with asked.state() as backend:
        kept = changed(asked, backend)
        told = response_of(kind, kept)
        for patch in asked.request.get("patchOperations", ()):
            change(told, patch)
        kept[kind] = {
            member: told[member]
            for member in ("statusCode", "responseParameters", "responseTemplates")
            if member in told
        }
        return response_of(kind, kept)


def change(told: dict[str, Any], patch: dict[str, Any]) -> None:
    path, op = patch.get("path", ""), patch.get("op")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.lstrip("/").split("/")]
    if parts == ["statusCode"] and op == "replace":
        told["statusCode"] = patch["value"]
    elif len(parts) == 2 and parts[0] in ("responseParameters", "responseTemplates"):
        kept = dict(told[parts[0]])
        if op == "remove":
            kept.pop(parts[1], None)
        else:
            kept[parts[1]] = patch.get("value")
        told[parts[0]] = kept
    else:
        raise bad(
            f"Invalid patch path  '{path}' specified for op '{op}'. Must be one of: "
            "[/statusCode, /responseParameters, /responseTemplates]"
        )


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "PutGatewayResponse": put_gateway_response,
        "GetGatewayResponse": get_gateway_response,
        "GetGatewayResponses": get_gateway_responses,
        "DeleteGatewayResponse": delete_gateway_response,
        "UpdateGatewayResponse": update_gateway_response,
    }
)
