"""DynamoDB streams and Kinesis: each shard in order, from where the pipe stands.

A batch that fails is offered again, until it succeeds or was offered too often; then the dead-letter queue learns which
records were left out.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from typing import Any

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.eventing.inputs import compact
from cloudlet.emulator.eventing.streams import Stream, back_off, kinesis_record, read_shards
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.pipes.checks import parameters_of
from cloudlet.emulator.services.pipes.flow import Failed, run, wanted
from cloudlet.emulator.services.pipes.records import POSITIONS, Pipe, Position

LOG = logging.getLogger("cloudlet.pipes")


async def poll(call: Call, pipe: Pipe) -> None:
    """All shards, each in a task of its own. Raises AwsError when the stream is gone."""
    stream = Stream(call, pipe.source)
    await read_shards(stream, lambda shard: Shard(call, pipe, stream, shard))


class Shard:
    """One shard being read."""

    def __init__(self, call: Call, pipe: Pipe, stream: Stream, shard: str) -> None:
        self.call = call
        self.pipe = pipe
        self.stream = stream
        self.shard = shard
        self.parameters = parameters_of(pipe.definition)

    async def begin(self) -> str:
        return await self.fresh("")

    async def fresh(self, iterator: str) -> str:
        """From where the pipe stands; `iterator` where nothing was read yet and there is one."""
        with self.call.transaction(read_only=True) as tx:
            position = POSITIONS.get(tx, self.pipe.account_id, self.pipe.region, self.pipe.name, self.shard)
        if position is None and iterator:
            return iterator
        before = position.sequence if position is not None else None
        return await self.stream.iterator(self.shard, before, self.parameters, self.pipe.created)

    async def gather(self, iterator: str) -> tuple[list[dict[str, Any]], str | None]:
        return await self.stream.read(iterator, self.parameters["BatchSize"])

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
            await asyncio.sleep(back_off(attempt))
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
            "KinesisBatchInfo" if self.stream.is_kinesis else "DDBStreamBatchInfo": {
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
        if not self.stream.is_kinesis:
            return plain(self.stream.table_event(given))  # type: ignore[no-any-return]
        number, role = given["SequenceNumber"], self.pipe.definition["RoleArn"]
        return {**kinesis_record(given, number), **self.stream.kinesis_event(self.shard, number, role)}

    def sequence(self, event: dict[str, Any]) -> str:
        return str(event["sequenceNumber"] if self.stream.is_kinesis else event["dynamodb"]["SequenceNumber"])


def plain(value: Any) -> Any:
    """With bytes as base64, as events have them."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return b64encode(value).decode() if isinstance(value, bytes | bytearray) else value
