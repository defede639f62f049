"""Streams: ListStreams and DescribeStream."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.dynamodbstreams.api import (
    DescribeStreamInput,
    DescribeStreamOutput,
    ListStreamsInput,
    ListStreamsOutput,
    ResourceNotFoundException,
)
from cloudlet.emulator.services.dynamodbstreams.errors import ValidationException, too_large

ARN: Final = re.compile(r"arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/([a-zA-Z0-9_.-]+)/stream/(.+)")
LISTED: Final = 100


def parse_arn(arn: str) -> tuple[str, str]:
    """Table and label. Raises ValidationException."""
    found = ARN.fullmatch(arn)
    if found is None:
        raise ValidationException(f"Invalid StreamArn: {arn}")
    return found[1], found[2]


def find_stream(call: Call, arn: str) -> dict[str, Any]:
    """The stream as DynamoDB tells of it. Raises ResourceNotFoundException."""
    table, label = parse_arn(arn)
    if not arn.startswith(f"arn:{call.partition}:dynamodb:{call.region}:{call.account_id}:"):
        raise ValidationException(f"Invalid StreamArn: {arn}")
    answer = call.invoke("dynamodb", "FindStream", {"TableName": table, "Label": label})
    stream: dict[str, Any] | None = answer.get("Stream")
    if stream is None or stream["Arn"] != arn:
        raise ResourceNotFoundException(f"Requested resource not found: Stream: {arn} not found")
    return stream


def shard_id(stream: dict[str, Any]) -> str:
    """The id of the stream's one shard."""
    return f"shardId-{int(stream['Created'] * 1000):020d}-{stream['Storage'] & 0xFFFFFFFF:08x}"


def sequence_text(sequence: int) -> str:
    """A sequence number as AWS writes it: at least 21 digits."""
    return f"{sequence + 10**20}"


@read_only
def list_streams(call: Call, request: ListStreamsInput) -> ListStreamsOutput:
    limit = request.get("Limit", LISTED)
    if limit > LISTED:
        raise too_large(limit, "limit", LISTED)
    wanted: dict[str, Any] = {"Limit": limit + 1}
    if "TableName" in request:
        wanted["TableName"] = request["TableName"]
    if "ExclusiveStartStreamArn" in request:
        wanted["AfterTable"], wanted["AfterLabel"] = parse_arn(request["ExclusiveStartStreamArn"])
    found = call.invoke("dynamodb", "FindStreams", wanted)["Streams"]
    result: dict[str, Any] = {
        "Streams": [
            {"StreamArn": stream["Arn"], "TableName": stream["Table"], "StreamLabel": stream["Label"]}
            for stream in found[:limit]
        ]
    }
    if len(found) > limit:
        result["LastEvaluatedStreamArn"] = found[limit - 1]["Arn"]
    return cast(ListStreamsOutput, result)


@read_only
def describe_stream(call: Call, request: DescribeStreamInput) -> DescribeStreamOutput:
    stream = find_stream(call, request["StreamArn"])
    sequences = {"StartingSequenceNumber": sequence_text(stream["First"])}
    if stream["Last"]:
        sequences["EndingSequenceNumber"] = sequence_text(stream["Last"])
    shards = [{"ShardId": shard_id(stream), "SequenceNumberRange": sequences}]
    if request.get("ExclusiveStartShardId", "") >= shards[0]["ShardId"]:  # type: ignore[operator]
        shards = []
    description = {
        "StreamArn": stream["Arn"],
        "StreamLabel": stream["Label"],
        "StreamStatus": "DISABLED" if stream["Last"] else "ENABLED",
        "StreamViewType": stream["View"],
        "CreationRequestDateTime": stream["Created"],
        "TableName": stream["Table"],
        "KeySchema": stream["Schema"],
        "Shards": shards,
    }
    return cast(DescribeStreamOutput, {"StreamDescription": description})
