"""Services that are not native, each through boto3 against the running emulator."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
AWS_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
SERVED_BY = "x-cloudlet-served-by"


def headers(answer: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return found


def test_roles_and_policies(client: Client, unique: Unique) -> None:
    iam, name = client("iam"), unique("role")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
    assert made["Arn"] == f"arn:aws:iam::000000000000:role/{name}"
    policy = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    iam.attach_role_policy(RoleName=name, PolicyArn=AWS_POLICY)
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert {entry["PolicyArn"] for entry in attached} == {policy, AWS_POLICY}


def test_an_error_has_the_form_of_its_protocol(client: Client, unique: Unique) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client("iam").get_role(RoleName=unique("none"))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client("secretsmanager").get_secret_value(SecretId=unique("none"))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client("lambda").get_function(FunctionName=unique("none"))
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        client("ec2").describe_instances(InstanceIds=["i-0123456789abcdef0"])


def test_what_a_key_encrypts_it_decrypts(client: Client) -> None:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"hello")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"hello"


def test_a_secret_changes_its_value(client: Client, unique: Unique) -> None:
    secrets, name = client("secretsmanager"), unique("secret")
    secrets.create_secret(Name=name, SecretString="old")
    secrets.put_secret_value(SecretId=name, SecretString="new")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "new"
    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "old"


def test_parameters_by_path(client: Client, unique: Unique) -> None:
    ssm, path = client("ssm"), "/" + unique("app")
    for name, value in (("a", "1"), ("deep/b", "2")):
        ssm.put_parameter(Name=f"{path}/{name}", Value=value, Type="String")
    found = ssm.get_parameters_by_path(Path=path, Recursive=True)["Parameters"]
    assert sorted(entry["Value"] for entry in found) == ["1", "2"]


def test_log_events_are_read_as_they_were_written(client: Client, unique: Unique) -> None:
    logs, group = client("logs"), unique("group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="stream")
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "one"}, {"timestamp": now + 1, "message": "two"}]
    logs.put_log_events(logGroupName=group, logStreamName="stream", logEvents=events)
    found = logs.get_log_events(logGroupName=group, logStreamName="stream")["events"]
    assert [entry["message"] for entry in found] == ["one", "two"]
    found = logs.filter_log_events(logGroupName=group, filterPattern="two")["events"]
    assert [entry["message"] for entry in found] == ["two"]


def test_metrics_come_back_over_cbor(client: Client, unique: Unique) -> None:
    metrics, namespace = client("cloudwatch"), unique("space")
    metrics.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "hits", "Value": 2.5}])
    found = metrics.list_metrics(Namespace=namespace)
    assert [entry["MetricName"] for entry in found["Metrics"]] == ["hits"]
    assert headers(found)[SERVED_BY] == "fallback"


def test_machines_networks_and_images(client: Client) -> None:
    ec2 = client("ec2")
    assert [entry["IsDefault"] for entry in ec2.describe_vpcs()["Vpcs"]] == [True]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    machine = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    assert ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["OwnerId"] == "000000000000"


def test_a_function_with_code_from_a_bucket(client: Client, unique: Unique) -> None:
    name, bucket = unique("function"), unique("code")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_object(Bucket=bucket, Key="code.zip", Body=packed.getvalue())
    made = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=f"arn:aws:iam::000000000000:role/{name}",
        Handler="app.handler",
        Code={"S3Bucket": bucket, "S3Key": "code.zip"},
    )
    assert made["CodeSize"] == len(packed.getvalue())


def test_every_answer_says_who_served_it(client: Client) -> None:
    assert headers(client("iam").list_users())[SERVED_BY] == "fallback"
    assert headers(client("sqs").list_queues())[SERVED_BY] == "native"
    with pytest.raises(ClientError) as caught:
        client("sqs").get_queue_url(QueueName="nothing-of-that-name")
    assert headers(caught.value.response)[SERVED_BY] == "native"


def test_answers_have_one_request_id_and_one_date(client: Client) -> None:
    found = client("iam").list_users()
    assert headers(found)["x-amzn-requestid"] == found["ResponseMetadata"]["RequestId"]
    assert "," not in headers(found)["date"].replace(", ", "")


def test_accounts_and_regions_are_apart(client: Client, unique: Unique) -> None:
    name, other = unique("user"), "111122223333"
    client("iam", account=other).create_user(UserName=name)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client("iam").get_user(UserName=name)
    found = client("iam", account=other).get_user(UserName=name)["User"]["Arn"]
    assert found == f"arn:aws:iam::{other}:user/{name}"
    arn = client("secretsmanager", account=other, region_name="eu-west-1").create_secret(Name=name)["ARN"]
    assert arn.startswith(f"arn:aws:secretsmanager:eu-west-1:{other}:secret:{name}")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client("secretsmanager", account=other).describe_secret(SecretId=name)


def test_what_nobody_has_answers_501_and_names_itself(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        client("ec2").describe_bundle_tasks()
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["Error"]["Code"] == "InternalFailure"
    assert "ec2.DescribeBundleTasks" in answer["Error"]["Message"]


def test_single_operations_of_a_native_service_do_not_fall_back(client: Client) -> None:
    with pytest.raises(ClientError, match=r"dynamodb\.DescribeGlobalTable is not implemented yet"):
        client("dynamodb").describe_global_table(GlobalTableName="any")


def test_services_run_side_by_side(client: Client, unique: Unique) -> None:
    secrets, parameters, name = client("secretsmanager"), client("ssm"), unique("many")

    def write(number: int) -> None:
        if number % 2:
            secrets.create_secret(Name=f"{name}-{number}", SecretString="x")
        else:
            parameters.put_parameter(Name=f"/{name}/{number}", Value="x", Type="String")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    found = parameters.get_parameters_by_path(Path=f"/{name}", MaxResults=10)["Parameters"]
    assert len(found) == 10
    pages = secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [name]}])
    assert sum(len(page["SecretList"]) for page in pages) == 20


def test_a_new_function_is_pending_and_has_the_members_that_aws_always_sends(client: Client, unique: Unique) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("main.py", "def handler(event, context): return event")
    made = client("lambda").create_function(
        FunctionName=unique("complete"),
        Runtime="python3.12",
        Handler="main.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"ZipFile": archive.getvalue()},
    )
    assert made["State"] == "Pending"
    found = client("lambda").get_function_configuration(FunctionName=made["FunctionName"])
    assert found["State"] == "Active"
    assert found["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{made['FunctionName']}"}
    assert found["RevisionId"]
    assert not {"VpcConfig", "KMSKeyArn"} & set(found)
