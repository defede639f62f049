"""Connections and API destinations: events as requests to a web server that is really there."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.eventing.timed import Timed

Client = Callable[..., Any]
Unique = Callable[..., str]

BASIC = {"BasicAuthParameters": {"Username": "user", "Password": "secret"}}
KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "value"}}


class Received(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: str


class Server:
    """Keeps what it gets; `/token` gives a token, everything else is answered with the statuses it is told."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.statuses = [200]
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.received.append(Received(self.command, self.path, headers, body))
                token = self.path.startswith("/token")
                answer = b'{"access_token": "granted"}' if token else b""
                statuses = server.statuses
                self.send_response(200 if token else statuses.pop(0) if len(statuses) > 1 else statuses[0])
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_PUT = do_POST  # noqa: N815 - the name that http.server looks for

            def log_message(self, *arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def calls(self) -> list[Received]:
        return [entry for entry in self.received if not entry.path.startswith("/token")]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


def destination(
    client: Client, name: str, url: str, kind: str, parameters: dict[str, Any], method: str = "POST"
) -> str:
    events = client("events")
    connection = events.create_connection(Name=name, AuthorizationType=kind, AuthParameters=parameters)["ConnectionArn"]
    arn: str = events.create_api_destination(
        Name=name, ConnectionArn=connection, InvocationEndpoint=url, HttpMethod=method
    )["ApiDestinationArn"]
    return arn


def listen(client: Client, name: str, arn: str, **target: Any) -> None:
    events = client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, **target}])


def put(client: Client, source: str, detail: dict[str, Any]) -> None:
    entry = {"Source": source, "DetailType": "t", "Detail": json.dumps(detail)}
    assert client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("kind", "parameters", "header", "value"),
    [
        ("BASIC", BASIC, "authorization", "Basic " + b64encode(b"user:secret").decode()),
        ("API_KEY", KEY, "x-key", "value"),
    ],
)
def test_an_event_is_a_request(
    client: Client, unique: Unique, emulator: Any, server: Server,
    kind: str, parameters: dict[str, Any], header: str, value: str,
) -> None:  # fmt: skip
    name = unique("api")
    arn = destination(client, name, f"{server.url}/in", kind, parameters)
    listen(client, name, arn, InputPath="$.detail")
    put(client, name, {"n": 1})
    assert emulator.wait_until(lambda: len(server.received) == 1)
    (call,) = server.received
    assert (call.method, call.path, call.headers[header], json.loads(call.body)) == ("POST", "/in", value, {"n": 1})


def test_a_token_is_fetched_first(client: Client, unique: Unique, emulator: Any, server: Server) -> None:
    name = unique("api")
    parameters = {
        "OAuthParameters": {
            "ClientParameters": {"ClientID": "id", "ClientSecret": "secret"},
            "AuthorizationEndpoint": f"{server.url}/token",
            "HttpMethod": "POST",
            "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "all", "IsValueSecret": False}]},
        },
        "InvocationHttpParameters": {
            "HeaderParameters": [{"Key": "X-More", "Value": "m", "IsValueSecret": False}],
            "QueryStringParameters": [{"Key": "q", "Value": "1", "IsValueSecret": False}],
            "BodyParameters": [{"Key": "added", "Value": "yes", "IsValueSecret": True}],
        },
    }
    arn = destination(client, name, f"{server.url}/in/*", "OAUTH_CLIENT_CREDENTIALS", parameters, "PUT")
    extra = {
        "PathParameterValues": ["$.detail.id"],
        "HeaderParameters": {"X-Own": "$.source"},
        "QueryStringParameters": {"own": "x y"},
    }
    listen(client, name, arn, HttpParameters=extra, InputPath="$.detail")
    put(client, name, {"id": "a/b"})
    assert emulator.wait_until(lambda: len(server.received) == 2)
    token, call = server.received
    assert token.body == "grant_type=client_credentials&client_id=id&client_secret=secret&scope=all"
    assert (call.method, call.path) == ("PUT", "/in/a%2Fb?q=1&own=x+y")
    assert (call.headers["authorization"], call.headers["x-more"], call.headers["x-own"]) == (
        "Bearer granted",
        "m",
        name,
    )
    assert json.loads(call.body) == {"id": "a/b", "added": "yes"}
    put(client, name, {"id": "second"})
    assert emulator.wait_until(lambda: len(server.calls()) == 2)
    assert [entry.path for entry in server.received].count("/token") == 1


def test_a_server_that_fails_is_asked_again_until_the_policy_says_stop(timed: Timed, server: Server) -> None:
    url, queue = timed.queue("letters")
    arn = destination(timed.client, "api", server.url, "BASIC", BASIC)
    server.statuses = [500, 429, 503]
    listen(timed.client, "api", arn, RetryPolicy={"MaximumRetryAttempts": 2}, DeadLetterConfig={"Arn": queue})
    put(timed.client, "api", {"n": 1})
    timed.advance(3600)
    assert len(server.calls()) == 3
    (letter,) = timed.messages(url)
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert json.loads(letter["Body"])["detail"] == {"n": 1}
    assert (attributes["RETRY_ATTEMPTS"], attributes["EXHAUSTED_RETRY_CONDITION"]) == ("2", "MaximumRetryAttempts")
    assert (attributes["ERROR_CODE"], attributes["TARGET_ARN"]) == ("503", arn)


def test_a_server_that_refuses_is_not_asked_again(timed: Timed, server: Server) -> None:
    url, queue = timed.queue("letters")
    arn = destination(timed.client, "api", server.url, "BASIC", BASIC)
    server.statuses = [400]
    listen(timed.client, "api", arn, DeadLetterConfig={"Arn": queue})
    put(timed.client, "api", {"n": 1})
    timed.advance(3600)
    assert len(server.calls()) == 1
    (letter,) = timed.messages(url)
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "400"


def test_a_token_that_is_refused_is_fetched_anew(timed: Timed, server: Server) -> None:
    parameters = {
        "OAuthParameters": {
            "ClientParameters": {"ClientID": "id", "ClientSecret": "secret"},
            "AuthorizationEndpoint": f"{server.url}/token",
            "HttpMethod": "POST",
        }
    }
    arn = destination(timed.client, "api", f"{server.url}/in", "OAUTH_CLIENT_CREDENTIALS", parameters)
    server.statuses = [401, 200]
    listen(timed.client, "api", arn)
    put(timed.client, "api", {})
    timed.advance(5)
    assert [entry.path for entry in server.received] == ["/token", "/in", "/token", "/in"]


def test_nothing_is_called_without_authorization(timed: Timed, server: Server) -> None:
    events = timed.client("events")
    arn = destination(timed.client, "api", server.url, "BASIC", BASIC)
    events.deauthorize_connection(Name="api")
    listen(timed.client, "api", arn)
    put(timed.client, "api", {})
    timed.advance(5)
    assert server.received == []
    events.update_connection(Name="api", AuthorizationType="API_KEY", AuthParameters=KEY)
    timed.advance(60)
    assert [entry.headers["x-key"] for entry in server.received] == ["value"]


@pytest.mark.parametrize("url", ["https://", "ftp://example.com/a", "example.com"])
def test_an_address_that_nobody_could_call_is_refused(client: Client, unique: Unique, url: str) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        destination(client, unique("api"), url, "BASIC", BASIC)


def test_an_api_of_api_gateway_is_a_target(client: Client, unique: Unique, emulator: Any) -> None:
    name, gateway = unique("api"), client("apigateway")
    url = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "app.py",
            "import boto3, os\n"
            "def handler(event, context):\n"
            "    text = event['body'] + ' ' + event['headers']['X-Own']\n"
            "    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody=text)\n"
            "    return {'statusCode': 200, 'body': ''}\n",
        )
    function = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"QUEUE": url}},
        Timeout=30,
    )["FunctionArn"]
    api = gateway.create_rest_api(name=name)["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    resource = gateway.create_resource(restApiId=api, parentId=root, pathPart="in")["id"]
    place = {"restApiId": api, "resourceId": resource, "httpMethod": "POST"}
    gateway.put_method(**place, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    gateway.put_integration(**place, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="dev")
    target = f"arn:aws:execute-api:us-east-1:000000000000:{api}/dev/POST/in"
    listen(client, name, target, InputPath="$.detail", HttpParameters={"HeaderParameters": {"X-Own": "$.source"}})
    put(client, name, {"n": 1})
    found: list[str] = []

    def called() -> bool:
        answer = client("sqs").receive_message(QueueUrl=url)
        found.extend(message["Body"] for message in answer.get("Messages", []))
        return bool(found)

    assert emulator.wait_until(called)
    assert found[0] == f'{{"n":1}} {name}'


def test_secrets_are_not_shown(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("connection")
    parameters = {
        **BASIC,
        "InvocationHttpParameters": {
            "HeaderParameters": [
                {"Key": "a", "Value": "1", "IsValueSecret": False},
                {"Key": "b", "Value": "2", "IsValueSecret": True},
            ]
        },
    }
    made = events.create_connection(Name=name, AuthorizationType="BASIC", AuthParameters=parameters)
    assert made["ConnectionState"] == "AUTHORIZED"
    found = events.describe_connection(Name=name)
    assert found["AuthParameters"] == {
        "BasicAuthParameters": {"Username": "user"},
        "InvocationHttpParameters": {
            "HeaderParameters": [
                {"Key": "a", "Value": "1", "IsValueSecret": False},
                {"Key": "b", "IsValueSecret": True},
            ]
        },
    }
    secrets = client("secretsmanager")
    value = json.loads(secrets.get_secret_value(SecretId=found["SecretArn"])["SecretString"])
    assert (value["username"], value["password"]) == ("user", "secret")
    assert [entry["value"] for entry in value["invocation_http_parameters"]["header_parameters"]] == ["1", "2"]
    events.update_connection(Name=name, AuthParameters={"BasicAuthParameters": {"Password": "new"}})
    assert json.loads(secrets.get_secret_value(SecretId=found["SecretArn"])["SecretString"])["password"] == "new"
    events.delete_connection(Name=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.get_secret_value(SecretId=found["SecretArn"])
    assert found["SecretArn"].startswith(
        f"arn:aws:secretsmanager:us-east-1:000000000000:secret:events!connection/{name}/"
    )


def test_a_connection_changes_and_goes(timed: Timed) -> None:
    events = timed.client("events")
    events.create_connection(Name="c", AuthorizationType="BASIC", AuthParameters=BASIC)
    oauth = {
        "OAuthParameters": {
            "ClientParameters": {"ClientID": "id", "ClientSecret": "secret"},
            "AuthorizationEndpoint": "https://example.com/token",
            "HttpMethod": "POST",
        }
    }
    changed = events.update_connection(Name="c", AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters=oauth)
    assert changed["ConnectionState"] == "AUTHORIZING"
    timed.advance(2)
    assert events.describe_connection(Name="c")["ConnectionState"] == "AUTHORIZED"
    assert [entry["Name"] for entry in events.list_connections(ConnectionState="AUTHORIZED")["Connections"]] == ["c"]
    assert events.deauthorize_connection(Name="c")["ConnectionState"] == "DEAUTHORIZED"
    with pytest.raises(ClientError, match="Connection c already exists"):
        events.create_connection(Name="c", AuthorizationType="BASIC", AuthParameters=BASIC)
    with pytest.raises(ClientError, match="ValidationException"):
        events.create_connection(Name="d", AuthorizationType="API_KEY", AuthParameters=BASIC)
    assert events.delete_connection(Name="c")["ConnectionState"] == "DELETING"
    with pytest.raises(ClientError, match=r"Connection 'c' does not exist\."):
        events.describe_connection(Name="c")


def test_a_destination_changes_and_goes(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("api")
    arn = destination(client, name, "https://example.com/a", "BASIC", BASIC)
    events.update_api_destination(Name=name, HttpMethod="PUT", InvocationRateLimitPerSecond=10)
    found = events.describe_api_destination(Name=name)
    assert (found["HttpMethod"], found["InvocationRateLimitPerSecond"]) == ("PUT", 10)
    assert found["InvocationEndpoint"] == "https://example.com/a"
    listed = events.list_api_destinations(NamePrefix=name)["ApiDestinations"]
    assert [entry["ApiDestinationArn"] for entry in listed] == [arn]
    with pytest.raises(ClientError, match=rf"An api-destination '{name}' already exists\."):
        events.create_api_destination(
            Name=name, ConnectionArn=found["ConnectionArn"], InvocationEndpoint="https://example.com", HttpMethod="GET"
        )
    events.delete_api_destination(Name=name)
    with pytest.raises(ClientError, match=rf"An api-destination '{name}' does not exist\."):
        events.describe_api_destination(Name=name)
