"""APIs, resources, methods, integrations, keys: what is checked before moto and what AWS sends beside moto's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import yaml

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.apigateway.present import bad, missing
from cloudlet.emulator.kernel.errors import UnmodelledError

LONGEST_NAME = 1024
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"})
TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "/name": "name",
        "/description": "description",
        "/policy": "policy",
        "/apiKeySource": "api_key_source",
        "/version": "version",
    }
)
PASSTHROUGH, TIMEOUT_MILLISECONDS = "WHEN_NO_MATCH", 29_000


def create_rest_api(asked: Asked) -> dict[str, Any]:
    if not asked.request.get("name"):
        raise bad("Invalid Name specified")
    api = plain_api(asked.proceed())
    if not api.get("tags"):
        api.pop("tags", None)
    return api


def rest_api(asked: Asked) -> dict[str, Any]:
    return plain_api(asked.proceed())


def plain_api(api: dict[str, Any]) -> dict[str, Any]:
    """Nothing that nobody gave."""
    for member in ("version", "binaryMediaTypes", "description"):
        if not api.get(member) or (member == "version" and api[member] == "V1"):
            api.pop(member, None)
    configuration = api.setdefault("endpointConfiguration", {"types": ["EDGE"]})
    configuration.setdefault("ipAddressType", "ipv4")
    return api


def update_rest_api(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        api = backend.apis[request["restApiId"]]
        for patch in request.get("patchOperations", ()):
            change_api(api, patch)
        told = dict(api.to_dict())
    return plain_api({name: value for name, value in told.items() if value is not None})


def change_api(api: Any, patch: dict[str, Any]) -> None:
    path, op, value = patch.get("path", ""), patch.get("op", ""), patch.get("value")
    if path in TEXTS and op == "replace":
        setattr(api, TEXTS[path], value)
    elif path == "/disableExecuteApiEndpoint" and op == "replace":
        api.disableExecuteApiEndpoint = str(value).lower() == "true"
    elif path == "/minimumCompressionSize" and op in ("replace", "remove"):
        api.minimum_compression_size = int(value) if value not in (None, "") else None
    elif path.startswith("/binaryMediaTypes/") and op in ("add", "replace", "remove"):
        kind = path.removeprefix("/binaryMediaTypes/").replace("~1", "/")
        api.binaryMediaTypes = [known for known in api.binaryMediaTypes if known != kind]
        if op != "remove":
            api.binaryMediaTypes.append(value if op == "replace" and value else kind)
    elif path.startswith("/endpointConfiguration/types") and op == "replace":
        api.endpoint_configuration = {**api.endpoint_configuration, "types": [value]}
    elif path.startswith("/endpointConfiguration/vpcEndpointIds") and op in ("add", "remove"):
        known = [name for name in api.endpoint_configuration.get("vpcEndpointIds", []) if name != value]
        api.endpoint_configuration = {
            **api.endpoint_configuration,
            "vpcEndpointIds": [*known, value] if op == "add" else known,
        }
    else:
        possible = ", ".join(
            sorted((*TEXTS, "/binaryMediaTypes", "/disableExecuteApiEndpoint", "/minimumCompressionSize"))
        )
        raise bad(f"Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{possible}]")


def rest_apis(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    return {**result, "items": [plain_api(api) for api in result.get("items", ())]}


def read_definition(asked: Asked) -> dict[str, Any]:
    """ImportRestApi and PutRestApi: a definition may leave out what moto wants of it."""
    body = asked.request["body"]
    content = body if isinstance(body, bytes) else body.read()
    try:
        document = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise bad("Invalid OpenAPI input.") from error
    if not isinstance(document, dict):
        raise bad("Invalid OpenAPI input.")
    information = document.get("info")
    if isinstance(information, dict):
        version = str(information.get("version") or "1.0")
        document["info"] = {"description": "", **information, "version": version}
    return plain_api(asked.proceed(body=json.dumps(document, default=str).encode()))


def create_resource(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        api = backend.apis[request["restApiId"]]
        if request["parentId"] not in api.resources:
            raise missing("Invalid Resource identifier specified")
        for other in api.resources.values():
            if (other.parent_id, other.path_part) == (request["parentId"], request["pathPart"]):
                raise conflict(f"Another resource with the same parent already has this name: {request['pathPart']}")
        return asked.proceed()


def delete_resource(asked: Asked) -> dict[str, Any]:
    """With all that is below it; the root stays."""
    name = asked.request["resourceId"]
    with asked.state() as backend:
        api = backend.apis[asked.request["restApiId"]]
        if api.resources[name].parent_id is None:
            raise bad("Root resource cannot be deleted")
        gone = [name]
        for parent in gone:
            gone += [resource.id for resource in api.resources.values() if resource.parent_id == parent]
        for resource in gone:
            del api.resources[resource]
    return {}


def put_method(asked: Asked) -> dict[str, Any]:
    request = asked.request
    verb, kind, authorizer = request["httpMethod"], request["authorizationType"], request.get("authorizerId")
    if verb not in METHODS:
        raise bad("Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY")
    with asked.state() as backend:
        api = backend.apis[request["restApiId"]]
        if verb in api.resources[request["resourceId"]].resource_methods:
            raise conflict("Method already exists for this resource")
        if kind in ("CUSTOM", "COGNITO_USER_POOLS") and authorizer not in api.authorizers:
            raise bad(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."
            )
        for model in (request.get("requestModels") or {}).values():
            if model not in ("Empty", "Error", *(known.name for known in api.models.values())):
                raise bad(f"Invalid model identifier specified: {model}")
        return plain_method(asked.proceed())


def plain_method(method: dict[str, Any]) -> dict[str, Any]:
    if not method.get("methodResponses"):
        method.pop("methodResponses", None)
    if "methodIntegration" in method:
        complete(method["methodIntegration"], "")
    return method


def get_method(asked: Asked) -> dict[str, Any]:
    method = asked.proceed()
    if "methodIntegration" in method:
        complete(method["methodIntegration"], asked.request["resourceId"])
    return plain_method(method)


def complete(integration: dict[str, Any], resource: str) -> dict[str, Any]:
    """What every integration has."""
    integration.setdefault("passthroughBehavior", PASSTHROUGH)
    integration.setdefault("timeoutInMillis", TIMEOUT_MILLISECONDS)
    integration.setdefault("cacheKeyParameters", [])
    if resource:
        integration.setdefault("cacheNamespace", resource)
    return integration


def integration(asked: Asked) -> dict[str, Any]:
    return complete(asked.proceed(), asked.request["resourceId"])


def put_integration(asked: Asked) -> dict[str, Any]:
    request = asked.request
    kind = request["type"]
    if kind in ("AWS", "AWS_PROXY") and not request.get("integrationHttpMethod"):
        raise bad("Enumeration value for HttpMethod must be non-empty")
    if kind in ("HTTP", "HTTP_PROXY") and request.get("connectionType") != "VPC_LINK":
        if not request.get("integrationHttpMethod"):
            raise bad("Enumeration value for HttpMethod must be non-empty")
        if not str(request.get("uri", "")).startswith(("http://", "https://")):
            raise bad("Invalid HTTP endpoint specified for URI")
    if kind in ("AWS", "AWS_PROXY") and not str(request.get("uri", "")).startswith("arn:"):
        raise bad("Invalid ARN specified in the request")
    return integration(asked)


def put_method_response(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        resource = backend.apis[request["restApiId"]].resources[request["resourceId"]]
        if request["statusCode"] in resource.resource_methods[request["httpMethod"]].method_responses:
            raise conflict("Response already exists for this resource")
        return asked.proceed()


def put_integration_response(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        resource = backend.apis[request["restApiId"]].resources[request["resourceId"]]
        if request["statusCode"] not in resource.resource_methods[request["httpMethod"]].method_responses:
            raise missing("Invalid Response status code specified")
        answer = asked.proceed()
    if not answer.get("responseTemplates") and "responseTemplates" not in request:
        answer.pop("responseTemplates", None)
    return answer


def create_deployment(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        api = backend.apis[asked.request["restApiId"]]
        methods = [method for resource in api.resources.values() for method in resource.resource_methods.values()]
        if not methods:
            raise bad("The REST API doesn't contain any methods")
        if any(method.method_integration is None for method in methods):
            raise bad("No integration defined for method")
        return asked.proceed()


def delete_deployment(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        api = backend.apis[asked.request["restApiId"]]
        if any(stage.deployment_id == asked.request["deploymentId"] for stage in api.stages.values()):
            raise bad("Active stages pointing to this deployment must be moved or deleted")
        return asked.proceed()


def create_api_key(asked: Asked) -> dict[str, Any]:
    request = asked.request
    name = request.get("name")
    if name is not None and len(name) > LONGEST_NAME:
        raise bad("Invalid API Key name, can be at most 1024 characters.")
    made = asked.proceed()
    if not made.get("name"):
        made.pop("name", None)
    return made


def create_model(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        api = backend.apis[request["restApiId"]]
        if request["name"] in (model.name for model in api.models.values()):
            raise conflict("Model name already exists for this REST API")
        return asked.proceed()


def create_request_validator(asked: Asked) -> dict[str, Any]:
    return validator(asked.proceed())


def validator(told: dict[str, Any]) -> dict[str, Any]:
    told.setdefault("validateRequestBody", False)
    told.setdefault("validateRequestParameters", False)
    return told


def request_validator(asked: Asked) -> dict[str, Any]:
    return validator(asked.proceed())


def request_validators(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    return {**result, "items": [validator(told) for told in result.get("items", ())]}


def authorizer(asked: Asked) -> dict[str, Any]:
    """A Lambda authorizer has an `authType`; the time to live is told when it was given, or has a default."""
    told = asked.proceed()
    if told.get("type") in ("TOKEN", "REQUEST"):
        told.setdefault("authType", "custom")
    elif told.get("type") == "COGNITO_USER_POOLS":
        told.setdefault("authType", "cognito_user_pools")
    if asked.call.operation == "CreateAuthorizer" and "authorizerResultTtlInSeconds" not in asked.request:
        told.pop("authorizerResultTtlInSeconds", None)
    return told


def create_vpc_link(asked: Asked) -> dict[str, Any]:
    if not asked.request.get("name"):
        raise bad("Name cannot be empty")
    if not asked.request.get("targetArns"):
        raise bad("Target ARNs cannot be empty")
    if len(asked.request["targetArns"]) > 1:
        raise bad("Only one target ARN is allowed")
    target = asked.request["targetArns"][0]
    if not target.startswith("arn:"):
        raise bad(f"Invalid ARN. ARN is not well formed {target}")
    if ":loadbalancer/net/" not in target:
        raise bad("Target ARN has to be the one of a network load balancer")
    told = asked.proceed()
    return {**told, "status": "PENDING"}


def conflict(message: str) -> Exception:
    return UnmodelledError("ConflictException", message, 409)


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateRestApi": create_rest_api,
        "GetRestApi": rest_api,
        "UpdateRestApi": update_rest_api,
        "GetRestApis": rest_apis,
        "ImportRestApi": read_definition,
        "PutRestApi": read_definition,
        "CreateResource": create_resource,
        "DeleteResource": delete_resource,
        "PutMethod": put_method,
        "GetMethod": get_method,
        "PutMethodResponse": put_method_response,
        "PutIntegration": put_integration,
        "GetIntegration": integration,
        "PutIntegrationResponse": put_integration_response,
        "CreateDeployment": create_deployment,
        "DeleteDeployment": delete_deployment,
        "CreateApiKey": create_api_key,
        "CreateModel": create_model,
        "CreateRequestValidator": create_request_validator,
        "GetRequestValidator": request_validator,
        "GetRequestValidators": request_validators,
        "CreateAuthorizer": authorizer,
        "GetAuthorizer": authorizer,
        "UpdateAuthorizer": authorizer,
        "CreateVpcLink": create_vpc_link,
    }
)
