"""Event source mappings: made and changed, and what they do with queues and streams."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator
from tests.services.lambda_.conftest import TELL, Functions, Told, eventually

ONE_BY_ONE = """
import json, os
import boto3
def handler(event, context):
    sqs = boto3.client("sqs")
    failed = []
    for record in event["Records"]:
        body = record.get("body") or record["dynamodb"]["Keys"]["id"]["S"]
        name = record.get("messageId") or record["dynamodb"]["SequenceNumber"]
        sqs.send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps(body))
        if body.startswith("bad"):
            failed.append({"itemIdentifier": name})
    return {"batchItemFailures": failed}
"""


class Source:
    """A queue that a function reads."""

    def __init__(self, functions: Functions, name: str, function: str, **options: Any) -> None:
        self.sqs = functions.emulator.client("sqs")
        attributes = {"VisibilityTimeout": "30", **options.pop("Attributes", {})}
        self.url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        self.mapping = functions.aws.create_event_source_mapping(
            FunctionName=function, EventSourceArn=self.arn, **options
        )

    def send(self, *bodies: str) -> None:
        entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
        self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def size(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))


def telling(functions: Functions, told: Told, source: str = TELL, **options: Any) -> str:
    return functions.make(source, Environment={"Variables": {"TOLD": told.url}}, **options)


def table_of(functions: Functions) -> tuple[Any, str, str]:
    """Client, name and stream of a table."""
    client, name = functions.emulator.client("dynamodb"), functions.unique("table")
    made = client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return client, name, made["TableDescription"]["LatestStreamArn"]


def put(client: Any, table: str, *keys: str) -> None:
    for key in keys:
        client.put_item(TableName=table, Item={"id": {"S": key}, "bytes": {"B": b"xyz"}})


def test_messages_of_a_queue_call_the_function(functions: Functions, told: Told) -> None:
    source = Source(functions, functions.unique("queue"), telling(functions, told))
    assert (source.mapping["State"], source.mapping["BatchSize"]) == ("Creating", 10)
    attributes = {"x": {"DataType": "String", "StringValue": "1"}}
    source.sqs.send_message(QueueUrl=source.url, MessageBody="hello", MessageAttributes=attributes)
    record = told.take()["Records"][0]
    assert (record["body"], record["eventSource"], record["eventSourceARN"]) == ("hello", "aws:sqs", source.arn)
    assert record["messageAttributes"]["x"] == {
        "stringValue": "1",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    eventually(lambda: source.size() == 0)


def test_only_the_messages_that_failed_come_back(functions: Functions, told: Told) -> None:
    name = telling(functions, told, ONE_BY_ONE, Timeout=10)
    dead = Told(functions.emulator, functions.unique("dead"))
    redrive = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": "1"})
    source = Source(
        functions,
        functions.unique("queue"),
        name,
        Attributes={"VisibilityTimeout": "10", "RedrivePolicy": redrive},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    source.send("good", "bad")
    assert dead.message()["Body"] == "bad"
    eventually(lambda: source.size() == 0)


def test_a_batch_that_fails_comes_back_whole(functions: Functions, told: Told) -> None:
    name = telling(functions, told, Timeout=5)
    source = Source(functions, functions.unique("queue"), name, Attributes={"VisibilityTimeout": "5"})
    source.send("boom")
    counts = [int(told.take()["Records"][0]["attributes"]["ApproximateReceiveCount"]) for _ in range(2)]
    assert counts[0] < counts[1]
    functions.aws.delete_event_source_mapping(UUID=source.mapping["UUID"])


def test_filtered_messages_are_deleted(functions: Functions, told: Told) -> None:
    pattern = json.dumps({"body": {"kind": ["wanted"]}})
    source = Source(
        functions,
        functions.unique("queue"),
        telling(functions, told),
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )
    source.send('{"kind": "other"}', "no json", '{"kind": "wanted", "n": 1}')
    assert [json.loads(record["body"])["n"] for record in told.take()["Records"]] == [1]
    eventually(lambda: source.size() == 0)


def test_a_window_gathers_messages(functions: Functions, told: Told) -> None:
    source = Source(
        functions,
        functions.unique("queue"),
        telling(functions, told),
        BatchSize=12,
        MaximumBatchingWindowInSeconds=20,
    )
    source.send(*map(str, range(8)))
    source.send(*map(str, range(4)))
    assert len(told.take()["Records"]) == 12


def test_a_disabled_mapping_reads_nothing(functions: Functions, told: Told) -> None:
    source = Source(functions, functions.unique("queue"), telling(functions, told))
    uuid = source.mapping["UUID"]
    assert functions.aws.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    eventually(lambda: functions.aws.get_event_source_mapping(UUID=uuid)["State"] == "Disabled")
    assert functions.aws.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    source.send("hello")
    assert told.take()["Records"][0]["body"] == "hello"
    assert functions.aws.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        functions.aws.get_event_source_mapping(UUID=uuid)


def test_mappings_are_listed_by_function_and_source(functions: Functions) -> None:
    name = functions.make()
    source = Source(functions, functions.unique("queue"), name, Enabled=False)
    uuid = source.mapping["UUID"]
    by_function = functions.aws.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    by_source = functions.aws.list_event_source_mappings(EventSourceArn=source.arn)["EventSourceMappings"]
    assert source.mapping["State"] == "Disabled"
    assert [entry["UUID"] for entry in by_function] == [entry["UUID"] for entry in by_source] == [uuid]
    with pytest.raises(
        ClientError, match=f"already exists. Please update or delete the existing mapping with UUID {uuid}"
    ):
        functions.aws.create_event_source_mapping(FunctionName=name, EventSourceArn=source.arn)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"EventSourceArn": None}, "InvalidParameterValueException", "Unrecognized event source."),
        ({"FunctionName": "not-there"}, "InvalidParameterValueException", "Function does not exist"),
        ({"StartingPosition": "LATEST"}, "InvalidParameterValueException", "StartingPosition is not valid for SQS"),
        ({"BatchSize": 11}, "InvalidParameterValueException", "Maximum batch window in seconds must be greater than 0"),
        (
            {"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:not-there"},
            "InvalidParameterValueException",
            "SQS Error Code: AWS.SimpleQueueService.NonExistentQueue",
        ),
        (
            {"EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t-x/stream/2026-01-01T00:00:00.000"},
            "InvalidParameterValueException",
            "Value null at 'startingPosition'",
        ),
        (
            {
                "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/not-there",
                "StartingPosition": "LATEST",
            },
            "InvalidParameterValueException",
            "Stream not found: arn:aws:kinesis",
        ),
        (
            {"FilterCriteria": {"Filters": [{"Pattern": "{"}]}},
            "InvalidParameterValueException",
            "Invalid filter pattern definition.",
        ),
    ],
)
def test_what_cannot_be_mapped(functions: Functions, change: dict[str, Any], code: str, words: str) -> None:
    queue = functions.unique("queue")
    functions.emulator.client("sqs").create_queue(QueueName=queue)
    request = {
        "FunctionName": functions.make(),
        "EventSourceArn": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
        **change,
    }
    with pytest.raises(ClientError, match=re.escape(words)) as caught:
        functions.aws.create_event_source_mapping(**{name: value for name, value in request.items() if value})
    assert caught.value.response["Error"]["Code"] == code


def test_a_queue_must_hide_messages_as_long_as_the_function_runs(functions: Functions) -> None:
    with pytest.raises(ClientError, match="Queue visibility timeout: 30 seconds is less than Function timeout: 40"):
        Source(functions, functions.unique("queue"), functions.make(Timeout=40))


def test_changes_of_a_table_call_the_function(functions: Functions, told: Told) -> None:
    client, table, stream = table_of(functions)
    put(client, table, "before")
    name = telling(functions, told)
    made = functions.aws.create_event_source_mapping(
        FunctionName=name, EventSourceArn=stream, StartingPosition="TRIM_HORIZON"
    )
    assert (made["BatchSize"], made["StateTransitionReason"], made["MaximumRetryAttempts"]) == (100, "User action", -1)
    record = told.take()["Records"][0]
    assert (record["eventName"], record["eventSource"], record["eventSourceARN"]) == ("INSERT", "aws:dynamodb", stream)
    assert record["dynamodb"]["NewImage"] == {"id": {"S": "before"}, "bytes": {"B": "eHl6"}}
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)
    put(client, table, "after")
    assert told.take()["Records"][0]["dynamodb"]["Keys"] == {"id": {"S": "after"}}


def test_latest_means_from_now_on(functions: Functions, told: Told) -> None:
    client, table, stream = table_of(functions)
    put(client, table, "before")
    functions.aws.create_event_source_mapping(
        FunctionName=telling(functions, told), EventSourceArn=stream, StartingPosition="LATEST"
    )
    put(client, table, "after")
    records = told.take()["Records"]
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in records] == ["after"]


def test_changes_are_filtered(functions: Functions, told: Told) -> None:
    client, table, stream = table_of(functions)
    pattern = json.dumps({"dynamodb": {"Keys": {"id": {"S": [{"prefix": "yes"}]}}}})
    functions.aws.create_event_source_mapping(
        FunctionName=telling(functions, told),
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )
    put(client, table, "no-1", "yes-2")
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in told.take()["Records"]] == ["yes-2"]


def test_a_batch_that_is_given_up_is_told_of(functions: Functions, told: Told) -> None:
    client, table, stream = table_of(functions)
    given_up = Told(functions.emulator, functions.unique("given-up"))
    functions.aws.create_event_source_mapping(
        FunctionName=telling(functions, told),
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": given_up.arn}},
    )
    put(client, table, "boom")
    record = given_up.take()
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["DDBStreamBatchInfo"]["batchSize"] == 1
    assert record["DDBStreamBatchInfo"]["streamArn"] == stream
    told.take()
    told.take()
    put(client, table, "next")
    assert told.take()["Records"][0]["dynamodb"]["Keys"] == {"id": {"S": "next"}}


def test_a_stream_goes_on_at_the_first_record_that_failed(functions: Functions, told: Told) -> None:
    client, table, stream = table_of(functions)
    put(client, table, "good", "bad", "last")
    functions.aws.create_event_source_mapping(
        FunctionName=telling(functions, told, ONE_BY_ONE),
        EventSourceArn=stream,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    assert [told.take() for _ in range(5)] == ["good", "bad", "last", "bad", "last"]


def test_records_of_kinesis_call_the_function(functions: Functions, told: Told, client: Any) -> None:
    kinesis, name = client("kinesis"), functions.unique("stream")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    arn = f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}"
    functions.aws.create_event_source_mapping(
        FunctionName=telling(functions, told), EventSourceArn=arn, StartingPosition="TRIM_HORIZON"
    )
    kinesis.put_record(StreamName=name, PartitionKey="p", Data=b"hello")
    record = told.take()["Records"][0]
    assert (record["eventSource"], record["kinesis"]["data"], record["kinesis"]["partitionKey"]) == (
        "aws:kinesis",
        "aGVsbG8=",
        "p",
    )
    assert record["eventID"].startswith("shardId-000000000000:")


def test_a_mapping_goes_on_after_a_restart(
    start_emulator: Callable[..., RunningEmulator], unique: Callable[..., str]
) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    functions, told = Functions(emulator, unique), Told(emulator, "told")
    name = telling(functions, told)
    client, table, stream = table_of(functions)
    functions.aws.create_event_source_mapping(FunctionName=name, EventSourceArn=stream, StartingPosition="TRIM_HORIZON")
    put(client, table, "one")
    assert told.take()["Records"][0]["dynamodb"]["Keys"] == {"id": {"S": "one"}}
    eventually(
        lambda: functions.aws.list_event_source_mappings()["EventSourceMappings"][0]["LastProcessingResult"] == "OK"
    )
    emulator.stop()
    emulator.restart()
    put(client, table, "two")
    assert told.take()["Records"][0]["dynamodb"]["Keys"] == {"id": {"S": "two"}}
