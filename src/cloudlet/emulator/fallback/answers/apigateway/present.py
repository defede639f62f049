"""Looks for what a request names before moto is asked for it: AWS has a sentence for each thing that is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

# Operations that make what the member names, so that it need not be there.
MAKING: Mapping[str, str] = MappingProxyType(
    {
        "CreateStage": "stageName",
        "CreateDeployment": "stageName",
        "PutMethod": "httpMethod",
        "PutMethodResponse": "statusCode",
        "PutIntegrationResponse": "statusCode",
        "CreateModel": "modelName",
        "CreateUsagePlan": "usagePlanId",
        "CreateDomainName": "domainName",
        "GetExport": "stageName",
        "GetSdk": "stageName",
    }
)
REWORDED: Mapping[str, str] = MappingProxyType(
    {
        "Invalid resource identifier specified": "Invalid Resource identifier specified",
        "Invalid stage identifier specified": "Invalid Stage identifier specified",
        "Invalid Request Validator Id specified": "Invalid Request Validator identifier specified",
        "VPCLink not found": "Invalid Vpc Link identifier specified",
    }
)


def missing(message: str) -> UnmodelledError:
    return UnmodelledError("NotFoundException", message, 404)


def bad(message: str) -> UnmodelledError:
    return UnmodelledError("BadRequestException", message, 400)


def as_it_is(asked: Asked) -> dict[str, Any]:
    return asked.proceed()


def checked(answer: Answer) -> Answer:
    """The same, of what is there."""

    def answered(asked: Asked) -> dict[str, Any]:
        with asked.state() as backend:
            check(asked, backend)
            try:
                return answer(asked)
            except AwsError as error:
                if error.message in REWORDED:
                    raise UnmodelledError(error.code, REWORDED[error.message], error.status) from error
                raise

    return answered


def api_of(asked: Asked, backend: Any) -> Any:
    name = asked.request["restApiId"]
    found = backend.apis.get(name)
    if found is None:
        if asked.call.operation == "CreateRequestValidator":
            raise bad("Invalid REST API identifier specified")
        raise missing(f"Invalid API identifier specified {asked.call.account_id}:{name}")
    return found


def check(asked: Asked, backend: Any) -> None:
    request = asked.request
    making = MAKING.get(asked.call.operation)
    if "restApiId" in request:
        api = api_of(asked, backend)
        for member, sentence, kept in IN_AN_API:
            if member in request and member != making and request[member] not in kept(api):
                raise missing(sentence.format(request[member]))
        if "resourceId" in request:
            check_method(request, making, api.resources[request["resourceId"]], asked.call.operation)
    for member, sentence, kept in IN_A_REGION:
        if member in request and member != making and request[member] not in kept(backend):
            raise missing(sentence.format(request[member]))


Kept = Callable[[Any], Mapping[str, Any]]
IN_AN_API: tuple[tuple[str, str, Kept], ...] = (
    ("resourceId", "Invalid Resource identifier specified", lambda api: api.resources),
    ("deploymentId", "Invalid Deployment identifier specified", lambda api: api.deployments),
    ("stageName", "Invalid Stage identifier specified", lambda api: api.stages),
    ("authorizerId", "Invalid Authorizer identifier specified", lambda api: api.authorizers),
    ("requestValidatorId", "Invalid Request Validator identifier specified", lambda api: api.request_validators),
    ("modelName", "Invalid model name specified: {}", lambda api: {model.name: model for model in api.models.values()}),
)
IN_A_REGION: tuple[tuple[str, str, Kept], ...] = (
    ("usagePlanId", "Invalid Usage Plan ID specified", lambda backend: backend.usage_plans),
    ("apiKey", "Invalid API Key identifier specified", lambda backend: backend.keys),
    ("vpcLinkId", "Invalid Vpc Link identifier specified", lambda backend: backend.vpc_links),
)


def check_method(request: dict[str, Any], making: str | None, resource: Any, operation: str) -> None:
    verb = request.get("httpMethod")
    if verb is None or making == "httpMethod":
        return
    method = resource.resource_methods.get(verb)
    if method is None:
        raise missing("Invalid Method identifier specified")
    if "Integration" in operation and operation != "PutIntegration" and method.method_integration is None:
        raise missing("Invalid Integration identifier specified")
    status = request.get("statusCode")
    if status is None or making == "statusCode":
        return
    if "Integration" in operation:
        kept = method.method_integration.integration_responses or {}
    else:
        kept = method.method_responses
    if status not in kept:
        raise missing("Invalid Response status code specified")
