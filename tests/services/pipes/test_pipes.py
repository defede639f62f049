"""Pipes read queues and streams, and deliver."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator

Client = Callable[..., Any]
Unique = Callable[..., str]
ROLE = "arn:aws:iam::000000000000:role/r"


def queue(client: Client, name: str, **attributes: str) -> tuple[str, str]:
    """URL and ARN."""
    url = client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"


def make(client: Client, name: str, source: str, target: str, **members: Any) -> str:
    arn: str = client("pipes").create_pipe(Name=name, Source=source, Target=target, RoleArn=ROLE, **members)["Arn"]
    return arn


class Inbox:
    """What has come into a queue so far."""

    def __init__(self, client: Client, emulator: RunningEmulator, url: str) -> None:
        self.client = client
        self.emulator = emulator
        self.url = url
        self.found: list[Any] = []

    def has(self, count: int) -> bool:
        def look() -> bool:
            answer = self.client("sqs").receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self.client("sqs").delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                self.found.append(json.loads(message["Body"]))
            return len(self.found) >= count

        return self.emulator.wait_until(look)


def function(client: Client, name: str, code: str) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    arn: str = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=30,
    )["FunctionArn"]
    return arn


def streaming_table(client: Client, name: str, view: str) -> dict[str, Any]:
    described: dict[str, Any] = client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )["TableDescription"]
    return described


def test_messages_are_filtered_and_transformed(client: Client, unique: Unique, emulator: RunningEmulator) -> None:
    name = unique("pipe")
    source, source_arn = queue(client, unique("source"))
    target, target_arn = queue(client, unique("target"))
    pipe = make(
        client,
        name,
        source_arn,
        target_arn,
        SourceParameters={
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps({"body": {"n": [{"numeric": [">", 1]}]}})}]}
        },
        TargetParameters={
            "InputTemplate": '{"n": <$.body.n>, "say": "n is <$.body.n>", "by": <aws.pipes.pipe-arn>, "id": <$.messageId>}'
        },
    )
    for number in (1, 2, 3):
        client("sqs").send_message(QueueUrl=source, MessageBody=json.dumps({"n": number}))
    inbox = Inbox(client, emulator, target)
    assert inbox.has(2)
    assert all(entry.pop("id") for entry in inbox.found)
    assert sorted(inbox.found, key=lambda entry: entry["n"]) == [
        {"n": number, "say": f"n is {number}", "by": pipe} for number in (2, 3)
    ]
    left = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def is_empty() -> bool:
        found = client("sqs").get_queue_attributes(QueueUrl=source, AttributeNames=list(left))["Attributes"]
        return [found[attribute] for attribute in left] == ["0", "0"]

    assert emulator.wait_until(is_empty)


def test_changes_of_a_table_become_events(client: Client, unique: Unique, emulator: RunningEmulator) -> None:
    name = unique("table")
    table = streaming_table(client, name, "NEW_IMAGE")
    client("dynamodb").put_item(TableName=name, Item={"id": {"S": "before"}})
    target, target_arn = queue(client, unique("target"))
    client("events").put_rule(Name=name, EventPattern=json.dumps({"source": [f"Pipe {name}"]}))
    client("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target_arn}])
    make(
        client,
        name,
        table["LatestStreamArn"],
        client("events").describe_event_bus()["Arn"],
        SourceParameters={"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON"}},
    )
    client("dynamodb").put_item(TableName=name, Item={"id": {"S": "after"}, "data": {"B": b"\x00"}})
    inbox = Inbox(client, emulator, target)
    assert inbox.has(2)
    assert [event["detail-type"] for event in inbox.found] == ["Event from aws:dynamodb"] * 2
    assert [event["detail"]["dynamodb"]["Keys"]["id"]["S"] for event in inbox.found] == ["before", "after"]
    assert inbox.found[1]["detail"]["dynamodb"]["NewImage"]["data"] == {"B": "AA=="}


def test_a_function_enriches(client: Client, unique: Unique, emulator: RunningEmulator) -> None:
    source, source_arn = queue(client, unique("source"))
    target, target_arn = queue(client, unique("target"))
    code = "import json\ndef handler(events, context):\n    return [{'twice': 2 * e['n']} for e in events if e['n']]\n"
    enrichment = function(client, unique("enrich"), code)
    make(
        client,
        unique("pipe"),
        source_arn,
        target_arn,
        Enrichment=enrichment,
        EnrichmentParameters={"InputTemplate": '{"n": <$.body.n>}'},
    )
    for number in (0, 4):
        client("sqs").send_message(QueueUrl=source, MessageBody=json.dumps({"n": number}))
    inbox = Inbox(client, emulator, target)
    assert inbox.has(1)
    assert inbox.found == [{"twice": 8}]


def test_kinesis_records_start_a_state_machine(client: Client, unique: Unique, emulator: RunningEmulator) -> None:
    name = unique("stream")
    client("kinesis").create_stream(StreamName=name, ShardCount=1)
    arn = client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})
    machines = client("stepfunctions")
    machine = machines.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    make(
        client,
        name,
        arn,
        machine,
        SourceParameters={
            "KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"},
            "FilterCriteria": {"Filters": [{"Pattern": json.dumps({"data": {"keep": [True]}})}]},
        },
        TargetParameters={"InputTemplate": '{"got": <$.data>}'},
    )
    for keep in (False, True):
        client("kinesis").put_record(StreamName=name, PartitionKey="k", Data=json.dumps({"keep": keep}).encode())
    assert emulator.wait_until(lambda: len(machines.list_executions(stateMachineArn=machine)["executions"]) == 1)
    execution = machines.list_executions(stateMachineArn=machine)["executions"][0]["executionArn"]
    assert json.loads(machines.describe_execution(executionArn=execution)["input"]) == [{"got": {"keep": True}}]


def test_a_stopped_pipe_reads_nothing_and_goes_on_later(
    client: Client, unique: Unique, emulator: RunningEmulator
) -> None:
    name = unique("pipe")
    source, source_arn = queue(client, unique("source"))
    target, target_arn = queue(client, unique("target"))
    make(client, name, source_arn, target_arn, DesiredState="STOPPED", TargetParameters={"InputTemplate": "<$.body>"})
    client("sqs").send_message(QueueUrl=source, MessageBody='{"n": 1}')
    assert client("pipes").describe_pipe(Name=name)["CurrentState"] == "STOPPED"
    assert client("pipes").start_pipe(Name=name)["CurrentState"] == "STARTING"
    inbox = Inbox(client, emulator, target)
    assert inbox.has(1)
    assert inbox.found == [{"n": 1}]
    assert client("pipes").stop_pipe(Name=name)["DesiredState"] == "STOPPED"


def test_pipes_go_on_after_a_restart(start_emulator: Callable[..., RunningEmulator]) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    source, source_arn = queue(emulator.client, "source")
    target, target_arn = queue(emulator.client, "target")
    make(emulator.client, "pipe", source_arn, target_arn, TargetParameters={"InputTemplate": "<$.body>"})
    emulator.stop()
    emulator.restart()
    emulator.client("sqs").send_message(QueueUrl=source, MessageBody='{"n": 1}')
    inbox = Inbox(emulator.client, emulator, target)
    assert inbox.has(1)
    assert inbox.found == [{"n": 1}]


def test_what_a_target_refuses_comes_back_or_is_given_up(
    client: Client, unique: Unique, emulator: RunningEmulator
) -> None:
    name = unique("table")
    table = streaming_table(client, name, "KEYS_ONLY")
    letters, letters_arn = queue(client, unique("letters"))
    pipe = make(
        client,
        name,
        table["LatestStreamArn"],
        "arn:aws:sqs:us-east-1:000000000000:not-there",
        SourceParameters={
            "DynamoDBStreamParameters": {
                "StartingPosition": "TRIM_HORIZON",
                "MaximumRetryAttempts": 0,
                "DeadLetterConfig": {"Arn": letters_arn},
            }
        },
    )
    client("dynamodb").put_item(TableName=name, Item={"id": {"S": "lost"}})
    inbox = Inbox(client, emulator, letters)
    assert inbox.has(1)
    assert inbox.found[0]["context"]["partnerResourceArn"] == pipe
    assert inbox.found[0]["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_pipe_is_described_changed_listed_and_deleted(client: Client, unique: Unique) -> None:
    pipes, name = client("pipes"), unique("pipe")
    _, source = queue(client, unique("source"))
    _, target = queue(client, unique("target"))
    made = pipes.create_pipe(
        Name=name, Source=source, Target=target, RoleArn=ROLE, DesiredState="STOPPED", Description="d", Tags={"a": "1"}
    )
    assert (made["CurrentState"], made["DesiredState"]) == ("CREATING", "STOPPED")
    found = pipes.describe_pipe(Name=name)
    assert found["Arn"] == f"arn:aws:pipes:us-east-1:000000000000:pipe/{name}"
    assert found["SourceParameters"] == {"SqsQueueParameters": {"BatchSize": 10}}
    assert (found["Description"], found["Tags"], found["CurrentState"]) == ("d", {"a": "1"}, "STOPPED")
    pipes.update_pipe(Name=name, RoleArn=ROLE, SourceParameters={"SqsQueueParameters": {"BatchSize": 3}})
    changed = pipes.describe_pipe(Name=name)
    assert changed["SourceParameters"] == {"SqsQueueParameters": {"BatchSize": 3}}
    assert changed["Description"] == "d"
    pipes.tag_resource(resourceArn=found["Arn"], tags={"b": "2"})
    pipes.untag_resource(resourceArn=found["Arn"], tagKeys=["a"])
    assert pipes.list_tags_for_resource(resourceArn=found["Arn"])["tags"] == {"b": "2"}
    listed = pipes.list_pipes(NamePrefix=name, SourcePrefix=source, CurrentState="STOPPED")["Pipes"]
    assert [(entry["Name"], entry["Target"]) for entry in listed] == [(name, target)]
    with pytest.raises(ClientError, match=f"Pipe {name} already exists"):
        make(client, name, source, target)
    assert pipes.delete_pipe(Name=name)["CurrentState"] == "DELETING"
    with pytest.raises(ClientError, match=f"Pipe {name} does not exist"):
        pipes.describe_pipe(Name=name)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Source": "arn:aws:sns:us-east-1:000000000000:topic"}, "source"),
        ({"Target": "arn:aws:rds:us-east-1:000000000000:db"}, "target"),
        ({"Source": "arn:aws:kinesis:us-east-1:000000000000:stream/s"}, "StartingPosition"),
        ({"Enrichment": "arn:aws:sqs:us-east-1:000000000000:q"}, "enrichment"),
        ({"SourceParameters": {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}}, "Empty objects are not allowed"),
    ],
)
def test_a_wrong_pipe_is_refused(client: Client, unique: Unique, members: dict[str, Any], message: str) -> None:
    good = {"Source": "arn:aws:sqs:us-east-1:000000000000:q", "Target": "arn:aws:sqs:us-east-1:000000000000:q"}
    with pytest.raises(ClientError, match=rf"ValidationException.*{message}"):
        client("pipes").create_pipe(Name=unique("wrong"), RoleArn=ROLE, **{**good, **members})
