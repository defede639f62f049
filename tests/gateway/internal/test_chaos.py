"""Trouble on purpose: fault rules and latency at `/_localstack/chaos`, and the settings that ask for errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator
from tests.gateway.internal.test_localstack_endpoints import call

FAULTS = "/_localstack/chaos/faults"
EFFECTS = "/_localstack/chaos/effects"


@pytest.fixture
def troubled(start_emulator: Callable[..., RunningEmulator]) -> RunningEmulator:
    return start_emulator()


def rules(emulator: RunningEmulator, method: str, body: Any = None) -> Any:
    status, answer = call(emulator, method, FAULTS, body)
    assert status == 200, answer
    return json.loads(answer)


def test_a_rule_hits_what_it_names(troubled: RunningEmulator) -> None:
    rule = {"service": "sqs", "operation": "ListQueues", "region": "us-east-1", "error": {"code": "Busy"}}
    assert rules(troubled, "GET") == []
    assert rules(troubled, "POST", [rule]) == [rule]
    with pytest.raises(ClientError) as refused:
        troubled.client("sqs").list_queues()
    assert refused.value.response["Error"]["Code"] == "Busy"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    troubled.client("sqs", region_name="eu-west-1").list_queues()
    troubled.client("sqs").create_queue(QueueName="q")
    assert rules(troubled, "DELETE", [rule]) == []
    troubled.client("sqs").list_queues()


@pytest.mark.parametrize(
    ("service", "operation"),
    [("sqs", "list_queues"), ("sns", "list_topics"), ("s3", "list_buckets"), ("dynamodb", "list_tables")],
)
def test_a_rule_that_names_nothing_hits_all_in_their_own_protocols(
    troubled: RunningEmulator, service: str, operation: str
) -> None:
    rules(troubled, "POST", [{}])
    with pytest.raises(ClientError) as refused:
        getattr(troubled.client(service), operation)()
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_rules_are_added_and_replaced(troubled: RunningEmulator) -> None:
    one, two = {"service": "s3", "probability": 0.0}, {"service": "kms", "error": {"statusCode": 429}}
    assert rules(troubled, "POST", [one]) == [one]
    assert rules(troubled, "PATCH", [two, one]) == [one, two]
    assert rules(troubled, "POST", [two]) == [two]
    with pytest.raises(ClientError) as refused:
        troubled.client("kms").list_keys()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    troubled.client("s3").list_buckets()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [{"probability": 2}],
        [{"servise": "s3"}],
        [{"error": {"statusCode": 200}}],
        [{"operation": "Put Object"}],
        None,
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_changes_nothing(emulator: RunningEmulator, body: Any) -> None:
    status, answer = call(emulator, "POST", FAULTS, body)
    assert status == 400
    assert json.loads(answer)["code"] == "request.invalid"
    assert rules(emulator, "GET") == []


def test_latency_is_told_and_does_not_change_answers(troubled: RunningEmulator) -> None:
    assert json.loads(call(troubled, "GET", EFFECTS)[1]) == {"latency": 0}
    assert json.loads(call(troubled, "POST", EFFECTS, {"latency": 20})[1]) == {"latency": 20}
    troubled.client("sqs").create_queue(QueueName="slow")
    assert len(troubled.client("sqs").list_queues()["QueueUrls"]) == 1
    rules(troubled, "POST", [{"service": "sqs"}])
    with pytest.raises(ClientError):
        troubled.client("sqs").list_queues()
    assert call(troubled, "POST", EFFECTS, {"latency": -1})[0] == 400


def test_dynamodb_throttles_as_the_setting_says(start_emulator: Callable[..., RunningEmulator]) -> None:
    emulator = start_emulator(DYNAMODB_WRITE_ERROR_PROBABILITY="1")
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(dynamodb.exceptions.ProvisionedThroughputExceededException):
        dynamodb.put_item(TableName="things", Item={"k": {"S": "1"}})
    assert dynamodb.scan(TableName="things")["Count"] == 0
    assert rules(emulator, "GET") == []
