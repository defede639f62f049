"""Kinesis: streams without shards given, sizes, iterators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_stream_without_shards_is_on_demand(client: Client, unique: Unique) -> None:
    kinesis, name = client("kinesis"), unique("stream")
    kinesis.create_stream(StreamName=name)
    found = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert (found["StreamModeDetails"]["StreamMode"], found["OpenShardCount"]) == ("ON_DEMAND", 4)
    assert refused(kinesis.create_stream, StreamName=name) == (
        "ResourceInUseException",
        f"Stream {name} under account 000000000000 already exists.",
    )


def test_records_have_a_size(client: Client, unique: Unique) -> None:
    kinesis, name = client("kinesis"), unique("stream")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    large = b"x" * 1_048_577
    code, message = refused(kinesis.put_record, StreamName=name, Data=large, PartitionKey="a")
    assert code == "ValidationException"
    assert "less than or equal to 1048576" in message
    records = [{"Data": large, "PartitionKey": "a"}]
    assert "'records.1.member.data'" in refused(kinesis.put_records, StreamName=name, Records=records)[1]


def test_an_iterator_that_is_none(client: Client) -> None:
    assert refused(client("kinesis").get_records, ShardIterator="x")[0] == "InvalidArgumentException"


def test_iterators_are_given_out_once(client: Client, unique: Unique) -> None:
    kinesis, name = client("kinesis"), unique("stream")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    shard = kinesis.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    wanted = {"StreamName": name, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    first, second = (kinesis.get_shard_iterator(**wanted)["ShardIterator"] for _ in range(2))
    assert first != second
    kinesis.put_record(StreamName=name, Data=b"1", PartitionKey="a")
    answer = kinesis.get_records(ShardIterator=first)
    assert [record["Data"] for record in answer["Records"]] == [b"1"]
    following = kinesis.get_records(ShardIterator=answer["NextShardIterator"])
    assert following["Records"] == []
    assert following["NextShardIterator"] != answer["NextShardIterator"]


def test_a_consumer_has_an_arn_with_its_time(client: Client, unique: Unique) -> None:
    kinesis, name = client("kinesis"), unique("stream")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    made = kinesis.register_stream_consumer(StreamARN=stream, ConsumerName="c")["Consumer"]
    assert made["ConsumerStatus"] == "CREATING"
    assert made["ConsumerARN"].rpartition(":")[2].isdigit()
    found = kinesis.describe_stream_consumer(ConsumerARN=made["ConsumerARN"])["ConsumerDescription"]
    assert found["ConsumerStatus"] == "ACTIVE"
    elsewhere = made["ConsumerARN"].replace("us-east-1", "eu-west-1")
    assert refused(kinesis.describe_stream_consumer, ConsumerARN=elsewhere)[0] == "ResourceNotFoundException"


def test_a_delivery_stream_takes_from_its_source(client: Client, unique: Unique) -> None:
    kinesis, s3, name = client("kinesis"), client("s3"), unique("stream")
    s3.create_bucket(Bucket=name)
    kinesis.create_stream(StreamName=name, ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    role = "arn:aws:iam::000000000000:role/x"
    client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration={"KinesisStreamARN": arn, "RoleARN": role},
        ExtendedS3DestinationConfiguration={"BucketARN": f"arn:aws:s3:::{name}", "RoleARN": role},
    )
    kinesis.put_record(StreamName=name, Data=b"one", PartitionKey="a")
    (written,) = s3.list_objects_v2(Bucket=name)["Contents"]
    assert s3.get_object(Bucket=name, Key=written["Key"])["Body"].read() == b"one"
