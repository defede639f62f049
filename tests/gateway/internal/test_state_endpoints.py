"""`/_localstack/state/*`, `/_localstack/resources`, and the endpoints about the running emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml

from tests.gateway.internal.test_localstack_endpoints import SPECIFICATION, call, get

Start = Callable[..., Any]


def lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def test_one_service_is_forgotten_and_the_others_stay(start_emulator: Start) -> None:
    emulator = start_emulator()
    s3, sqs, iam = (emulator.client(name) for name in ("s3", "sqs", "iam"))
    s3.create_bucket(Bucket="gone")
    s3.put_object(Bucket="gone", Key="large", Body=b"x" * 200_000)
    sqs.create_queue(QueueName="stays")
    iam.create_user(UserName="stays")
    assert call(emulator, "POST", "/_localstack/state/s3/reset") == (200, b"")
    assert s3.list_buckets()["Buckets"] == []
    assert len(sqs.list_queues()["QueueUrls"]) == 1
    s3.create_bucket(Bucket="gone")
    s3.put_object(Bucket="gone", Key="large", Body=b"y" * 200_000)
    assert s3.get_object(Bucket="gone", Key="large")["Body"].read() == b"y" * 200_000
    assert call(emulator, "POST", "/_localstack/state/iam/reset") == (200, b"")
    assert iam.list_users()["Users"] == []
    assert call(emulator, "POST", "/_localstack/state/no-such-service/reset") == (404, b"")


def test_saving_says_what_became_of_each_service(start_emulator: Start) -> None:
    emulator = start_emulator(PERSISTENCE="1", SNAPSHOT_FLUSH_INTERVAL="3600")
    emulator.client("sqs").create_queue(QueueName="kept")
    emulator.client("iam").create_user(UserName="kept")
    status, body = call(emulator, "POST", "/_localstack/state/save")
    assert status == 200
    assert lines(body) == [{"service": "iam", "status": "ok"}, {"service": "sqs", "status": "ok"}]
    assert call(emulator, "POST", "/_localstack/state/iam/save") == (200, b"")
    assert call(emulator, "POST", "/_localstack/state/nothing/save") == (404, b"")
    emulator.client("iam").create_user(UserName="later")
    status, body = call(emulator, "POST", "/_localstack/state/load", {"start": True})
    assert lines(body) == [{"service": "iam", "status": "ok"}, {"service": "sqs", "status": "ok"}]
    assert [user["UserName"] for user in emulator.client("iam").list_users()["Users"]] == ["kept"]


def test_without_a_volume_saving_says_so(start_emulator: Start) -> None:
    emulator = start_emulator()
    emulator.client("sqs").list_queues()
    (line,) = lines(call(emulator, "POST", "/_localstack/state/save")[1])
    assert (line["service"], line["status"]) == ("sqs", "error")
    assert "PERSISTENCE=1" in line["message"]
    status, body = call(emulator, "POST", "/_localstack/state/sqs/save")
    assert (status, json.loads(body)["status"]) == (500, "error")


def test_resources_are_listed_a_type_a_line(start_emulator: Start) -> None:
    emulator = start_emulator()
    emulator.client("s3").create_bucket(Bucket="mine")
    emulator.client("sqs", account="111122223333", region_name="eu-west-1").create_queue(QueueName="theirs")
    emulator.client("iam").create_role(RoleName="actor", AssumeRolePolicyDocument="{}")
    status, body = call(emulator, "GET", "/_localstack/resources")
    assert status == 200
    found = {kind: entries for line in lines(body) for kind, entries in line.items()}
    assert found["AWS::S3::Bucket"] == [{"region_name": "us-east-1", "account_id": "000000000000", "id": "mine"}]
    assert found["AWS::SQS::Queue"] == [{"region_name": "eu-west-1", "account_id": "111122223333", "id": "theirs"}]
    assert [entry["id"] for entry in found["AWS::IAM::Role"]] == ["actor"]
    assert "AWS::IAM::ManagedPolicy" not in found


def test_stacks_are_among_the_resources(start_emulator: Start) -> None:
    emulator = start_emulator()
    body = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    cloudformation = emulator.client("cloudformation", region_name="eu-west-1")
    for name in ("there", "gone"):
        cloudformation.create_stack(StackName=name, TemplateBody=body)
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name)
    cloudformation.delete_stack(StackName="gone")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="gone")
    found = {
        kind: entries
        for line in lines(call(emulator, "GET", "/_localstack/resources")[1])
        for kind, entries in line.items()
    }
    there = {"region_name": "eu-west-1", "account_id": "000000000000", "id": "there"}
    assert found["AWS::CloudFormation::Stack"] == [there]
    assert len(found["AWS::SQS::Queue"]) == 1


def test_diagnose_and_usage_are_hidden_without_debug(emulator: Any) -> None:
    assert call(emulator, "GET", "/_localstack/diagnose") == (404, b"")
    assert call(emulator, "GET", "/_localstack/usage") == (404, b"")


def test_diagnose_fits_the_published_schema(start_emulator: Start) -> None:
    emulator = start_emulator(DEBUG="1")
    emulator.client("iam").list_users()
    report = get(emulator, "/_localstack/diagnose")
    assert report["services"]["iam"] == "running"
    assert get(emulator, "/_localstack/usage")["fallback_services"] == ["iam"]
    check(report, "/_localstack/diagnose")


def test_stackinfo_counts_the_calls(start_emulator: Start) -> None:
    emulator = start_emulator()
    emulator.client("sqs").list_queues()
    info = get(emulator, "/_localstack/stackinfo")
    assert (info["number_of_api_calls_success"], info["number_of_services"]) == (1, 1)
    check(info, "/_localstack/stackinfo")


def test_licenseinfo_is_not_there_without_a_license(emulator: Any) -> None:
    assert call(emulator, "GET", "/_localstack/licenseinfo") == (404, b"")


def check(answer: Any, path: str) -> None:
    if not SPECIFICATION.is_file():
        pytest.skip(f"the specification {SPECIFICATION.name} is not beside this checkout")
    document = yaml.safe_load(SPECIFICATION.read_text())
    responses = document["paths"][path]["get"]["responses"]
    schema = responses.get("200", responses.get(200))["content"]["application/json"]["schema"]
    jsonschema.validate(answer, {**schema, "components": document["components"]})
