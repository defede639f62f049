"""moto's code reaches native services, and native code reaches moto's."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]
ACCOUNT = "arn:aws:{}:us-east-1:000000000000:{}"


def receive(sqs: Any, url: str) -> str:
    messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    body: str = messages[0]["Body"]
    return body


def put_event(client: Client, source: str, detail: dict[str, Any]) -> None:
    entry = {"Source": source, "DetailType": "made", "Detail": json.dumps(detail)}
    assert client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def make_rule(client: Client, name: str, *targets: dict[str, Any]) -> None:
    client("events").put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    client("events").put_targets(Rule=name, Targets=list(targets))


def test_a_rule_delivers_to_a_queue(client: Client, unique: Unique) -> None:
    name, sqs = unique("rule"), client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    make_rule(client, name, {"Id": "1", "Arn": ACCOUNT.format("sqs", name)})
    put_event(client, name, {"a": 1})
    event = json.loads(receive(sqs, url))
    assert (event["source"], event["detail"], event["account"]) == (name, {"a": 1}, "000000000000")
    assert event["time"].endswith("Z")
    assert "ingestion-time" not in event


def test_a_target_gets_what_its_input_says(client: Client, unique: Unique) -> None:
    name, sqs = unique("rule"), client("sqs")
    arn = ACCOUNT.format("sqs", name)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    make_rule(client, name, {"Id": "1", "Arn": arn, "InputPath": "$.detail"})
    put_event(client, name, {"a": 1})
    assert json.loads(receive(sqs, url)) == {"a": 1}
    make_rule(client, name, {"Id": "1", "Arn": arn, "Input": '"fixed"'})
    put_event(client, name, {"a": 1})
    assert receive(sqs, url) == '"fixed"'
    transformer = {"InputPathsMap": {"value": "$.detail.a"}, "InputTemplate": '{"got": <value>}'}
    make_rule(client, name, {"Id": "1", "Arn": arn, "InputTransformer": transformer})
    put_event(client, name, {"a": 7})
    assert json.loads(receive(sqs, url)) == {"got": 7}


def test_a_rule_delivers_to_a_topic(client: Client, unique: Unique) -> None:
    name, sqs, sns = unique("rule"), client("sqs"), client("sns")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=ACCOUNT.format("sqs", name))
    make_rule(client, name, {"Id": "1", "Arn": topic})
    put_event(client, name, {"a": 1})
    assert json.loads(json.loads(receive(sqs, url))["Message"])["detail"] == {"a": 1}


def test_a_rule_goes_on_after_a_target_that_is_not_there(client: Client, unique: Unique) -> None:
    name, sqs = unique("rule"), client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    gone = {"Id": "0", "Arn": ACCOUNT.format("sqs", unique("gone"))}
    make_rule(client, name, gone, {"Id": "1", "Arn": ACCOUNT.format("sqs", name)})
    put_event(client, name, {})
    assert json.loads(receive(sqs, url))["source"] == name


def test_firehose_writes_into_a_bucket(client: Client, unique: Unique) -> None:
    name, s3 = unique("stream"), client("s3")
    s3.create_bucket(Bucket=name)
    destination = {"RoleARN": "arn:aws:iam::000000000000:role/any", "BucketARN": f"arn:aws:s3:::{name}"}
    client("firehose").create_delivery_stream(DeliveryStreamName=name, S3DestinationConfiguration=destination)
    client("firehose").put_record(DeliveryStreamName=name, Record={"Data": b"one"})
    (written,) = s3.list_objects_v2(Bucket=name)["Contents"]
    assert s3.get_object(Bucket=name, Key=written["Key"])["Body"].read() == b"one"


def test_logs_are_exported_into_a_bucket(client: Client, unique: Unique) -> None:
    name, s3, logs = unique("export"), client("s3"), client("logs")
    logs.create_log_group(logGroupName=name)
    now = int(time.time() * 1000)
    wanted = {"logGroupName": name, "fromTime": now - 1000, "to": now, "destination": name}
    with pytest.raises(ClientError, match="bucket"):
        logs.create_export_task(**wanted)
    s3.create_bucket(Bucket=name)
    logs.create_export_task(**wanted)
    assert s3.get_object(Bucket=name, Key="aws-logs-write-test")["Body"].read() == b"Permission Check Successful"


def test_the_clock_of_the_emulator_is_motos_too(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    body = json.dumps({"epoch": 2_000_000_000}).encode()
    urllib.request.urlopen(f"{emulator.url}/_cloudlet/clock/freeze", data=body, timeout=30).close()
    made = emulator.client("iam").create_user(UserName="later")["User"]["CreateDate"]
    assert made.timestamp() == 2_000_000_000
