"""DynamoDB Streams: streams of tables, and the changes in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def dynamodb(client: Callable[..., Any]) -> Any:
    return client("dynamodb")


@pytest.fixture
def streams(client: Callable[..., Any]) -> Any:
    return client("dynamodbstreams")


@pytest.fixture
def make_table(dynamodb: Any, unique: Callable[..., str]) -> Callable[[str], tuple[str, str]]:
    """`make_table("NEW_IMAGE")`: name and stream ARN of a table with key `pk`."""

    def make(view: str) -> tuple[str, str]:
        name = unique("streamed")
        created = dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )
        return name, created["TableDescription"]["LatestStreamArn"]

    return make


def shard_of(streams: Any, arn: str) -> str:
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    shard_id: str = shard["ShardId"]
    return shard_id


def read(streams: Any, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> list[dict[str, Any]]:
    shard = shard_of(streams, arn)
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)
    records: list[dict[str, Any]] = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return records


def change(dynamodb: Any, table: str) -> None:
    """An item comes, changes, is written without a change, and goes."""
    item = {"pk": {"S": "a"}, "b": {"B": b"\x00\xff"}, "s": {"SS": ["x", "y"]}}
    dynamodb.put_item(TableName=table, Item=item)
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "a"}},
        UpdateExpression="ADD n :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
    )
    dynamodb.put_item(TableName=table, Item={**item, "s": {"SS": ["y", "x"]}, "n": {"N": "1.0"}})
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}})
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}})


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", [set(), set(), set()]),
        ("NEW_IMAGE", [{"NewImage"}, {"NewImage"}, set()]),
        ("OLD_IMAGE", [set(), {"OldImage"}, {"OldImage"}]),
        ("NEW_AND_OLD_IMAGES", [{"NewImage"}, {"NewImage", "OldImage"}, {"OldImage"}]),
    ],
)
def test_changes_come_in_order_with_their_images(
    dynamodb: Any,
    streams: Any,
    make_table: Callable[[str], tuple[str, str]],
    view: str,
    images: list[set[str]],
) -> None:
    table, arn = make_table(view)
    change(dynamodb, table)
    records = read(streams, arn)
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert [record["dynamodb"].keys() & {"NewImage", "OldImage"} for record in records] == images
    assert all(record["dynamodb"]["Keys"] == {"pk": {"S": "a"}} for record in records)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(set(numbers))
    if view == "NEW_AND_OLD_IMAGES":
        assert records[2]["dynamodb"]["OldImage"]["b"] == {"B": b"\x00\xff"}


def test_iterators_stand_where_they_were_told(
    dynamodb: Any, streams: Any, make_table: Callable[[str], tuple[str, str]]
) -> None:
    table, arn = make_table("KEYS_ONLY")
    for pk in ("a", "b", "c"):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": pk}})
    second = read(streams, arn)[1]["dynamodb"]["SequenceNumber"]

    def keys(kind: str, **more: Any) -> list[str]:
        return [record["dynamodb"]["Keys"]["pk"]["S"] for record in read(streams, arn, kind, **more)]

    assert keys("AT_SEQUENCE_NUMBER", SequenceNumber=second) == ["b", "c"]
    assert keys("AFTER_SEQUENCE_NUMBER", SequenceNumber=second) == ["c"]
    assert keys("LATEST") == []
    shard = shard_of(streams, arn)
    latest = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "d"}})
    page = streams.get_records(ShardIterator=latest)
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in page["Records"]] == ["d"]
    assert streams.get_records(ShardIterator=page["NextShardIterator"])["Records"] == []


def test_pages_of_records_go_on(dynamodb: Any, streams: Any, make_table: Callable[[str], tuple[str, str]]) -> None:
    table, arn = make_table("KEYS_ONLY")
    for number in range(5):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": str(number)}})
    shard = shard_of(streams, arn)
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    found: list[str] = []
    for _ in range(3):
        page = streams.get_records(ShardIterator=iterator, Limit=2)
        found += [record["dynamodb"]["Keys"]["pk"]["S"] for record in page["Records"]]
        iterator = page["NextShardIterator"]
    assert found == ["0", "1", "2", "3", "4"]


def test_closed_stream_is_read_to_its_end(
    dynamodb: Any, streams: Any, make_table: Callable[[str], tuple[str, str]]
) -> None:
    table, arn = make_table("KEYS_ONLY")
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}})
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "b"}})
    assert streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    shard = shard_of(streams, arn)
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    page = streams.get_records(ShardIterator=iterator["ShardIterator"])
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in page["Records"]] == ["a"]
    assert "NextShardIterator" not in page
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    assert len(streams.list_streams(TableName=table)["Streams"]) == 2


def test_streams_are_listed_in_pages(streams: Any, make_table: Callable[[str], tuple[str, str]]) -> None:
    made = {make_table("KEYS_ONLY")[1] for _ in range(3)}
    found: set[str] = set()
    start: dict[str, Any] = {}
    while True:
        page = streams.list_streams(Limit=2, **start)
        found |= {stream["StreamArn"] for stream in page["Streams"]}
        if "LastEvaluatedStreamArn" not in page:
            break
        start = {"ExclusiveStartStreamArn": page["LastEvaluatedStreamArn"]}
    assert made <= found


def test_transaction_is_in_the_stream_whole(
    dynamodb: Any, streams: Any, make_table: Callable[[str], tuple[str, str]]
) -> None:
    table, arn = make_table("KEYS_ONLY")
    puts = [{"Put": {"TableName": table, "Item": {"pk": {"S": pk}}}} for pk in ("a", "b")]
    dynamodb.transact_write_items(TransactItems=puts)
    failing = {"ConditionCheck": {"TableName": table, "Key": {"pk": {"S": "x"}}, "ConditionExpression": "pk = pk2"}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": {"pk": {"S": "c"}}}}, failing]
        )
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in read(streams, arn)] == ["a", "b"]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (
            "arn:aws:dynamodb:us-east-1:000000000000:table/nowhere/stream/2024-01-01T00:00:00.000",
            "ResourceNotFoundException",
        ),
        ("arn:aws:dynamodb:us-east-1:000000000000:nonsense", "ValidationException"),
    ],
)
def test_stream_that_is_not_there(streams: Any, arn: str, code: str) -> None:
    with pytest.raises(streams.exceptions.ClientError) as caught:
        streams.describe_stream(StreamArn=arn)
    assert caught.value.response["Error"]["Code"] == code


def test_nonsense_is_no_iterator(streams: Any) -> None:
    with pytest.raises(streams.exceptions.ClientError) as caught:
        streams.get_records(ShardIterator="nonsense")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
