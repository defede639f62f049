"""API Gateway, first and second version; Cognito's pools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.stacks.api_kinds import Api, ApiKind, Operation, members_of
from cloudlet.emulator.fallback.stacks.kinds import Wanted
from cloudlet.emulator.fallback.stacks.records import StackResource


class RestApi(ApiKind):
    """One that has a `Body` is what that document of OpenAPI says."""

    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        body, place = wanted.properties.get("Body"), wanted.properties.get("BodyS3Location")
        if place:
            url = f"s3://{place['Bucket']}/{place['Key']}"
            body = wanted.machine.read_url(wanted.stack.account, wanted.stack.region, url)
        if body and body != (before or {}).get("Body"):
            text = body if isinstance(body, str) else json.dumps(body)
            request = {"restApiId": resource.physical_id, "mode": "overwrite", "body": text.encode()}
            wanted.reach("apigateway", "PutRestApi", request)
        if before is None:
            found = wanted.reach("apigateway", "GetResources", {"restApiId": resource.physical_id}).get("items", ())
            roots = [made["id"] for made in found if made.get("path") == "/"]
            resource.handle["RootResourceId"] = roots[0] if roots else ""

    def for_create(self, wanted: Wanted, name: str) -> dict[str, Any]:
        own = super().for_create(wanted, name)
        title = (own.get("Body") or {}).get("info", {}).get("title") if isinstance(own.get("Body"), dict) else None
        if title and not wanted.properties.get("Name"):
            own["Name"] = title
        return own


class Method(ApiKind):
    """With its integration and the responses of both."""

    def finish(self, wanted: Wanted, resource: StackResource, before: Mapping[str, Any] | None) -> None:
        properties = wanted.properties
        place = {
            "restApiId": properties["RestApiId"],
            "resourceId": properties["ResourceId"],
            "httpMethod": properties["HttpMethod"],
        }
        for response in properties.get("MethodResponses") or []:
            self._put(wanted, "PutMethodResponse", place, response)
        integration = properties.get("Integration")
        if not integration:
            return
        renamed = {"integrationHttpMethod": integration.get("IntegrationHttpMethod")}
        own = {
            name: value
            for name, value in integration.items()
            if name not in ("IntegrationHttpMethod", "IntegrationResponses")
        }
        self._put(wanted, "PutIntegration", {**place, **renamed}, own)
        for response in integration.get("IntegrationResponses") or []:
            self._put(wanted, "PutIntegrationResponse", place, response)

    def _put(self, wanted: Wanted, operation: str, place: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
        shape = wanted.machine.model("apigateway").operation(operation).input
        if shape is not None:
            known = {name: value for name, value in place.items() if value is not None}
            wanted.reach("apigateway", operation, {**dict(members_of(shape, properties)), **known})


def rest(what: str, ref: str = "id", **more: Any) -> Api:
    """A part of a REST API: `CreateWHAT`, `DeleteWHAT` with the API's id and its own."""
    own = what[0].lower() + what[1:] + "Id"
    return Api(
        "apigateway",
        Operation(f"Create{what}", whole=True),
        ref,
        delete=Operation(f"Delete{what}", {"restApiId": "RestApiId", own: "id"}),
        attributes={own[0].upper() + own[1:]: "id"},
        **more,
    )


def http(what: str, **more: Any) -> Api:
    """A part of an HTTP or WebSocket API."""
    own = f"{what}Id"
    return Api(
        "apigatewayv2",
        Operation(f"Create{what}", whole=True),
        own,
        delete=Operation(f"Delete{what}", {"ApiId": "ApiId", own: own}),
        update=Operation(f"Update{what}", {"ApiId": "ApiId", own: own}, whole=True),
        replaced_by=("ApiId",),
        attributes={own: "id"},
        **more,
    )


TABLE: Mapping[str, Api] = MappingProxyType(
    {
        "AWS::ApiGateway::RestApi": Api(
            "apigateway",
            Operation("CreateRestApi", whole=True),
            "$id",
            delete=Operation("DeleteRestApi", {"restApiId": "id"}),
            name="Name",
            attributes={"RootResourceId": "RootResourceId", "RestApiId": "id"},
            rename={"Body": "", "BodyS3Location": ""},
            listing="GetRestApis",
        ),
        "AWS::ApiGateway::Resource": rest("Resource", "$id", replaced_by=("ParentId", "PathPart", "RestApiId")),
        "AWS::ApiGateway::Method": Api(
            "apigateway",
            Operation("PutMethod", {"authorizationType": "AuthorizationType"}, whole=True),
            "{RestApiId}|{ResourceId}|{HttpMethod}",
            delete=Operation(
                "DeleteMethod", {"restApiId": "RestApiId", "resourceId": "ResourceId", "httpMethod": "HttpMethod"}
            ),
            rename={"Integration": "", "MethodResponses": ""},
            replaced_by=("HttpMethod", "ResourceId", "RestApiId"),
        ),
        "AWS::ApiGateway::Deployment": rest("Deployment", "$id", replaced_by=("RestApiId",)),
        "AWS::ApiGateway::Stage": Api(
            "apigateway",
            Operation("CreateStage", whole=True),
            "StageName",
            delete=Operation("DeleteStage", {"restApiId": "RestApiId", "stageName": "id"}),
            replaced_by=("RestApiId", "StageName"),
        ),
        "AWS::ApiGateway::Authorizer": rest("Authorizer", "$id", replaced_by=("RestApiId",)),
        "AWS::ApiGateway::RequestValidator": rest("RequestValidator", "$id", replaced_by=("RestApiId", "Name")),
        "AWS::ApiGateway::Model": Api(
            "apigateway",
            Operation("CreateModel", {"contentType": "ContentType"}, whole=True),
            "name",
            delete=Operation("DeleteModel", {"restApiId": "RestApiId", "modelName": "id"}),
            name="Name",
            replaced_by=("RestApiId",),
        ),
        "AWS::ApiGateway::GatewayResponse": Api(
            "apigateway",
            Operation("PutGatewayResponse", whole=True),
            "ResponseType",
            delete=Operation("DeleteGatewayResponse", {"restApiId": "RestApiId", "responseType": "ResponseType"}),
            update=Operation("PutGatewayResponse", whole=True),
            replaced_by=("RestApiId", "ResponseType"),
        ),
        "AWS::ApiGateway::ApiKey": Api(
            "apigateway",
            Operation("CreateApiKey", whole=True),
            "$id",
            delete=Operation("DeleteApiKey", {"apiKey": "id"}),
            name="Name",
            attributes={"APIKeyId": "id"},
        ),
        "AWS::ApiGateway::UsagePlan": Api(
            "apigateway",
            Operation("CreateUsagePlan", whole=True),
            "$id",
            delete=Operation("DeleteUsagePlan", {"usagePlanId": "id"}),
            name="UsagePlanName",
            rename={"UsagePlanName": "name"},
            attributes={"Id": "id"},
        ),
        "AWS::ApiGateway::UsagePlanKey": Api(
            "apigateway",
            Operation("CreateUsagePlanKey", whole=True),
            "{KeyId}:{UsagePlanId}",
            delete=Operation("DeleteUsagePlanKey", {"usagePlanId": "UsagePlanId", "keyId": "KeyId"}),
            replaced_by=("KeyId", "UsagePlanId"),
        ),
        "AWS::ApiGatewayV2::Api": Api(
            "apigatewayv2",
            Operation("CreateApi", whole=True),
            "ApiId",
            delete=Operation("DeleteApi", {"ApiId": "id"}),
            update=Operation("UpdateApi", {"ApiId": "id"}, whole=True),
            attributes={"ApiEndpoint": "ApiEndpoint", "ApiId": "id"},
            replaced_by=("ProtocolType",),
            listing="GetApis",
        ),
        "AWS::ApiGatewayV2::Authorizer": http("Authorizer"),
        "AWS::ApiGatewayV2::Deployment": http("Deployment"),
        "AWS::ApiGatewayV2::Integration": http("Integration"),
        "AWS::ApiGatewayV2::Route": http("Route"),
        "AWS::ApiGatewayV2::Stage": Api(
            "apigatewayv2",
            Operation("CreateStage", whole=True),
            "StageName",
            delete=Operation("DeleteStage", {"ApiId": "ApiId", "StageName": "StageName"}),
            update=Operation("UpdateStage", whole=True),
            replaced_by=("ApiId", "StageName"),
        ),
        "AWS::Cognito::UserPool": Api(
            "cognito-idp",
            Operation("CreateUserPool", whole=True),
            "UserPool.Id",
            delete=Operation("DeleteUserPool", {"UserPoolId": "id"}),
            update=Operation("UpdateUserPool", {"UserPoolId": "id"}, whole=True),
            name="UserPoolName",
            attributes={
                "Arn": "UserPool.Arn",
                "ProviderName": "cognito-idp.{region}.amazonaws.com/{id}",
                "ProviderURL": "https://cognito-idp.{region}.amazonaws.com/{id}",
                "UserPoolId": "id",
            },
            rename={"UserPoolName": "PoolName", "Schema": "Schema"},
            listing="ListUserPools",
        ),
        "AWS::Cognito::UserPoolClient": Api(
            "cognito-idp",
            Operation("CreateUserPoolClient", whole=True),
            "UserPoolClient.ClientId",
            delete=Operation("DeleteUserPoolClient", {"UserPoolId": "UserPoolId", "ClientId": "id"}),
            update=Operation("UpdateUserPoolClient", {"ClientId": "id"}, whole=True),
            name="ClientName",
            attributes={
                "ClientId": "id",
                "ClientSecret": "UserPoolClient.ClientSecret",
                "Name": "UserPoolClient.ClientName",
            },
            replaced_by=("UserPoolId", "GenerateSecret"),
        ),
        "AWS::Cognito::UserPoolDomain": Api(
            "cognito-idp",
            Operation("CreateUserPoolDomain", whole=True),
            "Domain",
            delete=Operation("DeleteUserPoolDomain", {"UserPoolId": "UserPoolId", "Domain": "id"}),
            replaced_by=("UserPoolId", "Domain"),
        ),
        "AWS::Cognito::UserPoolGroup": Api(
            "cognito-idp",
            Operation("CreateGroup", whole=True),
            "name",
            delete=Operation("DeleteGroup", {"UserPoolId": "UserPoolId", "GroupName": "id"}),
            update=Operation("UpdateGroup", {"GroupName": "id"}, whole=True),
            name="GroupName",
            replaced_by=("UserPoolId",),
        ),
        "AWS::Cognito::UserPoolResourceServer": Api(
            "cognito-idp",
            Operation("CreateResourceServer", whole=True),
            "Identifier",
            delete=Operation("DeleteResourceServer", {"UserPoolId": "UserPoolId", "Identifier": "id"}),
            update=Operation("UpdateResourceServer", whole=True),
            replaced_by=("UserPoolId", "Identifier"),
        ),
        "AWS::Cognito::IdentityPool": Api(
            "cognito-identity",
            Operation("CreateIdentityPool", whole=True),
            "IdentityPoolId",
            delete=Operation("DeleteIdentityPool", {"IdentityPoolId": "id"}),
            update=Operation("UpdateIdentityPool", {"IdentityPoolId": "id", "IdentityPoolName": "$name"}, whole=True),
            name="IdentityPoolName",
            attributes={"Name": "$name", "Id": "id"},
        ),
    }
)
KINDS: Mapping[str, type[ApiKind]] = MappingProxyType(
    {"AWS::ApiGateway::Method": Method, "AWS::ApiGateway::RestApi": RestApi}
)
