"""Operations that change parts: each path of a patch is an attribute of moto's object, or a key of one that is a map.

From "Patch operations" in the Amazon API Gateway REST API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.apigateway.present import bad, missing

Find = Callable[[Asked, Any], Any]
TEXT, FLAG, NUMBER, MAP, LIST = "text", "flag", "number", "map", "list"


class Part:
    """How a thing is patched: path -> (attribute, kind)."""

    def __init__(self, find: Find, paths: Mapping[str, tuple[str, str]], told: Callable[[Any], dict[str, Any]]) -> None:
        self.find = find
        self.paths = paths
        self.told = told


def method_of(asked: Asked, backend: Any) -> Any:
    request = asked.request
    return backend.apis[request["restApiId"]].resources[request["resourceId"]].resource_methods[request["httpMethod"]]


def model_of(asked: Asked, backend: Any) -> Any:
    models = backend.apis[asked.request["restApiId"]].models.values()
    return next(model for model in models if model.name == asked.request["modelName"])


def in_api(kept: str, member: str) -> Find:
    return lambda asked, backend: getattr(backend.apis[asked.request["restApiId"]], kept)[asked.request[member]]


def to_json(thing: Any) -> dict[str, Any]:
    made: dict[str, Any] = thing.to_json()
    return made


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "UpdateMethod": Part(
            method_of,
            {
                "/authorizationType": ("authorization_type", TEXT),
                "/authorizerId": ("authorizer_id", TEXT),
                "/authorizationScopes": ("authorization_scopes", LIST),
                "/apiKeyRequired": ("api_key_required", FLAG),
                "/requestValidatorId": ("request_validator_id", TEXT),
                "/operationName": ("operation_name", TEXT),
                "/requestParameters/": ("request_parameters", MAP),
                "/requestModels/": ("request_models", MAP),
            },
            to_json,
        ),
        "UpdateMethodResponse": Part(
            lambda asked, backend: method_of(asked, backend).method_responses[asked.request["statusCode"]],
            {
                "/responseParameters/": ("response_parameters", MAP),
                "/responseModels/": ("response_models", MAP),
            },
            to_json,
        ),
        "UpdateIntegration": Part(
            lambda asked, backend: method_of(asked, backend).method_integration,
            {
                "/type": ("integration_type", TEXT),
                "/httpMethod": ("http_method", TEXT),
                "/uri": ("uri", TEXT),
                "/credentials": ("credentials", TEXT),
                "/passthroughBehavior": ("passthrough_behaviour", TEXT),
                "/contentHandling": ("content_handling", TEXT),
                "/timeoutInMillis": ("timeout_in_millis", NUMBER),
                "/connectionType": ("connection_type", TEXT),
                "/cacheNamespace": ("cache_namespace", TEXT),
                "/cacheKeyParameters": ("cache_key_parameters", LIST),
                "/requestParameters/": ("request_parameters", MAP),
                "/requestTemplates/": ("request_templates", MAP),
            },
            to_json,
        ),
        "UpdateIntegrationResponse": Part(
            lambda asked, backend: method_of(asked, backend).method_integration.integration_responses[
                asked.request["statusCode"]
            ],
            {
                "/selectionPattern": ("selection_pattern", TEXT),
                "/contentHandling": ("content_handling", TEXT),
                "/responseParameters/": ("response_parameters", MAP),
                "/responseTemplates/": ("response_templates", MAP),
            },
            to_json,
        ),
        "UpdateModel": Part(model_of, {"/description": ("description", TEXT), "/schema": ("schema", TEXT)}, to_json),
        "UpdateDeployment": Part(
            in_api("deployments", "deploymentId"), {"/description": ("description", TEXT)}, to_json
        ),
        "UpdateVpcLink": Part(
            lambda asked, backend: backend.vpc_links[asked.request["vpcLinkId"]],
            {"/name": ("name", TEXT), "/description": ("description", TEXT)},
            to_json,
        ),
        "UpdateRequestValidator": Part(
            in_api("request_validators", "requestValidatorId"),
            {
                "/name": ("name", TEXT),
                "/validateRequestBody": ("validate_request_body", FLAG),
                "/validateRequestParameters": ("validate_request_parameters", FLAG),
            },
            lambda thing: {
                "id": thing.id,
                "name": thing.name,
                "validateRequestBody": bool(thing.validate_request_body),
                "validateRequestParameters": bool(thing.validate_request_parameters),
            },
        ),
        "UpdateResource": Part(
            in_api("resources", "resourceId"),
            {"/pathPart": ("path_part", TEXT), "/parentId": ("parent_id", TEXT)},
            lambda thing: dict(thing.to_dict()),
        ),
    }
)


def patched(operation: str) -> Answer:
    part = PARTS[operation]

    def answer(asked: Asked) -> dict[str, Any]:
        with asked.state() as backend:
            thing = part.find(asked, backend)
            changes = [resolved(part, patch) for patch in asked.request.get("patchOperations", ())]
            for attribute, kind, key, patch in changes:
                apply(thing, attribute, kind, key, patch)
            if operation == "UpdateResource":
                check_place(backend.apis[asked.request["restApiId"]], thing)
            return part.told(thing)

    return answer


def resolved(part: Part, patch: dict[str, Any]) -> tuple[str, str, str, dict[str, Any]]:
    """(attribute, kind, key in a map, the patch). Raises BadRequestException for a path that there is not."""
    path, op = patch.get("path", ""), patch.get("op", "")
    if path in part.paths:
        attribute, kind = part.paths[path]
        if op in ("replace", "remove") or (op in ("add", "remove") and kind == LIST):
            if op == "replace" and kind != FLAG and patch.get("value") is None:
                raise bad(f"Invalid null or empty value in {path}")
            return attribute, kind, "", patch
    else:
        for prefix, (attribute, kind) in part.paths.items():
            if prefix.endswith("/") and path.startswith(prefix) and op in ("add", "replace", "remove"):
                return attribute, kind, unescaped(path[len(prefix) :]), patch
    possible = ", ".join(sorted(name.rstrip("/") for name in part.paths))
    raise bad(f"Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{possible}]")


def unescaped(text: str) -> str:
    return text.replace("~1", "/").replace("~0", "~")


def apply(thing: Any, attribute: str, kind: str, key: str, patch: dict[str, Any]) -> None:
    op, value = patch["op"], patch.get("value")
    if kind == MAP:
        kept = dict(getattr(thing, attribute) or {})
        if op == "remove":
            if key not in kept:
                raise missing("Invalid parameter name specified")
            del kept[key]
        else:
            is_flag = attribute in ("request_parameters", "response_parameters") and str(value).lower() in (
                "true",
                "false",
            )
            kept[key] = str(value).lower() == "true" if is_flag else value
        setattr(thing, attribute, kept)
    elif kind == LIST:
        items = list(getattr(thing, attribute) or [])
        setattr(thing, attribute, [*items, value] if op == "add" else [item for item in items if item != value])
    elif op == "remove":
        setattr(thing, attribute, None)
    elif kind == FLAG:
        setattr(thing, attribute, str(value).lower() == "true")
    elif kind == NUMBER:
        setattr(thing, attribute, int(str(value)))
    else:
        setattr(thing, attribute, value)


def check_place(api: Any, resource: Any) -> None:
    """A resource stays under a parent that is there, and apart from its siblings."""
    if resource.parent_id not in api.resources:
        raise missing("Invalid Resource identifier specified")
    for other in api.resources.values():
        if other is not resource and (other.parent_id, other.path_part) == (resource.parent_id, resource.path_part):
            raise bad(f"Another resource with the same parent already has this name: {resource.path_part}")


# --- usage plans


def update_usage_plan(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        plan = backend.usage_plans[request["usagePlanId"]]
        for patch in request.get("patchOperations", ()):
            if re.fullmatch(r"/apiStages/?", patch.get("path", "")):
                check_stage(backend, plan, patch)
        return {"tags": {}, **with_defaults(asked.proceed())}


def check_stage(backend: Any, plan: Any, patch: dict[str, Any]) -> None:
    api, separator, stage = str(patch.get("value", "")).partition(":")
    if not separator:
        raise bad("Invalid API Stage specified")
    if patch["op"] == "remove":
        if {"apiId": api, "stage": stage} not in [
            {k: entry.get(k) for k in ("apiId", "stage")} for entry in plan.api_stages
        ]:
            raise missing(f"Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan.id}")
        return
    found = backend.apis.get(api)
    if found is None or stage not in found.stages:
        raise missing(f"Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {plan.id}")


def with_defaults(plan: dict[str, Any]) -> dict[str, Any]:
    plan.setdefault("apiStages", [])
    if "quota" in plan:
        plan["quota"].setdefault("offset", 0)
    return plan


def usage_plan(asked: Asked) -> dict[str, Any]:
    told = with_defaults(asked.proceed())
    if asked.call.operation == "GetUsagePlan":
        told.setdefault("tags", {})
    return told


def usage_plans(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    return {**result, "items": [with_defaults(plan) for plan in result.get("items", ())]}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        **{operation: patched(operation) for operation in PARTS},
        "UpdateUsagePlan": update_usage_plan,
        "CreateUsagePlan": usage_plan,
        "GetUsagePlan": usage_plan,
        "GetUsagePlans": usage_plans,
    }
)
