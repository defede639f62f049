"""CloudFormation stacks of native and of moto's resources."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


def template(name: str) -> dict[str, Any]:
    table = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    resources = {
        "Bucket": ("AWS::S3::Bucket", {"BucketName": name, "VersioningConfiguration": {"Status": "Enabled"}}),
        "Queue": ("AWS::SQS::Queue", {"QueueName": name, "VisibilityTimeout": 40}),
        "Topic": ("AWS::SNS::Topic", {"TopicName": name}),
        "Link": (
            "AWS::SNS::Subscription",
            {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
                "RawMessageDelivery": True,
            },
        ),
        "Table": ("AWS::DynamoDB::Table", table),
        "Role": ("AWS::IAM::Role", {"RoleName": name, "AssumeRolePolicyDocument": {"Version": "2012-10-17"}}),
        "Group": ("AWS::Logs::LogGroup", {"LogGroupName": name}),
    }
    return {
        "Resources": {key: {"Type": kind, "Properties": properties} for key, (kind, properties) in resources.items()},
        "Outputs": {
            "QueueUrl": {"Value": {"Ref": "Queue"}},
            "TableArn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}},
            "RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
        },
    }


def outputs(cloudformation: Any, name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}


@pytest.fixture
def stack(client: Client, unique: Unique) -> str:
    """The name of a stack, and of everything in it."""
    name = unique("stack")
    body = json.dumps(template(name))
    client("cloudformation").create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    return name


def test_a_stack_makes_native_resources(client: Client, stack: str) -> None:
    found = outputs(client("cloudformation"), stack)
    assert found["TableArn"] == f"arn:aws:dynamodb:us-east-1:000000000000:table/{stack}"
    assert found["RoleArn"] == f"arn:aws:iam::000000000000:role/{stack}"
    assert client("s3").get_bucket_versioning(Bucket=stack)["Status"] == "Enabled"
    sqs = client("sqs")
    assert sqs.get_queue_url(QueueName=stack)["QueueUrl"] == found["QueueUrl"]
    client("dynamodb").put_item(TableName=stack, Item={"id": {"S": "1"}})
    client("sns").publish(TopicArn=f"arn:aws:sns:us-east-1:000000000000:{stack}", Message="hello")
    messages = sqs.receive_message(QueueUrl=found["QueueUrl"], WaitTimeSeconds=10)["Messages"]
    assert messages[0]["Body"] == "hello"
    groups = client("logs").describe_log_groups(logGroupNamePrefix=stack)["logGroups"]
    assert [group["logGroupName"] for group in groups] == [stack]


def test_an_update_changes_native_resources(client: Client, stack: str) -> None:
    cloudformation, sqs = client("cloudformation"), client("sqs")
    changed = copy.deepcopy(template(stack))
    changed["Resources"]["Queue"]["Properties"]["VisibilityTimeout"] = 50
    changed["Resources"]["Bucket"]["Properties"]["Tags"] = [{"Key": "team", "Value": "blue"}]
    del changed["Resources"]["Link"]
    changed["Resources"]["More"] = {"Type": "AWS::SQS::Queue"}
    body = json.dumps(changed)
    cloudformation.update_stack(StackName=stack, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
    url = outputs(cloudformation, stack)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes == {"VisibilityTimeout": "50"}
    assert client("s3").get_bucket_tagging(Bucket=stack)["TagSet"] == [{"Key": "team", "Value": "blue"}]
    topic = f"arn:aws:sns:us-east-1:000000000000:{stack}"
    assert client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    assert len(sqs.list_queues(QueueNamePrefix=f"{stack}-More")["QueueUrls"]) == 1


def test_deleting_a_stack_deletes_native_resources(client: Client, stack: str) -> None:
    client("cloudformation").delete_stack(StackName=stack)
    with pytest.raises(ClientError, match="does not exist"):
        client("cloudformation").describe_stacks(StackName=stack)
    with pytest.raises(ClientError, match="404"):
        client("s3").head_bucket(Bucket=stack)
    with pytest.raises(ClientError, match="NonExistentQueue"):
        client("sqs").get_queue_url(QueueName=stack)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client("dynamodb").describe_table(TableName=stack)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client("iam").get_role(RoleName=stack)


def test_a_template_comes_from_a_bucket(client: Client, unique: Unique) -> None:
    name = unique("stack")
    client("s3").create_bucket(Bucket=name + "-t")
    body = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}}}
    client("s3").put_object(Bucket=name + "-t", Key="t.json", Body=json.dumps(body))
    client("cloudformation").create_stack(StackName=name, TemplateURL=f"https://s3.amazonaws.com/{name}-t/t.json")
    assert name in client("sqs").get_queue_url(QueueName=name)["QueueUrl"]


def test_a_type_that_nobody_makes_leaves_the_rest(client: Client, unique: Unique) -> None:
    name = unique("stack")
    body = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}},
            "Plan": {"Type": "AWS::Backup::BackupPlan"},
        },
        "Outputs": {"Plan": {"Value": {"Fn::GetAtt": ["Plan", "Arn"]}}},
    }
    client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))
    assert "unsupported" in outputs(client("cloudformation"), name)["Plan"]
    client("cloudformation").delete_stack(StackName=name)
    with pytest.raises(ClientError, match="NonExistentQueue"):
        client("sqs").get_queue_url(QueueName=name)
