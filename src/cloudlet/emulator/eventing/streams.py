"""Reading the shards of DynamoDB's and Kinesis's streams in order.

    await read_shards(Stream(call, arn), reader_of)       # reader_of(shard): a Reader, which handles batches and keeps its place

Sources: "Using Lambda with Amazon DynamoDB", "… with Kinesis"; Pipes reads its streams in the same way.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cloudlet.emulator.kernel.call import Call

LARGEST_READ = 1000
KINESIS_PAUSE_SECONDS = 1.0
LEAST_PAUSE_SECONDS = 0.05
WATCHED = b"dynamodb.changes\x00"  # how the keys of what streams tell begin
WATCH_SECONDS = 60.0
SHARDS_SECONDS = 10.0  # until closed and new shards are looked for
FIRST_BACK_OFF_SECONDS, LONGEST_BACK_OFF_SECONDS = 0.5, 60.0


class Stream:
    """A stream, and what the two kinds differ in when they are read."""

    def __init__(self, call: Call, arn: str) -> None:
        parts = arn.split(":")
        self.call = call.at(parts[4], parts[3])
        self.arn = arn
        self.region = parts[3]
        self.is_kinesis = parts[2] == "kinesis"
        self.service = "kinesis" if self.is_kinesis else "dynamodbstreams"
        self.name = {"StreamName": arn.rpartition("/")[2]} if self.is_kinesis else {"StreamArn": arn}

    async def shards(self) -> list[str]:
        if self.is_kinesis:
            answer = await self.call.reach("kinesis", "ListShards", self.name)
            return [shard["ShardId"] for shard in answer["Shards"]]
        answer = await self.call.reach("dynamodbstreams", "DescribeStream", self.name)
        return [shard["ShardId"] for shard in answer["StreamDescription"]["Shards"]]

    async def iterator(self, shard: str, before: str | None, parameters: Mapping[str, Any], since: float) -> str:
        """Behind the sequence number `before`, or where the StartingPosition of `parameters` says.

        `since`: when the reader was made, in seconds since the epoch. LATEST means from then on, whenever the reading
        begins.
        """
        request: dict[str, Any] = {**self.name, "ShardId": shard}
        start = parameters["StartingPosition"]
        if before:
            member = "StartingSequenceNumber" if self.is_kinesis else "SequenceNumber"
            request |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", member: before}
        elif start == "TRIM_HORIZON":
            request["ShardIteratorType"] = "TRIM_HORIZON"
        else:
            moment = parameters.get("StartingPositionTimestamp") if start == "AT_TIMESTAMP" else since
            request |= {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": moment}
        answer = await self.call.reach(self.service, "GetShardIterator", request)
        return str(answer["ShardIterator"])

    async def read(self, iterator: str, most: int) -> tuple[list[dict[str, Any]], str | None]:
        """(records, the next iterator; None at the end of a shard)."""
        request = {"ShardIterator": iterator, "Limit": min(most, LARGEST_READ)}
        answer = await self.call.reach(self.service, "GetRecords", request)
        return answer["Records"], answer.get("NextShardIterator")

    async def news(self) -> None:
        """Until there may be more than when this began."""
        if self.is_kinesis:
            await asyncio.sleep(KINESIS_PAUSE_SECONDS)
        else:
            await self.call.changed(WATCHED, WATCH_SECONDS)
            await asyncio.sleep(LEAST_PAUSE_SECONDS)  # what is written together is read together

    def table_event(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A record of a DynamoDB stream as events have it; bytes stay bytes."""
        about = {**given["dynamodb"]}
        about["ApproximateCreationDateTime"] = seconds(about["ApproximateCreationDateTime"])
        return {**given, "dynamodb": about, "eventSourceARN": self.arn}

    def kinesis_event(self, shard: str, number: str, role: str) -> dict[str, Any]:
        """What events say about a record of a Kinesis stream. `number`: its sequence number."""
        return {
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard}:{number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": role,
            "awsRegion": self.region,
            "eventSourceARN": self.arn,
        }


def kinesis_record(given: Mapping[str, Any], number: str) -> dict[str, Any]:
    """A record of a Kinesis stream as events have it. `number`: its sequence number."""
    return {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": given["PartitionKey"],
        "sequenceNumber": number,
        "data": b64encode(bytes(given["Data"])).decode(),
        "approximateArrivalTimestamp": seconds(given["ApproximateArrivalTimestamp"]),
    }


def seconds(moment: Any) -> float:
    return float(moment.timestamp()) if hasattr(moment, "timestamp") else float(moment)


def back_off(attempt: int) -> float:
    """Seconds until a batch is offered again that has failed for the `attempt`th time."""
    return min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2.0 ** min(attempt - 1, 10))


class Reader(Protocol):
    """Reads one shard."""

    async def begin(self) -> str:
        """The first iterator."""

    async def gather(self, iterator: str) -> tuple[list[dict[str, Any]], str | None]:
        """One batch, and the next iterator."""

    async def handle(self, given: list[dict[str, Any]]) -> None:
        """Deal with a batch, and keep how far the shard is read."""

    async def fresh(self, iterator: str) -> str:
        """Iterators expire; one that has rested is given anew from where the reader stands."""


def nothing() -> None:
    pass


async def read_shards(stream: Stream, reader_of: Callable[[str], Reader], begun: Callable[[], None] = nothing) -> None:
    """All shards, each in a task of its own. Raises AwsError when the stream is gone.

    `begun` is called whenever all shards that are known are being read.
    """
    reading: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            for shard in await stream.shards():
                if shard not in reading:
                    reader = reader_of(shard)
                    work = follow(stream, reader, await reader.begin())
                    reading[shard] = asyncio.get_running_loop().create_task(work)
            begun()
            await asyncio.sleep(0)
            going_on = [task for task in reading.values() if not task.done()]
            if going_on:
                await asyncio.wait(going_on, timeout=SHARDS_SECONDS, return_when=asyncio.FIRST_EXCEPTION)
            else:  # the stream has ended, or its shards were split
                await asyncio.sleep(SHARDS_SECONDS)
            for task in reading.values():
                if task.done():
                    task.result()
    finally:
        for task in reading.values():
            task.cancel()


async def follow(stream: Stream, reader: Reader, iterator: str) -> None:
    """Until the shard ends."""
    following: str | None = iterator
    while following is not None:
        news = asyncio.get_running_loop().create_task(stream.news())
        await asyncio.sleep(0)  # it listens from here on, so nothing is missed between the reading and the waiting
        try:
            given, following = await reader.gather(following)
            if given:
                await reader.handle(given)
            elif following is not None:
                await news
                following = await reader.fresh(following)
        finally:
            news.cancel()
