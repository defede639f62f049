"""Kinesis: streams without a number of shards, sizes of records, iterators that are none."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import UnmodelledError, ValidationError

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
    return asked.proceed()


def put_records(asked: Asked) -> dict[str, Any]:
    for at, record in enumerate(asked.request["Records"], 1):
        check_size(f"records.{at}.member.data", record)
    return asked.proceed()


def get_records(asked: Asked) -> dict[str, Any]:
    try:
        parts = base64.b64decode(asked.request["ShardIterator"]).decode().split(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnmodelledError("InvalidArgumentException", "Invalid ShardIterator.") from error
    if len(parts) < 3:
        raise UnmodelledError("InvalidArgumentException", "Invalid ShardIterator.")
    return asked.proceed()


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
        "GetRecords": get_records,
        "RegisterStreamConsumer": register_stream_consumer,
        "DescribeStreamConsumer": of_a_consumer,
        "DeregisterStreamConsumer": of_a_consumer,
    }
)
