"""Functions, versions and aliases: what AWS answers, and what it refuses."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.services.lambda_.conftest import ROLE, Functions, packed

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
VERSIONED = "def handler(event, context): return context.function_version"


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_new_function_is_pending_and_then_active(functions: Functions) -> None:
    name = functions.unique("function")
    made = functions.aws.create_function(
        FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="app.handler", Code={"ZipFile": packed("")}
    )
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert made["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert UUID.fullmatch(made["RevisionId"])
    found = functions.aws.get_function(FunctionName=name)["Configuration"]
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert found["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert "Layers" not in found


def test_the_code_can_be_fetched(functions: Functions) -> None:
    name = functions.make()
    code = functions.aws.get_function(FunctionName=name)["Code"]
    path = code["Location"].partition("/_aws")[2]
    with urllib.request.urlopen(f"{functions.emulator.url}/_aws{path}", timeout=30) as answer:
        assert answer.read()[:2] == b"PK"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Runtime": "cobol1"}, "Value cobol1 at 'runtime' failed to satisfy constraint"),
        ({"Handler": None}, "Runtime and Handler are mandatory parameters"),
        ({"Code": {"ZipFile": b"no"}}, "Could not unzip uploaded file"),
        ({"Code": {}}, "Please provide a source for function code."),
        ({"Code": {"S3Bucket": "not-there-17", "S3Key": "k"}}, "S3 Error Code: NoSuchBucket"),
        ({"Code": {"ZipFile": b"PK", "S3Key": "k"}}, "Please do not provide other FunctionCode parameters"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"AB": "x" * 5000}}}, "exceeded the 4KB limit"),
        ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:none:1"]}, "layer:none:1 does not exist"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}, "Runtime": "python3.9"}, "not supported for SnapStart"),
        ({"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "INFO"}}, "when LogFormat is set to JSON"),
        (
            {"VpcConfig": {"SubnetIds": ["subnet-0"], "SecurityGroupIds": []}},
            "EC2 Error Code: InvalidSubnetID.NotFound",
        ),
    ],
)
def test_what_cannot_be_is_an_invalid_parameter(functions: Functions, change: dict[str, Any], words: str) -> None:
    request = {
        "FunctionName": functions.unique("function"),
        "Runtime": "python3.12",
        "Role": ROLE,
        "Handler": "app.handler",
        "Code": {"ZipFile": packed("")},
        **change,
    }
    with pytest.raises(ClientError, match=re.escape(words)) as caught:
        functions.aws.create_function(**{name: value for name, value in request.items() if value is not None})
    assert code_of(caught) == "InvalidParameterValueException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("no!", "ValidationException", "at 'functionName' failed to satisfy constraint"),
        ("arn:aws:ec2:us-east-1:000000000000:instance:i", "ValidationException", "regular expression pattern"),
        ("function:a:b:c", "ValidationException", "regular expression pattern"),
        (
            "arn:aws:lambda:us-west-2:000000000000:function:f",
            "ResourceNotFoundException",
            "Functions from 'us-west-2' are not reachable in this region ('us-east-1')",
        ),
        ("not-there", "ResourceNotFoundException", "function:not-there"),
    ],
)
def test_names_that_mean_nothing(functions: Functions, name: str, code: str, words: str) -> None:
    with pytest.raises(ClientError, match=re.escape(words)) as caught:
        functions.aws.get_function(FunctionName=name)
    assert code_of(caught) == code


def test_a_function_answers_to_all_forms_of_its_name(functions: Functions) -> None:
    name = functions.make()
    arn = functions.aws.publish_version(FunctionName=name)["FunctionArn"]
    for form in (f"000000000000:function:{name}", f"function:{name}", arn, f"{name}:1", f"{name}:$LATEST"):
        assert functions.aws.get_function(FunctionName=form)["Configuration"]["FunctionName"] == name
    with pytest.raises(ClientError, match="The derived qualifier from the function name does not match"):
        functions.aws.get_function(FunctionName=f"{name}:1", Qualifier="2")


def test_a_name_is_taken_once(functions: Functions) -> None:
    name = functions.make()
    with pytest.raises(ClientError, match=f"Function already exist: {name}") as caught:
        functions.make(FunctionName=name)
    assert code_of(caught) == "ResourceConflictException"


def test_an_update_is_in_progress_first(functions: Functions) -> None:
    name = functions.make()
    made = functions.aws.update_function_configuration(FunctionName=name, Timeout=7, Description="d")
    assert (made["LastUpdateStatus"], made["Timeout"], made["Description"]) == ("InProgress", 7, "d")
    found = functions.aws.get_function_configuration(FunctionName=name)
    assert (found["LastUpdateStatus"], found["Timeout"]) == ("Successful", 7)


def test_a_stale_revision_changes_nothing(functions: Functions) -> None:
    name = functions.make()
    with pytest.raises(ClientError, match="does not match the latest Revision Id") as caught:
        functions.aws.update_function_configuration(FunctionName=name, RevisionId="old", Timeout=7)
    assert code_of(caught) == "PreconditionFailedException"


def test_code_from_a_bucket(functions: Functions, client: Any) -> None:
    bucket = functions.unique("bucket")
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_object(Bucket=bucket, Key="k", Body=packed("def handler(event, context): return 1"))
    assert functions.call(functions.make(Code={"S3Bucket": bucket, "S3Key": "k"})) == 1


def test_versions_do_not_change(functions: Functions) -> None:
    name = functions.make(VERSIONED)
    first = functions.aws.publish_version(FunctionName=name, Description="one")
    assert (first["Version"], first["Description"]) == ("1", "one")
    assert functions.aws.publish_version(FunctionName=name)["Version"] == "1"
    functions.aws.update_function_code(FunctionName=name, ZipFile=packed("def handler(event, context): return 2"))
    assert functions.aws.publish_version(FunctionName=name)["Version"] == "2"
    assert functions.call(name, Qualifier="1") == "1"
    assert functions.call(name, Qualifier="2") == 2
    listed = functions.aws.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2"]


def test_a_version_of_other_code_is_refused(functions: Functions) -> None:
    with pytest.raises(ClientError, match="is different from current CodeSHA256"):
        functions.aws.publish_version(FunctionName=functions.make(), CodeSha256="other")


def test_an_alias_leads_to_its_version(functions: Functions) -> None:
    name = functions.make(VERSIONED, Publish=True)
    made = functions.aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert made["AliasArn"].endswith(f":function:{name}:live")
    answer = functions.aws.invoke(FunctionName=name, Qualifier="live")
    assert (answer["ExecutedVersion"], json.loads(answer["Payload"].read())) == ("1", "1")
    with pytest.raises(ClientError, match="Alias already exists") as caught:
        functions.aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert code_of(caught) == "ResourceConflictException"
    with pytest.raises(ClientError, match="following aliases reference it: \\[live\\]"):
        functions.aws.delete_function(FunctionName=name, Qualifier="1")


def test_an_alias_shares_between_two_versions(functions: Functions) -> None:
    name = functions.make(VERSIONED, Publish=True)
    functions.aws.update_function_configuration(FunctionName=name, Description="two")
    functions.aws.publish_version(FunctionName=name)
    routing = {"AdditionalVersionWeights": {"2": 1.0}}
    functions.aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=routing)
    assert functions.call(name, Qualifier="live") == "2"
    functions.aws.update_alias(FunctionName=name, Name="live", RoutingConfig={})
    assert functions.call(name, Qualifier="live") == "1"
    with pytest.raises(ClientError, match="already included in routing configuration"):
        functions.aws.update_alias(
            FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}}
        )


def test_deleting_a_function_deletes_all_of_it(functions: Functions) -> None:
    name = functions.make(Publish=True)
    functions.aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.aws.delete_function(FunctionName=name)
    for qualifier in ("1", "live", "$LATEST"):
        with pytest.raises(ClientError, match="Function not found"):
            functions.aws.get_function(FunctionName=name, Qualifier=qualifier)
    functions.make(FunctionName=name)
    assert functions.aws.list_aliases(FunctionName=name)["Aliases"] == []
    with pytest.raises(ClientError, match="version cannot be deleted without deleting the function"):
        functions.aws.delete_function(FunctionName=name, Qualifier="$LATEST")


def test_lists_come_in_pages(functions: Functions) -> None:
    aws = functions.emulator.client("lambda", account="111122223333")
    names = [f"paged-{number}" for number in range(5)]
    for name in names:
        aws.create_function(
            FunctionName=name, Runtime="python3.12", Role=ROLE, Handler="app.handler", Code={"ZipFile": packed("")}
        )
    pages = list(aws.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert [[entry["FunctionName"] for entry in page["Functions"]] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    assert "State" not in pages[0]["Functions"][0]


def test_runtimes_are_listed(functions: Functions) -> None:
    def names(query: str = "") -> list[str]:
        with urllib.request.urlopen(f"{functions.emulator.url}/_aws/lambda/runtimes{query}", timeout=30) as answer:
            found: list[str] = json.load(answer)["Runtimes"]
            return found

    assert "python3.13" in names()
    assert "python3.7" not in names("?filter=supported")
    assert "python3.7" in names("?filter=deprecated")
    assert {"python3.7", "python3.13"} <= set(names("?filter=all"))


def test_the_account_has_limits(functions: Functions) -> None:
    functions.make()
    found = functions.aws.get_account_settings()
    assert found["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert found["AccountUsage"]["FunctionCount"] >= 1


def test_code_of_a_folder_is_loaded_again_after_a_change(functions: Functions, tmp_path: Path) -> None:
    module = tmp_path / "app.py"
    module.write_text("count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n")
    name = functions.make(Code={"S3Bucket": "hot-reload", "S3Key": str(tmp_path)})
    assert [functions.call(name), functions.call(name)] == [1, 2]
    module.write_text("def handler(event, context): return 'changed'\n")
    assert functions.call(name) == "changed"
    with pytest.raises(ClientError, match="is a folder on the emulator's machine"):
        functions.make(Code={"S3Bucket": "hot-reload", "S3Key": str(tmp_path / "none")})


def test_elements_of_lists_and_maps_are_checked_in_lambdas_words(functions: Functions) -> None:
    name = functions.make(Publish=True)
    aws = functions.emulator.client("lambda", config=Config(parameter_validation=False))
    with pytest.raises(ClientError, match=re.escape("regular expression pattern: subnet-[0-9a-z]*]")) as caught:
        functions.aws.update_function_configuration(FunctionName=name, VpcConfig={"SubnetIds": ["net"]})
    assert "[Member must have length less than or equal to 1024, Member must have length greater" in str(caught.value)
    weights = {"AdditionalVersionWeights": {"2": -1.0}}
    with pytest.raises(ClientError, match="Map value must satisfy constraint") as caught:
        aws.create_alias(FunctionName=name, Name="a", FunctionVersion="1", RoutingConfig=weights)
    assert code_of(caught) == "ValidationException"


LONG_NUMBER = "9" * 100  # fits no key


def test_no_version_has_a_number_that_long(functions: Functions) -> None:
    name = functions.make()
    with pytest.raises(ClientError, match="Function not found") as caught:
        functions.aws.get_function(FunctionName=name, Qualifier=LONG_NUMBER)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError, match="Function not found"):
        functions.aws.create_alias(FunctionName=name, Name="x", FunctionVersion=LONG_NUMBER)
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        functions.aws.get_layer_version(LayerName="x", VersionNumber=int(LONG_NUMBER))
    layer = f"arn:aws:lambda:us-east-1:000000000000:layer:x:{LONG_NUMBER}"
    with pytest.raises(ClientError, match="does not exist"):
        functions.aws.update_function_configuration(FunctionName=name, Layers=[layer])


def test_an_id_of_a_url_is_taken_once(functions: Functions) -> None:
    tags = {"_custom_id_": functions.unique("id")}
    first, second = functions.make(Tags=tags), functions.make(Tags=tags)
    functions.aws.create_function_url_config(FunctionName=first, AuthType="NONE")
    with pytest.raises(ClientError, match="Another function URL has the id") as caught:
        functions.aws.create_function_url_config(FunctionName=second, AuthType="NONE")
    assert caught.value.response["Error"]["Code"] == "ResourceConflictException"


def test_a_folder_is_no_layer(functions: Functions, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="A layer is a ZIP file"):
        functions.aws.publish_layer_version(
            LayerName=functions.unique("layer"), Content={"S3Bucket": "hot-reload", "S3Key": str(tmp_path)}
        )


def test_a_destination_may_have_fewer_parts_than_a_function(functions: Functions) -> None:
    name, destination = functions.make(), {"OnSuccess": {"Destination": "arn:aws:lambda:::other"}}
    made = functions.aws.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destination)
    assert made["DestinationConfig"] == {**destination, "OnFailure": {}}


def test_a_package_that_cannot_be_unpacked_says_so(functions: Functions) -> None:
    content = bytearray(packed("x" * 1000))
    content[content.find(b"x" * 100)] = 0
    name = functions.make(Code={"ZipFile": bytes(content)})
    with pytest.raises(ClientError, match="cannot be unpacked: Bad CRC-32") as caught:
        functions.aws.invoke(FunctionName=name)
    assert caught.value.response["Error"]["Code"] == "InvalidRuntimeException"
