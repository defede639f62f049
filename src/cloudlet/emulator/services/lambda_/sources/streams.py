"""DynamoDB Streams and Kinesis: each shard in order, from where the mapping stands.

A batch that fails is tried again, in halves or from the first record that failed where that was asked for, until it
succeeds or is given up: too many attempts, or too old. Then the mapping's destination learns of it.
Source: "Using Lambda with Amazon DynamoDB", "… with Kinesis", "Retaining discarded batch records".
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.eventing.streams import KINESIS_PAUSE_SECONDS, Stream, back_off, kinesis_record, read_shards
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.lambda_.destinations import put_object, send_text
from cloudlet.emulator.services.lambda_.records import LATEST, MAPPINGS, Mapping
from cloudlet.emulator.services.lambda_.sources.batches import Record, Verdict, as_text, call_function, decoded, passes
from cloudlet.emulator.services.lambda_.times import iso_zulu

LENGTH_OF_NUMBERS, FIRST_NUMBER = 56, 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898


class Source(Stream):
    """The stream of a mapping, and what its two kinds differ in when functions get its records."""

    def sequence(self, record: Record) -> str:
        return str(record["kinesis"]["sequenceNumber"] if self.is_kinesis else record["dynamodb"]["SequenceNumber"])

    def arrival(self, record: Record) -> float:
        if self.is_kinesis:
            return float(record["kinesis"]["approximateArrivalTimestamp"])
        return float(record["dynamodb"]["ApproximateCreationDateTime"])

    def arrival_text(self, record: Record) -> str:
        text = iso_zulu(self.arrival(record))
        return text if self.is_kinesis else text.replace(".000Z", "Z")  # DynamoDB knows whole seconds

    def event(self, shard: str, given: dict[str, Any], role: str) -> Record:
        """One entry of `Records`."""
        if not self.is_kinesis:
            return self.table_event(given)
        number = long_number(given["SequenceNumber"])
        return {"kinesis": kinesis_record(given, number), **self.kinesis_event(shard, number, role)}

    def view(self, given: dict[str, Any], record: Record) -> Any:
        """What filters see."""
        if self.is_kinesis:
            return {**record["kinesis"], "data": decoded(bytes(given["Data"]))}
        return json.loads(json.dumps(record, default=as_text))


def long_number(sequence: str) -> str:
    """As long as those of AWS, in the same order: moto counts from 1."""
    return sequence if len(sequence) >= LENGTH_OF_NUMBERS else str(FIRST_NUMBER + int(sequence))


async def poll(call: Call, mapping: Mapping) -> None:
    """All shards, each in a task of its own. Raises AwsError when the stream is gone."""
    source = Source(call, mapping.source_arn)
    await read_shards(source, lambda shard: Shard(call, mapping, source, shard), lambda: enabled(call, mapping))


def enabled(call: Call, mapping: Mapping) -> None:
    """Reading has begun."""
    with call.transaction() as tx:
        current = MAPPINGS.get(tx, mapping.account_id, mapping.region, mapping.uuid)
        if current is not None and current.state in ("Creating", "Enabling", "Updating"):
            MAPPINGS.put(tx, replace(current, state="Enabled"))


class Shard:
    """One shard being read."""

    def __init__(self, call: Call, mapping: Mapping, stream: Source, shard: str) -> None:
        self.call = call.at(mapping.account_id, mapping.region)
        self.mapping = mapping
        self.stream = stream
        self.shard = shard
        self.size: int = mapping.value["BatchSize"]

    async def begin(self) -> str:
        return await self.iterator(self.mapping)

    async def iterator(self, mapping: Mapping) -> str:
        """From where the mapping stands."""
        return await self.stream.iterator(self.shard, mapping.positions.get(self.shard), mapping.value, mapping.started)

    async def fresh(self, iterator: str) -> str:
        """Iterators expire; one that has rested is given anew from where the mapping stands."""
        with self.call.transaction(read_only=True) as tx:
            current = MAPPINGS.get(tx, self.mapping.account_id, self.mapping.region, self.mapping.uuid)
        if current is None or not current.positions.get(self.shard):
            return iterator
        return await self.iterator(current)

    async def gather(self, iterator: str) -> tuple[list[dict[str, Any]], str | None]:
        """One batch: what there is, or more of it within the window."""
        given, following = await self.stream.read(iterator, self.size)
        end = monotonic() + self.mapping.value["MaximumBatchingWindowInSeconds"]
        while given and len(given) < self.size and following is not None and monotonic() < end:
            await asyncio.sleep(min(KINESIS_PAUSE_SECONDS, max(0.0, end - monotonic())))
            more, following = await self.stream.read(following, self.size - len(given))
            given += more
        return given, following

    async def handle(self, given: list[dict[str, Any]]) -> None:
        role = "arn:aws:iam::" + self.mapping.account_id + ":role/lambda-role"
        records = [(entry, self.stream.event(self.shard, entry, role)) for entry in given]
        wanted = [record for entry, record in records if passes(self.mapping, self.stream.view(entry, record))]
        if wanted:
            await self.settle(wanted, 1)
        last = records[-1]
        self.keep(last[0]["SequenceNumber"] if self.stream.is_kinesis else self.stream.sequence(last[1]))

    async def settle(self, records: list[Record], attempt: int) -> None:
        """Until they are handled or given up."""
        value = self.mapping.value
        while records:
            fresh = self.young(records)
            if len(fresh) < len(records):
                old = records[: len(records) - len(fresh)]
                await self.give_up(old, None, attempt - 1, "RecordAgeExceeded")
                records = fresh
                continue
            verdict = await call_function(self.call, self.mapping, records, self.stream.sequence)
            if verdict.is_success:
                self.note("OK")
                return
            self.note("PROBLEM: Function call failed")
            rest = self.after_failure(records, verdict)
            if verdict.outcome is not None and len(rest) < len(records):
                records = rest  # what came before the first failure is done
            most = value.get("MaximumRetryAttempts", -1)
            if 0 <= most < attempt and not (value.get("BisectBatchOnFunctionError") and len(records) > 1):
                await self.give_up(records, verdict, attempt, "RetryAttemptsExhausted")
                return
            if value.get("BisectBatchOnFunctionError") and len(records) > 1:
                middle = len(records) // 2
                await self.settle(records[:middle], attempt)
                await self.settle(records[middle:], attempt)
                return
            await asyncio.sleep(back_off(attempt))
            if verdict.outcome is not None:  # a function that was not called has used no attempt
                attempt += 1

    def after_failure(self, records: list[Record], verdict: Verdict) -> list[Record]:
        """From the first record that failed."""
        if not verdict.failed:
            return records
        first = next(place for place, record in enumerate(records) if self.stream.sequence(record) in verdict.failed)
        return records[first:]

    def young(self, records: list[Record]) -> list[Record]:
        oldest = self.mapping.value.get("MaximumRecordAgeInSeconds", -1)
        if oldest < 0:
            return records
        with self.call.transaction(read_only=True):
            now = self.call.now
        return [record for record in records if now - self.stream.arrival(record) <= oldest]

    async def give_up(self, records: list[Record], verdict: Verdict | None, attempts: int, why: str) -> None:
        destination = ((self.mapping.value.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        if not destination:
            return
        first, last = records[0], records[-1]
        context = {
            "requestId": verdict.request_id if verdict is not None else self.call.ids.uuid(),
            "functionArn": self.mapping.function_arn,
            "condition": why,
            "approximateInvokeCount": attempts,
        }
        document: dict[str, Any] = {"requestContext": context}
        if verdict is not None and verdict.outcome is not None:
            answer = {"statusCode": 200, "executedVersion": verdict.version or LATEST}
            document["responseContext"] = answer | {"functionError": verdict.outcome.error or None}
        with self.call.transaction(read_only=True):
            now = self.call.now
        document |= {
            "version": "1.0",
            "timestamp": iso_zulu(now),
            "KinesisBatchInfo" if self.stream.is_kinesis else "DDBStreamBatchInfo": {
                "shardId": self.shard,
                "startSequenceNumber": self.stream.sequence(first),
                "endSequenceNumber": self.stream.sequence(last),
                "approximateArrivalOfFirstRecord": self.stream.arrival_text(first),
                "approximateArrivalOfLastRecord": self.stream.arrival_text(last),
                "batchSize": len(records),
                "streamArn": self.stream.arn,
            },
        }
        if destination.split(":")[2] == "s3":
            payload = json.dumps({"Records": records}, default=as_text, separators=(",", ":"))
            name = f"aws/lambda/{self.mapping.uuid}/{self.shard}"
            await put_object(self.call, destination, name, now, {**document, "payload": payload})
        else:
            await send_text(self.call, destination, json.dumps(document, separators=(",", ":")))

    def keep(self, sequence: str) -> None:
        """Everything up to this record is done."""
        with self.call.transaction() as tx:
            current = MAPPINGS.get(tx, self.mapping.account_id, self.mapping.region, self.mapping.uuid)
            if current is not None:
                MAPPINGS.put(tx, replace(current, positions={**current.positions, self.shard: sequence}))

    def note(self, result: str) -> None:
        with self.call.transaction() as tx:
            current = MAPPINGS.get(tx, self.mapping.account_id, self.mapping.region, self.mapping.uuid)
            if current is not None and current.result != result:
                MAPPINGS.put(tx, replace(current, result=result))
