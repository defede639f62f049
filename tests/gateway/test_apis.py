"""Requests to REST APIs that users have made: resources, functions, mocks, and what is not there."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from cloudlet.emulator.gateway.apis.rest import choose, match
from cloudlet.emulator.gateway.apis.templates import render
from tests.conftest import RunningEmulator

ANSWERING = """
import json
def handler(event, context):
    if event["path"] == "/fail":
        raise ValueError
    if event["path"] == "/odd":
        return "no response"
    headers = {"x-own": "1"}
    return {"statusCode": 201, "headers": headers, "body": json.dumps(event)}
"""


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, names, method=method), timeout=60) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


class Api:
    """A REST API with a stage `dev`."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.emulator = emulator
        self.aws = emulator.client("apigateway")
        self.id = self.aws.create_rest_api(name="api")["id"]
        self.root = self.aws.get_resources(restApiId=self.id)["items"][0]["id"]

    def resource(self, part: str, parent: str | None = None) -> str:
        made = self.aws.create_resource(restApiId=self.id, parentId=parent or self.root, pathPart=part)
        identifier: str = made["id"]
        return identifier

    def method(self, resource: str, method: str, **integration: Any) -> None:
        place = {"restApiId": self.id, "resourceId": resource, "httpMethod": method}
        self.aws.put_method(**place, authorizationType="NONE")
        self.aws.put_integration(**place, **integration)

    def mock(self, resource: str, method: str, template: str, **parameters: str) -> None:
        self.method(resource, method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        place = {"restApiId": self.id, "resourceId": resource, "httpMethod": method, "statusCode": "200"}
        names = {f"method.response.header.{name}": value for name, value in parameters.items()}
        self.aws.put_method_response(**place, responseParameters=dict.fromkeys(names, True))
        self.aws.put_integration_response(
            **place, responseTemplates={"application/json": template}, responseParameters=names
        )

    def deploy(self) -> str:
        self.aws.create_deployment(restApiId=self.id, stageName="dev", variables={"color": "red"})
        return f"{self.emulator.url}/_aws/execute-api/{self.id}/dev"


def function(emulator: RunningEmulator, name: str) -> str:
    """The address of a function that answers, as an integration names it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", ANSWERING)
    arn = emulator.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Timeout=20,
        Code={"ZipFile": packed.getvalue()},
    )["FunctionArn"]
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


@pytest.fixture
def api(emulator: RunningEmulator) -> Api:
    return Api(emulator)


def test_a_function_answers_for_its_resource(api: Api, unique: Callable[..., str]) -> None:
    uri = function(api.emulator, unique("function"))
    api.method(api.resource("{proxy+}"), "ANY", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    base = api.deploy()
    status, headers, body = ask(f"{base}/a/b?x=1&x=2", "POST", b"text", Content_Type="text/plain")
    event = json.loads(body)
    assert (status, headers["x-own"]) == (201, "1")
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/{proxy+}", "/a/b", "POST")
    assert event["pathParameters"] == {"proxy": "a/b"}
    assert event["queryStringParameters"] == {"x": "2"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == ("text", False, {"color": "red"})
    assert event["requestContext"]["path"] == "/dev/a/b"
    assert event["headers"]["Content-Type"] == "text/plain"
    assert ask(f"{base}/fail")[::2] == (502, b'{"message":"Internal server error"}')
    assert ask(f"{base}/odd")[0] == 502


def test_an_api_answers_at_all_its_addresses(api: Api) -> None:
    api.mock(api.root, "GET", '{"id": "$context.apiId"}')
    api.deploy()
    expected = json.dumps({"id": api.id}).encode()
    url = api.emulator.url
    host = f"{api.id}.execute-api.us-east-1.localhost.localstack.cloud"
    assert ask(f"{url}/_aws/execute-api/{api.id}/dev/")[2] == expected
    assert ask(f"{url}/restapis/{api.id}/dev/_user_request_/")[2] == expected
    assert ask(f"{url}/dev/", Host=host)[2] == expected


def test_a_mock_answers_with_its_headers(api: Api) -> None:
    api.mock(api.resource("thing"), "OPTIONS", "", X="'fixed'")
    status, headers, _ = ask(f"{api.deploy()}/thing", "OPTIONS")
    assert (status, headers["x"]) == (200, "fixed")


def test_what_is_not_there(api: Api) -> None:
    api.mock(api.resource("thing"), "GET", "{}")
    base = api.deploy()
    assert ask(f"{base}/other")[::2] == (403, b'{"message":"Missing Authentication Token"}')
    assert ask(f"{base}/thing", "DELETE")[0] == 403
    assert ask(base.replace("/dev", "/none") + "/thing")[::2] == (403, b'{"message":"Forbidden"}')
    assert ask(f"{api.emulator.url}/_aws/execute-api/none/dev/thing")[0] == 403


def test_fixed_parts_come_before_parameters_and_those_before_the_rest() -> None:
    resources = [{"path": path} for path in ("/{proxy+}", "/a/{id}", "/a/b", "/{x}/b")]
    assert [choose(resources, path) for path in ("/a/b", "/a/c", "/c/b", "/c/d/e")] == [
        ({"path": "/a/b"}, {}),
        ({"path": "/a/{id}"}, {"id": "c"}),
        ({"path": "/{x}/b"}, {"x": "c"}),
        ({"path": "/{proxy+}"}, {"proxy": "c/d/e"}),
    ]
    assert match("/a", "/a/b") is None
    assert match("/a/{id}", "/a") is None


def test_templates_know_the_request() -> None:
    template = "$input.json('$.a.b') $input.params('q') $context.http.method ${stageVariables.v} $unknown"
    text = render(template, '{"a": {"b": [1]}}', {"q": "1"}, {"http": {"method": "GET"}}, {"v": "x"})
    assert text == "[1] 1 GET x $unknown"
