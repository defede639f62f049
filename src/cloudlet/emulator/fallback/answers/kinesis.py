"""Kinesis: streams without a number of shards, sizes of records, iterators that are none."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError, ValidationError

LOG = logging.getLogger("cloudlet.fallback")
RECORD_BYTES = 1_048_576
ON_DEMAND_SHARDS = 4


def create_stream(asked: Asked) -> dict[str, Any]:
    """On demand with four shards, where neither mode nor shards are given."""
    request, name = asked.request, asked.request["StreamName"]
    with asked.state() as backend:
        if name in backend.streams:
            raise UnmodelledError(
                "ResourceInUseException", f"Stream {name} under account {asked.call.account_id} already exists."
            )
    mode = request.get("StreamModeDetails", {}).get("StreamMode")
    if request.get("ShardCount") is None:
        if mode == "PROVISIONED":
            raise UnmodelledError(
                "ValidationException", "ShardCount is required for a stream with PROVISIONED StreamMode"
            )
        return asked.proceed(StreamModeDetails={"StreamMode": "ON_DEMAND"}, ShardCount=ON_DEMAND_SHARDS)
    return asked.proceed()


def check_size(path: str, record: dict[str, Any]) -> None:
    if len(record["Data"]) > RECORD_BYTES:
        raise ValidationError(
            f"1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have length less "
            f"than or equal to {RECORD_BYTES}"
        )


def put_record(asked: Asked) -> dict[str, Any]:
    check_size("data", asked.request)
    answer = asked.proceed()
    forward(asked, [asked.request["Data"]])
    return answer


def put_records(asked: Asked) -> dict[str, Any]:
    for at, record in enumerate(asked.request["Records"], 1):
        check_size(f"records.{at}.member.data", record)
    answer = asked.proceed()
    forward(asked, [record["Data"] for record in asked.request["Records"]])
    return answer


def forward(asked: Asked, data: list[bytes]) -> None:
    """To the delivery streams that have this stream as their source. One that fails is logged."""
    if "firehose" not in asked.fallback.used:
        return
    call = asked.call
    name = asked.request.get("StreamName") or asked.request.get("StreamARN", "").rpartition("/")[2]
    backend = asked.engine.backend("firehose", call.account_id, call.region, call.partition)
    for delivery in tuple(backend.delivery_streams.values()):
        source = (delivery.source or {}).get("KinesisStreamARN", "")
        if source.rpartition("/")[2] == name:
            request = {
                "DeliveryStreamName": delivery.delivery_stream_name,
                "Records": [{"Data": content} for content in data],
            }
            try:
                asked.other("firehose", "PutRecordBatch", request)
            except AwsError as error:
                LOG.warning("%s could not take records of %s: %s", delivery.delivery_stream_name, name, error.message)


def position(asked: Asked, iterator: str) -> str:
    """An iterator as it is given out: moto's, made unlike every other."""
    plain = base64.b64decode(iterator).decode()
    return base64.b64encode(f"{plain}:{asked.call.ids.hex(32)}".encode()).decode()


def get_shard_iterator(asked: Asked) -> dict[str, Any]:
    answer = asked.proceed()
    return {**answer, "ShardIterator": position(asked, answer["ShardIterator"])}


def get_records(asked: Asked) -> dict[str, Any]:
    try:
        parts = base64.b64decode(asked.request["ShardIterator"]).decode().split(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnmodelledError("InvalidArgumentException", "Invalid ShardIterator.") from error
    if len(parts) < 3:
        raise UnmodelledError("InvalidArgumentException", "Invalid ShardIterator.")
    answer = asked.proceed(ShardIterator=base64.b64encode(":".join(parts[:3]).encode()).decode())
    if answer.get("NextShardIterator"):
        answer["NextShardIterator"] = position(asked, answer["NextShardIterator"])
    return answer


def register_stream_consumer(asked: Asked) -> dict[str, Any]:
    """A consumer's ARN ends with the time of its creation, and so is another one when it is made again."""
    with asked.state() as backend:
        answer = asked.proceed()
        arn = answer["Consumer"]["ConsumerARN"]
        for stream in backend.streams.values():
            for consumer in stream.consumers:
                if consumer.consumer_arn == arn and not arn.rpartition("/")[2].count(":"):
                    consumer.consumer_arn = f"{arn}:{int(asked.call.now)}"
                    answer["Consumer"]["ConsumerARN"] = consumer.consumer_arn
    answer["Consumer"]["ConsumerStatus"] = "CREATING"
    return answer


def of_a_consumer(asked: Asked) -> dict[str, Any]:
    """By an ARN of this region and account."""
    arn = asked.request.get("ConsumerARN") or asked.request.get("StreamARN") or ""
    parts = arn.split(":")
    if arn and parts[3:5] != [asked.call.region, asked.call.account_id]:
        raise UnmodelledError(
            "ResourceNotFoundException", f"Consumer {arn}, account {asked.call.account_id} not found."
        )
    return asked.proceed()


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateStream": create_stream,
        "PutRecord": put_record,
        "PutRecords": put_records,
        "GetShardIterator": get_shard_iterator,
        "GetRecords": get_records,
        "RegisterStreamConsumer": register_stream_consumer,
        "DescribeStreamConsumer": of_a_consumer,
        "DeregisterStreamConsumer": of_a_consumer,
    }
)
