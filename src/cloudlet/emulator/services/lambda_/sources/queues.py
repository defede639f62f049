"""SQS: messages are taken in batches, deleted when the function has handled them, and come back when it has not.

Source: "Using Lambda with Amazon SQS", "Handling errors for an SQS event source in Lambda".
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from typing import Any

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.lambda_.records import Mapping
from cloudlet.emulator.services.lambda_.sources.batches import call_function, decoded, passes

LOG = logging.getLogger("cloudlet.lambda")
AT_A_TIME = 10  # messages in one answer of SQS
WAIT_SECONDS = 20
PARALLEL = 5


async def poll(call: Call, mapping: Mapping) -> None:
    """As long as the mapping is enabled. Raises AwsError when the queue is gone."""
    parallel = asyncio.Semaphore((mapping.value.get("ScalingConfig") or {}).get("MaximumConcurrency") or PARALLEL)
    handling: set[asyncio.Task[None]] = set()
    try:
        while True:
            await parallel.acquire()
            try:
                messages = await receive(call, mapping)
            except BaseException:
                parallel.release()
                raise
            if not messages:
                parallel.release()
                continue
            task = asyncio.get_running_loop().create_task(handle(call, mapping, messages))
            handling.add(task)
            task.add_done_callback(handling.discard)
            task.add_done_callback(lambda _: parallel.release())
    finally:
        for task in handling:
            call.programs.run(task)  # what was received is handled, though the mapping may have changed meanwhile


async def receive(call: Call, mapping: Mapping) -> list[dict[str, Any]]:
    """One batch: what there is, or more of it within the window."""
    size, window = mapping.value["BatchSize"], mapping.value["MaximumBatchingWindowInSeconds"]
    found = await receive_some(call, mapping, min(size, AT_A_TIME), WAIT_SECONDS)
    end = monotonic() + window
    while found and window and len(found) < size and (left := end - monotonic()) > 0:
        found += await receive_some(
            call, mapping, min(size - len(found), AT_A_TIME), max(1, min(WAIT_SECONDS, round(left)))
        )
    return found


async def receive_some(call: Call, mapping: Mapping, most: int, wait: int) -> list[dict[str, Any]]:
    request = {
        "QueueUrl": url_of(mapping.source_arn),
        "MaxNumberOfMessages": most,
        "WaitTimeSeconds": wait,
        "AttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    answer = await there(call, mapping).reach("sqs", "ReceiveMessage", request)
    found: list[dict[str, Any]] = answer.get("Messages") or []
    return found


def there(call: Call, mapping: Mapping) -> Call:
    parts = mapping.source_arn.split(":")
    return call.at(parts[4], parts[3])


def url_of(arn: str) -> str:
    parts = arn.split(":")
    return f"/{parts[4]}/{parts[5]}"


async def handle(call: Call, mapping: Mapping, messages: list[dict[str, Any]]) -> None:
    """Call the function with one batch. What goes wrong is logged: the messages come back by themselves."""
    try:
        await carry_out(call, mapping, messages)
    except AwsError as error:
        LOG.info("messages of %s could not be handled: %s", mapping.source_arn, error.message)
    except Exception:  # survives: one batch's trouble; its messages come back when they are visible again
        LOG.exception("handling messages of %s failed", mapping.source_arn)


async def carry_out(call: Call, mapping: Mapping, messages: list[dict[str, Any]]) -> None:
    records = [record(mapping, message) for message in messages]
    wanted = [entry for entry in records if passes(mapping, {**entry, "body": decoded(entry["body"])})]
    done = [entry["receiptHandle"] for entry in records if entry not in wanted]
    if wanted:
        verdict = await call_function(call, mapping, wanted, lambda entry: str(entry["messageId"]))
        failed = verdict.failed
        if failed is not None:
            done += [entry["receiptHandle"] for entry in wanted if entry["messageId"] not in failed]
    await delete(call, mapping, done)


async def delete(call: Call, mapping: Mapping, handles: list[str]) -> None:
    for start in range(0, len(handles), AT_A_TIME):
        entries = [
            {"Id": str(place), "ReceiptHandle": handle}
            for place, handle in enumerate(handles[start : start + AT_A_TIME])
        ]
        request = {"QueueUrl": url_of(mapping.source_arn), "Entries": entries}
        await there(call, mapping).reach("sqs", "DeleteMessageBatch", request)


def record(mapping: Mapping, message: dict[str, Any]) -> dict[str, Any]:
    """One entry of `Records`."""
    found = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: str(value) for name, value in message.get("Attributes", {}).items()},
        "messageAttributes": {
            name: attribute(value) for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.source_arn,
        "awsRegion": mapping.source_arn.split(":")[3],
    }
    if "MD5OfMessageAttributes" in message:
        found["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return found


def attribute(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        made["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        made["binaryValue"] = b64encode(bytes(value["BinaryValue"])).decode()
    return made
