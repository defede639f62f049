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
