"""DynamoDB streams and Kinesis: each shard in order, from where the pipe stands.

A batch that fails is offered again, until it succeeds or was offered too often; then the dead-letter queue learns which
records were left out.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from datetime import datetime
from typing import Any

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.eventing.inputs import compact
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.pipes.checks import parameters_of
from cloudlet.emulator.services.pipes.flow import Failed, run, wanted
from cloudlet.emulator.services.pipes.records import POSITIONS, Pipe, Position

LOG = logging.getLogger("cloudlet.pipes")
LARGEST_READ = 1000
KINESIS_PAUSE_SECONDS = 1.0
WATCHED = b"dynamodb.changes\x00"  # how the keys of what streams tell begin
WATCH_SECONDS = 60.0
SHARDS_SECONDS = 10.0  # until new shards are looked for
FIRST_BACK_OFF_SECONDS, LONGEST_BACK_OFF_SECONDS = 0.5, 60.0


async def poll(call: Call, pipe: Pipe) -> None:
    """All shards, each in a task of its own. Raises AwsError when the stream is gone."""
    reading: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            for shard in await Shard(call, pipe, "").siblings():
                if shard not in reading:
                    reading[shard] = asyncio.get_running_loop().create_task(Shard(call, pipe, shard).follow())
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


class Shard:
    """One shard being read."""

    def __init__(self, call: Call, pipe: Pipe, shard: str) -> None:
        parts = pipe.source.split(":")
        self.call = call
        self.there = call.at(parts[4], parts[3])
        self.pipe = pipe
        self.shard = shard
        self.parameters = parameters_of(pipe.definition)
        self.is_kinesis = parts[2] == "kinesis"
        self.service = "kinesis" if self.is_kinesis else "dynamodbstreams"
        self.stream = {"StreamName": pipe.source.rpartition("/")[2]} if self.is_kinesis else {"StreamArn": pipe.source}

    async def siblings(self) -> list[str]:
        """All shards of the stream."""
        if self.is_kinesis:
            answer = await self.there.reach("kinesis", "ListShards", self.stream)
            return [shard["ShardId"] for shard in answer["Shards"]]
        answer = await self.there.reach("dynamodbstreams", "DescribeStream", self.stream)
        return [shard["ShardId"] for shard in answer["StreamDescription"]["Shards"]]

    async def follow(self) -> None:
        following: str | None = await self.iterator()
        while following is not None:
            news = asyncio.get_running_loop().create_task(self.news())
            await asyncio.sleep(0)  # it listens from here on, so nothing is missed between the reading and the waiting
            try:
                request = {"ShardIterator": following, "Limit": min(self.parameters["BatchSize"], LARGEST_READ)}
                answer = await self.there.reach(self.service, "GetRecords", request)
                following = answer.get("NextShardIterator")
                if answer["Records"]:
                    await self.handle(answer["Records"])
                elif following is not None:
                    await news
                    following = await self.iterator(following)
            finally:
                news.cancel()

    async def iterator(self, before: str = "") -> str:
        """From where the pipe stands; `before` where nothing was read yet."""
        request: dict[str, Any] = {**self.stream, "ShardId": self.shard}
        with self.call.transaction(read_only=True) as tx:
            position = POSITIONS.get(tx, self.pipe.account_id, self.pipe.region, self.pipe.name, self.shard)
        start = self.parameters["StartingPosition"]
        if position is not None:
            member = "StartingSequenceNumber" if self.is_kinesis else "SequenceNumber"
            request |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", member: position.sequence}
        elif before:
            return before
        elif start == "TRIM_HORIZON":
            request["ShardIteratorType"] = "TRIM_HORIZON"
        else:  # LATEST means since the pipe was made, whenever the reading begins
            moment = self.parameters.get("StartingPositionTimestamp") if start == "AT_TIMESTAMP" else self.pipe.created
            request |= {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": moment}
        answer = await self.there.reach(self.service, "GetShardIterator", request)
        return str(answer["ShardIterator"])

    async def news(self) -> None:
        """Until there may be more than when this began."""
        if self.is_kinesis:
            await asyncio.sleep(KINESIS_PAUSE_SECONDS)
        else:
            await self.there.changed(WATCHED, WATCH_SECONDS)

    async def handle(self, given: list[dict[str, Any]]) -> None:
        events = [self.event(record) for record in given]
        chosen = [event for event in events if wanted(self.pipe, event)]
        if chosen:
            await self.settle(chosen)
        last = self.sequence(events[-1])
        with self.call.transaction() as tx:
            POSITIONS.put(tx, Position(self.pipe.account_id, self.pipe.region, self.pipe.name, self.shard, last))

    async def settle(self, events: list[dict[str, Any]]) -> None:
        """Until the target has them or they are given up."""
        most = self.parameters.get("MaximumRetryAttempts", -1)
        attempt = 1
        while True:
            try:
                await run(self.call, self.pipe, events)
                return
            except (AwsError, Failed) as error:
                LOG.warning("the pipe %s could not deliver (attempt %d): %s", self.pipe.name, attempt, error)
            if 0 <= most < attempt:
                await self.give_up(events)
                return
            await asyncio.sleep(min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS * 2 ** min(attempt - 1, 10)))
            attempt += 1

    async def give_up(self, events: list[dict[str, Any]]) -> None:
        """Tell the dead-letter queue which records were left out."""
        arn = parse_arn((self.parameters.get("DeadLetterConfig") or {}).get("Arn", ""))
        if arn is None:
            return
        document = {
            "context": {"partnerResourceArn": self.pipe.arn, "condition": "RetryAttemptsExhausted"},
            "version": "1.0",
            "timestamp": f"{Clock.iso_seconds(self.call.now)}Z",
            "KinesisBatchInfo" if self.is_kinesis else "DDBStreamBatchInfo": {
                "shardId": self.shard,
                "startSequenceNumber": self.sequence(events[0]),
                "endSequenceNumber": self.sequence(events[-1]),
                "batchSize": len(events),
                "streamArn": self.pipe.source,
            },
        }
        place = self.call.at(arn.account, arn.region)
        if arn.service == "sns":
            topic = self.parameters["DeadLetterConfig"]["Arn"]
            await place.reach("sns", "Publish", {"TopicArn": topic, "Message": compact(document)})
            return
        request = {"QueueUrl": f"/{arn.account}/{arn.resource}", "MessageBody": compact(document)}
        await place.reach("sqs", "SendMessage", request)

    def event(self, given: dict[str, Any]) -> dict[str, Any]:
        """A record as the pipe has it: Kinesis's members lie beside those of every event."""
        if not self.is_kinesis:
            about = {**given["dynamodb"]}
            about["ApproximateCreationDateTime"] = seconds(about["ApproximateCreationDateTime"])
            return plain({**given, "dynamodb": about, "eventSourceARN": self.pipe.source})  # type: ignore[no-any-return]
        return {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": given["PartitionKey"],
            "sequenceNumber": given["SequenceNumber"],
            "data": b64encode(bytes(given["Data"])).decode(),
            "approximateArrivalTimestamp": seconds(given["ApproximateArrivalTimestamp"]),
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self.shard}:{given['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self.pipe.definition["RoleArn"],
            "awsRegion": self.pipe.source.split(":")[3],
            "eventSourceARN": self.pipe.source,
        }

    def sequence(self, event: dict[str, Any]) -> str:
        return str(event["sequenceNumber"] if self.is_kinesis else event["dynamodb"]["SequenceNumber"])


def seconds(moment: Any) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def plain(value: Any) -> Any:
    """With bytes as base64, as events have them."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return b64encode(value).decode() if isinstance(value, bytes | bytearray) else value
