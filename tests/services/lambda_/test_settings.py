"""What belongs to a function: permissions, layers, tags, concurrency, retries, URLs, code signing."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.lambda_.conftest import Functions, eventually, packed


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_permissions_are_statements_of_a_policy(functions: Functions) -> None:
    name = functions.make()
    given = {
        "FunctionName": name,
        "StatementId": "s3",
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::bucket",
        "SourceAccount": "000000000000",
    }
    statement = json.loads(functions.aws.add_permission(**given)["Statement"])
    assert statement == {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
        },
    }
    with pytest.raises(ClientError, match=r"The statement id \(s3\) provided already exists") as caught:
        functions.aws.add_permission(**given)
    assert code_of(caught) == "ResourceConflictException"
    policy = json.loads(functions.aws.get_policy(FunctionName=name)["Policy"])
    assert policy["Statement"] == [statement]
    functions.aws.remove_permission(FunctionName=name, StatementId="s3")
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        functions.aws.get_policy(FunctionName=name)
    with pytest.raises(ClientError, match="No policy is associated with the given resource"):
        functions.aws.remove_permission(FunctionName=name, StatementId="s3")


def test_layers_have_versions_and_policies(functions: Functions) -> None:
    name = functions.unique("layer")
    content = {"ZipFile": packed("x = 1", "python/x.py")}
    made = functions.aws.publish_layer_version(
        LayerName=name, Content=content, CompatibleRuntimes=["python3.12"], Description="d"
    )
    assert made["Version"] == 1
    assert made["LayerVersionArn"] == f"arn:aws:lambda:us-east-1:000000000000:layer:{name}:1"
    assert functions.aws.publish_layer_version(LayerName=name, Content=content)["Version"] == 2
    listed = functions.aws.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [entry["Version"] for entry in listed] == [2, 1]
    with pytest.raises(ClientError, match="does not exist"):
        functions.aws.get_layer_version(LayerName=name, VersionNumber=3)
    share = {"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    functions.aws.add_layer_version_permission(LayerName=name, VersionNumber=1, **share)
    with pytest.raises(ClientError, match=r"The statement id \(all\) provided already exists"):
        functions.aws.add_layer_version_permission(LayerName=name, VersionNumber=1, **share)
    functions.aws.delete_layer_version(LayerName=name, VersionNumber=1)
    with pytest.raises(ClientError, match=r"Layer version arn.*:1 does not exist"):
        functions.aws.get_layer_version_policy(LayerName=name, VersionNumber=1)
    path = functions.aws.get_layer_version(LayerName=name, VersionNumber=2)["Content"]["Location"].partition("/_aws")[2]
    with urllib.request.urlopen(f"{functions.emulator.url}/_aws{path}", timeout=30) as answer:
        assert answer.read() == content["ZipFile"]


def test_tags_are_added_and_taken_away(functions: Functions) -> None:
    name = functions.make(Tags={"a": "1"})
    arn = functions.aws.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    functions.aws.tag_resource(Resource=arn, Tags={"b": "2"})
    assert functions.aws.list_tags(Resource=arn)["Tags"] == {"a": "1", "b": "2"}
    functions.aws.untag_resource(Resource=arn, TagKeys=["a"])
    assert functions.aws.get_function(FunctionName=name)["Tags"] == {"b": "2"}
    with pytest.raises(ClientError, match="Function not found"):
        functions.aws.list_tags(Resource=arn + "x")
    with pytest.raises(ClientError, match="Number of tags exceeds resource tag limit"):
        functions.aws.tag_resource(Resource=arn, Tags={str(number): "" for number in range(50)})


def test_reserving_leaves_enough_for_the_others(functions: Functions) -> None:
    name = functions.make()
    assert "ReservedConcurrentExecutions" not in functions.aws.get_function_concurrency(FunctionName=name)
    functions.aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    assert functions.aws.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3
    with pytest.raises(ClientError, match=re.escape("below its minimum value of [100]")):
        functions.aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=950)
    functions.aws.delete_function_concurrency(FunctionName=name)


def test_provisioned_concurrency_is_for_what_is_published(functions: Functions) -> None:
    name = functions.make(Publish=True)
    with pytest.raises(ClientError, match="cannot be applied to unpublished function versions"):
        functions.aws.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )
    functions.aws.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2
    )

    def ready() -> Any:
        found = functions.aws.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
        return found if found["Status"] == "READY" else None

    assert eventually(ready)["AllocatedProvisionedConcurrentExecutions"] == 2
    source = "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']"
    functions.aws.update_function_code(FunctionName=name, ZipFile=packed(source), Publish=True)
    functions.aws.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="2", ProvisionedConcurrentExecutions=1
    )
    assert functions.call(name, Qualifier="2") == "provisioned-concurrency"
    assert functions.call(name) == "on-demand"
    functions.aws.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    with pytest.raises(ClientError) as caught:
        functions.aws.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert code_of(caught) == "ProvisionedConcurrencyConfigNotFoundException"


def test_what_becomes_of_events_is_set_by_qualifier(functions: Functions) -> None:
    name = functions.make()
    with pytest.raises(ClientError, match="doesn't have an EventInvokeConfig"):
        functions.aws.get_function_event_invoke_config(FunctionName=name)
    with pytest.raises(ClientError, match="You must specify at least one of error handling or destination setting"):
        functions.aws.put_function_event_invoke_config(FunctionName=name)
    functions.aws.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    found = functions.aws.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=100)
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (1, 100)
    assert found["FunctionArn"].endswith(f"{name}:$LATEST")
    assert found["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}


def test_code_signing_is_kept(functions: Functions) -> None:
    publisher = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/test/0123456789"
    made = functions.aws.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [publisher]})
    arn, name = made["CodeSigningConfig"]["CodeSigningConfigArn"], functions.make()
    functions.aws.put_function_code_signing_config(CodeSigningConfigArn=arn, FunctionName=name)
    assert functions.aws.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"] == arn
    assert len(functions.aws.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"]) == 1
    with pytest.raises(ClientError, match="The code signing configuration cannot be found"):
        functions.aws.put_function_code_signing_config(
            CodeSigningConfigArn=arn[:-1] + ("1" if arn[-1] == "0" else "0"), FunctionName=name
        )


def test_recursion_and_runtime_updates_are_kept(functions: Functions) -> None:
    name = functions.make()
    assert functions.aws.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    functions.aws.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert functions.aws.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
    assert functions.aws.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    with pytest.raises(ClientError, match="runtime version ARN"):
        functions.aws.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Manual")


ANSWERING = """
def handler(event, context):
    if event["rawPath"] == "/made":
        return {"statusCode": 201, "headers": {"x-own": "1"}, "cookies": ["a=1"], "body": "made"}
    if event["rawPath"] == "/fail":
        raise ValueError
    return event
"""


def ask(functions: Functions, url: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    host = url.removeprefix("http://").rstrip("/")
    headers = {"Host": host, "Cookie": "c=1; d=2", "Content-Type": "text/plain"}
    request = urllib.request.Request(f"{functions.emulator.url}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read()


def test_a_url_calls_the_function(functions: Functions) -> None:
    name = functions.make(ANSWERING)
    url = functions.aws.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    status, _, body = ask(functions, url, "/some/path?a=1&a=2", b"text")
    event: dict[str, Any] = json.loads(body)
    assert status == 200
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/some/path", "a=1&a=2")
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert (event["body"], event["isBase64Encoded"], event["cookies"]) == ("text", False, ["c=1", "d=2"])
    assert event["requestContext"]["http"]["method"] == "POST"
    status, headers, body = ask(functions, url, "/made")
    assert (status, headers["x-own"], headers["set-cookie"], body) == (201, "1", "a=1", b"made")
    assert ask(functions, url, "/fail")[::2] == (502, b"Internal Server Error")
    assert ask(functions, url.replace("http://", "http://no"), "/")[0] == 403


def test_a_function_has_one_url(functions: Functions) -> None:
    name = functions.make()
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        functions.aws.get_function_url_config(FunctionName=name)
    functions.aws.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    with pytest.raises(ClientError, match="FunctionUrlConfig exists for this Lambda function"):
        functions.aws.create_function_url_config(FunctionName=name, AuthType="NONE")
    url = functions.aws.update_function_url_config(FunctionName=name, InvokeMode="RESPONSE_STREAM")["FunctionUrl"]
    assert ask(functions, url, "/")[0] == 403
    functions.aws.delete_function_url_config(FunctionName=name)
    assert ask(functions, url, "/")[0] == 403
