"""API Gateway's REST APIs: what is there, what may be changed, in AWS's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def gateway(client: Client) -> Any:
    return client("apigateway")


@pytest.fixture
def method(gateway: Any, unique: Unique) -> dict[str, str]:
    """A GET of /x with a mock behind it, as requests name it."""
    api = gateway.create_rest_api(name=unique("api"))
    root = gateway.get_resources(restApiId=api["id"])["items"][0]["id"]
    resource = gateway.create_resource(restApiId=api["id"], parentId=root, pathPart="x")["id"]
    named = {"restApiId": api["id"], "resourceId": resource, "httpMethod": "GET"}
    gateway.put_method(authorizationType="NONE", **named)
    gateway.put_method_response(statusCode="200", **named)
    gateway.put_integration(type="MOCK", requestTemplates={"application/json": "{}"}, **named)
    gateway.put_integration_response(statusCode="200", **named)
    return named


def patch(op: str, path: str, value: str | None = None) -> list[dict[str, str]]:
    return [{"op": op, "path": path} | ({} if value is None else {"value": value})]


def test_what_is_not_there_has_its_sentence(gateway: Any, method: dict[str, str]) -> None:
    api = {"restApiId": method["restApiId"]}
    nothing = ("NotFoundException", "Invalid API identifier specified 000000000000:nope")
    assert refused(gateway.get_rest_api, restApiId="nope") == nothing
    assert refused(gateway.delete_rest_api, restApiId="nope") == nothing
    for act, request, sentence in (
        (gateway.get_resource, {"resourceId": "x"}, "Invalid Resource identifier specified"),
        (gateway.get_stage, {"stageName": "x"}, "Invalid Stage identifier specified"),
        (gateway.get_deployment, {"deploymentId": "x"}, "Invalid Deployment identifier specified"),
        (gateway.get_authorizer, {"authorizerId": "x"}, "Invalid Authorizer identifier specified"),
        (gateway.get_model, {"modelName": "x"}, "Invalid model name specified: x"),
        (gateway.get_method, {**method, "httpMethod": "PUT"}, "Invalid Method identifier specified"),
        (gateway.get_method_response, {**method, "statusCode": "404"}, "Invalid Response status code specified"),
    ):
        assert refused(act, **{**api, **request}) == ("NotFoundException", sentence)
    assert refused(gateway.get_usage_plan, usagePlanId="x")[1] == "Invalid Usage Plan ID specified"


def test_resources_and_methods_are_made_once(gateway: Any, method: dict[str, str]) -> None:
    api = method["restApiId"]
    root = next(item["id"] for item in gateway.get_resources(restApiId=api)["items"] if item["path"] == "/")
    assert refused(gateway.create_resource, restApiId=api, parentId=root, pathPart="x") == (
        "ConflictException",
        "Another resource with the same parent already has this name: x",
    )
    assert refused(gateway.put_method, authorizationType="NONE", **method)[0] == "ConflictException"
    assert refused(gateway.delete_resource, restApiId=api, resourceId=root)[0] == "BadRequestException"
    below = gateway.create_resource(restApiId=api, parentId=method["resourceId"], pathPart="y")["id"]
    gateway.delete_resource(restApiId=api, resourceId=method["resourceId"])
    assert refused(gateway.get_resource, restApiId=api, resourceId=below)[0] == "NotFoundException"


def test_every_part_is_patched(gateway: Any, method: dict[str, str]) -> None:
    changed = gateway.update_method(
        patchOperations=[
            *patch("replace", "/apiKeyRequired", "true"),
            *patch("add", "/requestParameters/method.request.querystring.a", "true"),
        ],
        **method,
    )
    assert changed["apiKeyRequired"] is True
    assert changed["requestParameters"] == {"method.request.querystring.a": True}
    templates = patch("add", "/requestTemplates/application~1xml", "<a/>")
    changed = gateway.update_integration(patchOperations=templates, **method)
    assert changed["requestTemplates"] == {"application/json": "{}", "application/xml": "<a/>"}
    path = "/responseParameters/method.response.header.a"
    response = {**method, "statusCode": "200"}
    assert gateway.update_method_response(patchOperations=patch("add", path, "true"), **response)[
        "responseParameters"
    ] == {"method.response.header.a": True}
    changed = gateway.update_integration_response(
        patchOperations=patch("replace", "/selectionPattern", "4.."), **response
    )
    assert changed["selectionPattern"] == "4.."
    code, message = refused(gateway.update_method, patchOperations=patch("replace", "/nothing", "x"), **method)
    assert code == "BadRequestException"
    assert message.startswith("Invalid patch path  '/nothing' specified for op 'replace'. Must be one of: [")
    renamed = gateway.update_resource(
        restApiId=method["restApiId"],
        resourceId=method["resourceId"],
        patchOperations=patch("replace", "/pathPart", "z"),
    )
    assert renamed["path"] == "/z"


def test_an_api_is_patched(gateway: Any, method: dict[str, str]) -> None:
    api = gateway.update_rest_api(
        restApiId=method["restApiId"],
        patchOperations=[
            *patch("replace", "/description", "new"),
            *patch("add", "/binaryMediaTypes/image~1png"),
            *patch("replace", "/endpointConfiguration/types/EDGE", "REGIONAL"),
        ],
    )
    assert (api["description"], api["binaryMediaTypes"]) == ("new", ["image/png"])
    assert api["endpointConfiguration"]["types"] == ["REGIONAL"]


def test_validators(gateway: Any, method: dict[str, str]) -> None:
    api = method["restApiId"]
    made = gateway.create_request_validator(restApiId=api, name="v", validateRequestBody=True)
    assert (made["validateRequestBody"], made["validateRequestParameters"]) == (True, False)
    named = {"restApiId": api, "requestValidatorId": made["id"]}
    change = patch("replace", "/validateRequestParameters", "true")
    assert gateway.update_request_validator(patchOperations=change, **named)["validateRequestParameters"] is True
    assert refused(gateway.update_request_validator, patchOperations=patch("add", "/name", "x"), **named)[0] == (
        "BadRequestException"
    )
    assert refused(gateway.create_request_validator, restApiId="nope", name="v") == (
        "BadRequestException",
        "Invalid REST API identifier specified",
    )


def test_every_gateway_response_has_a_default(gateway: Any, method: dict[str, str]) -> None:
    api = method["restApiId"]
    assert len(gateway.get_gateway_responses(restApiId=api)["items"]) == 21
    gateway.put_gateway_response(
        restApiId=api, responseType="DEFAULT_4XX", responseParameters={"gatewayresponse.header.a": "'b'"}
    )
    throttled = gateway.get_gateway_response(restApiId=api, responseType="THROTTLED")
    assert (throttled["statusCode"], throttled["defaultResponse"]) == ("429", True)
    assert throttled["responseParameters"] == {"gatewayresponse.header.a": "'b'"}
    own = gateway.put_gateway_response(restApiId=api, responseType="THROTTLED", statusCode="420")
    assert (own["statusCode"], own["defaultResponse"], own["responseParameters"]) == ("420", False, {})
    own = gateway.update_gateway_response(
        restApiId=api, responseType="THROTTLED", patchOperations=patch("replace", "/statusCode", "421")
    )
    assert own["statusCode"] == "421"
    gateway.delete_gateway_response(restApiId=api, responseType="THROTTLED")
    assert refused(gateway.delete_gateway_response, restApiId=api, responseType="THROTTLED")[0] == "BadRequestException"


def test_plans_know_their_stages(gateway: Any, method: dict[str, str], unique: Unique) -> None:
    api = method["restApiId"]
    gateway.create_deployment(restApiId=api, stageName="s")
    plan = gateway.create_usage_plan(name=unique("plan"), quota={"limit": 5, "period": "DAY"})
    assert plan["quota"]["offset"] == 0
    change = {"usagePlanId": plan["id"]}
    added = gateway.update_usage_plan(patchOperations=patch("add", "/apiStages", f"{api}:s"), **change)
    assert added["apiStages"] == [{"apiId": api, "stage": "s"}]
    assert refused(gateway.update_usage_plan, patchOperations=patch("add", "/apiStages", f"{api}:none"), **change) == (
        "NotFoundException",
        f"Invalid API Stage {{api: {api}, stage: none}} specified for usageplan {plan['id']}",
    )
    assert refused(gateway.update_usage_plan, patchOperations=patch("add", "/apiStages", "x"), **change) == (
        "BadRequestException",
        "Invalid API Stage specified",
    )


def test_documentation_and_certificates(gateway: Any, method: dict[str, str]) -> None:
    api = {"restApiId": method["restApiId"]}
    part = gateway.create_documentation_part(location={"type": "API"}, properties="{}", **api)
    gateway.update_documentation_part(
        documentationPartId=part["id"], patchOperations=patch("replace", "/properties", '{"a": 1}'), **api
    )
    (found,) = gateway.get_documentation_parts(**api)["items"]
    assert found["properties"] == '{"a": 1}'
    gateway.create_documentation_version(documentationVersion="1", **api)
    assert refused(gateway.create_documentation_version, documentationVersion="1", **api)[0] == "BadRequestException"
    made = gateway.generate_client_certificate(description="d")
    assert made["pemEncodedCertificate"].startswith("-----BEGIN CERTIFICATE-----")
    named = {"clientCertificateId": made["clientCertificateId"]}
    assert gateway.get_client_certificate(**named)["description"] == "d"
    gateway.delete_client_certificate(**named)
    assert refused(gateway.get_client_certificate, **named)[0] == "NotFoundException"


def test_tags_by_arn(gateway: Any, method: dict[str, str]) -> None:
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{method['restApiId']}"
    gateway.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    gateway.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert gateway.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    assert refused(gateway.get_tags, resourceArn=arn + "x")[0] == "NotFoundException"


def test_a_definition_needs_no_version(gateway: Any) -> None:
    body = b'{"openapi": "3.0.1", "info": {"title": "pets"}, "paths": {}}'
    assert gateway.import_rest_api(body=body)["name"] == "pets"
    assert refused(gateway.import_rest_api, body=b"[")[0] == "BadRequestException"


def test_a_link_leads_to_one_network_load_balancer(gateway: Any, unique: Unique) -> None:
    assert (
        refused(gateway.create_vpc_link, name=unique("link"), targetArns=["arn:aws:s3:::x"])[0] == "BadRequestException"
    )
    arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/x/1"
    made = gateway.create_vpc_link(name=unique("link"), targetArns=[arn])
    assert made["status"] == "PENDING"
    assert gateway.get_vpc_link(vpcLinkId=made["id"])["status"] == "AVAILABLE"
