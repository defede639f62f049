"""Intrinsic functions, dynamic references, macros, nested stacks, custom resources: what a template's values become."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import RunningEmulator
from tests.fallback.stacks import body, create, outputs, parameter, reasons, refusal, resource, settled, update

Client = Callable[..., Any]
Unique = Callable[..., str]

VALUES = {
    "Join": ({"Fn::Join": ["-", ["a", {"Ref": "Word"}]]}, "a-word"),
    "Sub": ({"Fn::Sub": ["${Word}/${Own}/${!Kept}", {"Own": {"Ref": "Word"}}]}, "word/word/${Kept}"),
    "Select": ({"Fn::Select": [1, {"Fn::Split": [",", "x,y,z"]}]}, "y"),
    "List": ({"Fn::Select": ["1", {"Ref": "Words"}]}, "b"),
    "Base64": ({"Fn::Base64": "hello"}, "aGVsbG8="),
    "Cidr": ({"Fn::Join": [",", {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}, "10.0.0.0/24,10.0.1.0/24"),
    "Map": ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "big"]}, "9"),
    "Chosen": ({"Fn::If": ["Yes", "yes", {"Ref": "AWS::NoValue"}]}, "yes"),
    "Both": ({"Fn::If": ["Mixed", "yes", "no"]}, "no"),
    "Account": ({"Fn::Sub": "${AWS::AccountId}:${AWS::Partition}:${AWS::URLSuffix}"}, "000000000000:aws:amazonaws.com"),
    "Zone": ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "us-east-1a"),
    "Arn": ({"Fn::GetAtt": ["Queue", "Arn"]}, None),
}
CONDITIONS = {
    "Yes": {"Fn::Equals": [{"Ref": "Word"}, "word"]},
    "No": {"Fn::Not": [{"Condition": "Yes"}]},
    "Mixed": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Or": [{"Condition": "No"}, {"Fn::Equals": ["1", "2"]}]}]},
}


def test_functions_have_their_values(client: Client, unique: Unique) -> None:
    name = unique("stack")
    text = body(
        {"Queue": resource("SQS::Queue", QueueName=name), "Left": resource("SQS::Queue", _Condition="No")},
        Parameters={
            "Word": {"Type": "String", "Default": "word"},
            "Words": {"Type": "CommaDelimitedList", "Default": "a, b"},
        },
        Mappings={"Sizes": {"us-east-1": {"big": 9}}},
        Conditions=CONDITIONS,
        Outputs={key: {"Value": value} for key, (value, _wanted) in VALUES.items()},
    )
    found = outputs(create(client("cloudformation"), name, text))
    wanted = {key: value for key, (_text, value) in VALUES.items() if value is not None}
    assert found == {**wanted, "Arn": f"arn:aws:sqs:us-east-1:000000000000:{name}"}
    made = client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    assert [entry["LogicalResourceId"] for entry in made] == ["Queue"]


def test_a_template_in_yaml_has_short_forms(client: Client, unique: Unique) -> None:
    name = unique("stack")
    text = f"""
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Queue: {{Type: "AWS::SQS::Queue", Properties: {{QueueName: !Sub "{name}"}}}}
Outputs:
  Arn: {{Value: !GetAtt Queue.Arn}}
  Url: {{Value: !Join ["", [!Ref Queue]]}}
"""
    found = outputs(create(client("cloudformation"), name, text))
    assert found["Arn"].endswith(f":{name}")
    assert found["Url"].endswith(f"/{name}")


def test_values_come_from_the_parameter_store_and_secrets(client: Client, unique: Unique) -> None:
    name, ssm = unique("stack"), client("ssm")
    ssm.put_parameter(Name=f"{name}-in", Type="String", Value="first")
    client("secretsmanager").create_secret(Name=f"{name}-s", SecretString=json.dumps({"user": "me"}))
    resources = {
        "Stored": parameter(f"{name}-1", {"Ref": "In"}),
        "Dynamic": parameter(f"{name}-2", f"{{{{resolve:ssm:{name}-in}}}}"),
        "Secret": parameter(f"{name}-3", f"{{{{resolve:secretsmanager:{name}-s:SecretString:user}}}}"),
    }
    declared = {"In": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": f"{name}-in"}}
    stack = create(client("cloudformation"), name, body(resources, Parameters=declared))
    given = {"ParameterKey": "In", "ParameterValue": f"{name}-in", "ResolvedValue": "first"}
    assert stack["Parameters"] == [given]
    values = [ssm.get_parameter(Name=f"{name}-{number}")["Parameter"]["Value"] for number in (1, 2, 3)]
    assert values == ["first", "first", "me"]
    ssm.put_parameter(Name=f"{name}-in", Type="String", Value="second", Overwrite=True)
    previous = [{"ParameterKey": "In", "UsePreviousValue": True}]
    client("cloudformation").update_stack(StackName=name, UsePreviousTemplate=True, Parameters=previous)
    settled(client("cloudformation"), name)
    assert ssm.get_parameter(Name=f"{name}-1")["Parameter"]["Value"] == "second"


def test_loops_are_written_out(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    loop = ["Word", ["one", "two"], {"Queue${Word}": resource("SQS::Queue", QueueName=f"{name}-${{Word}}")}]
    text = json.dumps(
        {
            "Transform": "AWS::LanguageExtensions",
            "Resources": {"Fn::ForEach::Queues": loop},
            "Outputs": {
                "Json": {"Value": {"Fn::ToJsonString": {"a": [1]}}},
                "Length": {"Value": {"Fn::Length": ["a", "b"]}},
            },
        }
    )
    assert outputs(create(cloudformation, name, text)) == {"Json": '{"a":[1]}', "Length": "2"}
    assert len(client("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]) == 2
    processed = cloudformation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    assert set(processed["Resources"]) == {"Queueone", "Queuetwo"}


def test_a_part_is_included_from_a_bucket(client: Client, unique: Unique) -> None:
    name, s3 = unique("stack"), client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="part.json", Body=json.dumps({"QueueName": f"{name}-included"}))
    include = {"Name": "AWS::Include", "Parameters": {"Location": f"s3://{name}/part.json"}}
    text = body({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Fn::Transform": include}}})
    create(client("cloudformation"), name, text)
    client("sqs").get_queue_url(QueueName=f"{name}-included")


def test_a_stack_inside_of_a_stack(client: Client, unique: Unique) -> None:
    name, s3, cloudformation = unique("stack"), client("s3"), client("cloudformation")
    s3.create_bucket(Bucket=name)

    def inner(value: str, kind: str = "String") -> None:
        part = parameter(f"{name}-inner", value)
        part["Properties"]["Type"] = kind
        made = body({"P": part}, Parameters={"In": {"Type": "String"}}, Outputs={"Out": {"Value": {"Ref": "In"}}})
        s3.put_object(Bucket=name, Key="inner.json", Body=made)

    inner("1")
    url = f"https://{name}.s3.amazonaws.com/inner.json"
    nested = resource("CloudFormation::Stack", TemplateURL=url, Parameters={"In": "given"})
    text = body({"Inner": nested}, Outputs={"O": {"Value": {"Fn::GetAtt": ["Inner", "Outputs.Out"]}}})
    stack = create(cloudformation, name, text)
    assert outputs(stack) == {"O": "given"}
    (made,) = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    child = settled(cloudformation, made["PhysicalResourceId"])
    assert (child["ParentId"], child["RootId"]) == (stack["StackId"], stack["StackId"])
    inner("2")
    update(cloudformation, name, text)
    assert client("ssm").get_parameter(Name=f"{name}-inner")["Parameter"]["Value"] == "2"
    inner("3", "Wrong")
    assert update(cloudformation, name, text)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("was not successfully updated" in said for said in reasons(cloudformation, name, "Inner"))
    assert client("ssm").get_parameter(Name=f"{name}-inner")["Parameter"]["Value"] == "2"
    cloudformation.delete_stack(StackName=name)
    assert settled(cloudformation, child["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert "ParameterNotFound" in refusal(client("ssm").get_parameter, Name=f"{name}-inner")


CODE = """
import cfnresponse
def handler(event, context):
    properties = event["ResourceProperties"]
    if properties.get("Fail") == event["RequestType"]:
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, reason="told to")
    else:
        data = {"Answer": properties.get("Ask", "") + "!"}
        cfnresponse.send(event, context, cfnresponse.SUCCESS, data, "physical")
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def with_function(**custom: Any) -> str:
    role = resource("IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [TRUST]})
    function = resource(
        "Lambda::Function",
        Runtime="python3.12",
        Handler="index.handler",
        Role={"Fn::GetAtt": ["Role", "Arn"]},
        Code={"ZipFile": CODE},
        Timeout=30,
    )
    asked = resource("Custom::Question", ServiceToken={"Fn::GetAtt": ["Function", "Arn"]}, **custom)
    return body(
        {"Role": role, "Function": function, "Question": asked},
        Outputs={"Answer": {"Value": {"Fn::GetAtt": ["Question", "Answer"]}}, "Id": {"Value": {"Ref": "Question"}}},
    )


def test_a_custom_resource_is_made_by_its_function(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    stack = create(cloudformation, name, with_function(Ask=7))
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(cloudformation, name, "Question")
    assert outputs(stack) == {"Answer": "7!", "Id": "physical"}
    changed = with_function(Ask="more")
    assert outputs(update(cloudformation, name, changed)) == {"Answer": "more!", "Id": "physical"}
    cloudformation.delete_stack(StackName=name)


def test_a_custom_resource_that_fails_rolls_back(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    assert create(cloudformation, name, with_function(Fail="Create"))["StackStatus"] == "ROLLBACK_COMPLETE"
    said = "Received response status [FAILED] from custom resource. Message returned: told to (RequestId: "
    assert any(reason.startswith(said) for reason in reasons(cloudformation, name, "Question"))


def test_a_wait_condition_waits_for_signals(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    text = body(
        {
            "Handle": resource("CloudFormation::WaitConditionHandle"),
            "Wait": resource("CloudFormation::WaitCondition", Handle={"Ref": "Handle"}, Timeout=60),
        },
        Outputs={"Data": {"Value": {"Fn::GetAtt": ["Wait", "Data"]}}},
    )
    made = cloudformation.create_stack(StackName=name, TemplateBody=text)  # answers while the stack waits
    assert cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    signal = {"StackName": name, "LogicalResourceId": "Wait", "UniqueId": "one", "Status": "SUCCESS"}
    cloudformation.signal_resource(**{**signal, "LogicalResourceId": "Handle"})
    assert outputs(settled(cloudformation, made["StackId"])) == {"Data": '{"one":""}'}


def test_kinds_by_their_services_apis(client: Client, unique: Unique) -> None:
    name, cloudformation = unique("stack"), client("cloudformation")
    resources = {
        "Key": resource("KMS::Key", EnableKeyRotation=True, RotationPeriodInDays=180),
        "Alias": resource("KMS::Alias", AliasName=f"alias/{name}", TargetKeyId={"Ref": "Key"}),
        "Secret": resource("SecretsManager::Secret", Name=name, GenerateSecretString={"PasswordLength": 12}),
        "Stream": resource("Kinesis::Stream", Name=name, ShardCount=1),
        "Bus": resource("Events::EventBus", Name=name),
        "Queue": resource("SQS::Queue", QueueName=name),
        "Rule": resource(
            "Events::Rule",
            EventPattern={"source": [name]},
            Targets=[{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        ),
        "Logs": resource("Logs::LogGroup", LogGroupName=name, RetentionInDays=7),
    }
    stack = create(cloudformation, name, body(resources, Outputs={"Rule": {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}}}))
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(cloudformation, name, name)
    assert len(client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]) == 12
    groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert groups[0]["retentionInDays"] == 7
    rule = outputs(stack)["Rule"].rpartition("/")[2]
    assert [target["Id"] for target in client("events").list_targets_by_rule(Rule=rule)["Targets"]] == ["q"]
    cloudformation.delete_stack(StackName=name)
    assert settled(cloudformation, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert not client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]


@pytest.mark.parametrize("form", ["url", "text"])
def test_the_page_deploys_a_stack(emulator: RunningEmulator, client: Client, unique: Unique, form: str) -> None:
    name, address = unique("page"), f"{emulator.url}/_localstack/cloudformation/deploy"
    text = body(
        {"P": parameter(name, {"Ref": "In"})},
        Parameters={"In": {"Type": "String", "Default": "<b>"}},
    )
    client("s3").create_bucket(Bucket=name)
    client("s3").put_object(Bucket=name, Key="t.json", Body=text)
    template = {"templateURL": f"{emulator.url}/{name}/t.json"} if form == "url" else {"templateBody": text}

    def post(fields: dict[str, str]) -> str:
        data = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(address, data=data, headers={"Origin": emulator.url})
        with urllib.request.urlopen(request, timeout=60) as answer:
            # a browser must tell where its form comes from, or it is taken for a foreign page
            assert answer.headers["Referrer-Policy"] == "same-origin"
            return str(answer.read().decode())

    asked = post(template)
    assert 'name="param_In"' in asked
    assert "&lt;b&gt;" in asked
    done = post({**template, "stackName": name, "region": "us-east-1", "param_In": "typed"})
    assert "CREATE_COMPLETE" in done
    assert client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "typed"
    with pytest.raises(urllib.error.HTTPError) as caught:
        post({**template, "stackName": name})
    assert caught.value.code == 400
    assert "already exists" in caught.value.read().decode()
