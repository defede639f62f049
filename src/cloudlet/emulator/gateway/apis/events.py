"""What a function gets of a request: payload formats 1.0 (REST APIs) and 2.0 (HTTP APIs).

Sources: "Lambda proxy integrations in API Gateway", "Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import HttpRequest

TEXT = re.compile(
    r"(text/.*|application/(json|javascript|xml|graphql|x-www-form-urlencoded)|[^;]*\+(json|xml))(;.*)?", re.I
)


class Matched(NamedTuple):
    """A request to an API. `path`: behind the stage. `resource`: the resource's path, or the route's key."""

    api_id: str
    stage: str
    path: str
    resource: str
    resource_id: str
    path_parameters: Mapping[str, str]
    variables: Mapping[str, str]


def body_of(http: HttpRequest) -> tuple[str | None, bool]:
    """The body as text, and whether that is base64."""
    content = http.body.read() if http.body.size else b""
    if not content:
        return None, False
    if TEXT.fullmatch(http.headers.get("content-type", "application/json")):
        try:
            return content.decode(), False
        except UnicodeDecodeError:
            pass
    return b64encode(content).decode(), True


def several(http: HttpRequest) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in http.param_items():
        found.setdefault(name, []).append(value)
    return found


def canonical(name: str) -> str:
    """`content-type` as REST APIs pass it on: `Content-Type`."""
    return "-".join(part.capitalize() for part in name.split("-"))


def event_v1(call: Call, http: HttpRequest, matched: Matched) -> dict[str, Any]:
    headers = {canonical(name): value for name, value in http.headers.items() if name != "connection"}
    parameters = several(http)
    body, is_base64 = body_of(http)
    return {
        "resource": matched.resource,
        "path": matched.path,
        "httpMethod": http.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": dict(matched.path_parameters) or None,
        "stageVariables": dict(matched.variables) or None,
        "requestContext": context_v1(call, http, matched),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def context_v1(call: Call, http: HttpRequest, matched: Matched) -> dict[str, Any]:
    return {
        "accountId": call.account_id,
        "apiId": matched.api_id,
        "domainName": http.host,
        "domainPrefix": http.host.partition(".")[0],
        "extendedRequestId": call.ids.alphanumeric(15) + "=",
        "httpMethod": http.method,
        "identity": {
            "accessKey": None,
            "accountId": None,
            "caller": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": http.client[0],
            "user": None,
            "userAgent": http.headers.get("user-agent", ""),
            "userArn": None,
        },
        "path": f"/{matched.stage}{matched.path}",
        "protocol": "HTTP/1.1",
        "requestId": call.request_id,
        "requestTime": written(call.now),
        "requestTimeEpoch": int(call.now * 1000),
        "resourceId": matched.resource_id,
        "resourcePath": matched.resource,
        "stage": matched.stage,
    }


def event_v2(call: Call, http: HttpRequest, matched: Matched) -> dict[str, Any]:
    headers = {name: value for name, value in http.headers.items() if name not in ("connection", "cookie")}
    cookies = [text.strip() for text in http.headers.get("cookie", "").split(";") if text.strip()]
    prefix = "" if matched.stage == "$default" else f"/{matched.stage}"
    body, is_base64 = body_of(http)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": matched.resource,
        "rawPath": f"{prefix}{matched.path}",
        "rawQueryString": http.query,
        "headers": headers,
        "requestContext": {
            "accountId": call.account_id,
            "apiId": matched.api_id,
            "domainName": http.host,
            "domainPrefix": http.host.partition(".")[0],
            "http": {
                "method": http.method,
                "path": f"{prefix}{matched.path}",
                "protocol": "HTTP/1.1",
                "sourceIp": http.client[0],
                "userAgent": http.headers.get("user-agent", ""),
            },
            "requestId": call.request_id,
            "routeKey": matched.resource,
            "stage": matched.stage,
            "time": written(call.now),
            "timeEpoch": int(call.now * 1000),
        },
        "isBase64Encoded": is_base64,
    }
    optional = {
        "cookies": cookies,
        "queryStringParameters": {name: ",".join(values) for name, values in several(http).items()},
        "pathParameters": dict(matched.path_parameters),
        "stageVariables": dict(matched.variables),
        "body": body,
    }
    return event | {name: value for name, value in optional.items() if value}


def written(moment: float) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(moment))
