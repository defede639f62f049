"""SQS: messages are taken in batches, deleted when the function has handled them, and come back when it has not.

Source: "Using Lambda with Amazon SQS", "Handling errors for an SQS event source in Lambda".
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from cloudlet.emulator.effects.clock import monotonic
from cloudlet.emulator.eventing.queues import WAIT_SECONDS, Queue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.lambda_.records import Mapping
from cloudlet.emulator.services.lambda_.sources.batches import call_function, decoded, passes

LOG = logging.getLogger("cloudlet.lambda")
PARALLEL = 5


async def poll(call: Call, mapping: Mapping) -> None:
    """As long as the mapping is enabled. Raises AwsError when the queue is gone."""
    queue = Queue(call, mapping.source_arn)
    parallel = asyncio.Semaphore((mapping.value.get("ScalingConfig") or {}).get("MaximumConcurrency") or PARALLEL)
    handling: set[asyncio.Task[None]] = set()
    try:
        while True:
            await parallel.acquire()
            try:
                messages = await receive(queue, mapping)
            except BaseException:
                parallel.release()
                raise
            if not messages:
                parallel.release()
                continue
            task = asyncio.get_running_loop().create_task(handle(call, queue, mapping, messages))
            handling.add(task)
            task.add_done_callback(handling.discard)
            task.add_done_callback(lambda _: parallel.release())
    finally:
        for task in handling:
            call.programs.run(task)  # what was received is handled, though the mapping may have changed meanwhile


async def receive(queue: Queue, mapping: Mapping) -> list[dict[str, Any]]:
    """One batch: what there is, or more of it within the window."""
    size, window = mapping.value["BatchSize"], mapping.value["MaximumBatchingWindowInSeconds"]
    found = await queue.receive(size)
    end = monotonic() + window
    while found and window and len(found) < size and (left := end - monotonic()) > 0:
        found += await queue.receive(size - len(found), max(1, min(WAIT_SECONDS, round(left))))
    return found


async def handle(call: Call, queue: Queue, mapping: Mapping, messages: list[dict[str, Any]]) -> None:
    """Call the function with one batch. What goes wrong is logged: the messages come back by themselves."""
    try:
        await carry_out(call, queue, mapping, messages)
    except AwsError as error:
        LOG.info("messages of %s could not be handled: %s", mapping.source_arn, error.message)
    except Exception:  # survives: one batch's trouble; its messages come back when they are visible again
        LOG.exception("handling messages of %s failed", mapping.source_arn)


async def carry_out(call: Call, queue: Queue, mapping: Mapping, messages: list[dict[str, Any]]) -> None:
    records = [record(queue, message) for message in messages]
    wanted = [entry for entry in records if passes(mapping, {**entry, "body": decoded(entry["body"])})]
    done = [entry["receiptHandle"] for entry in records if entry not in wanted]
    if wanted:
        verdict = await call_function(call, mapping, wanted, lambda entry: str(entry["messageId"]))
        failed = verdict.failed
        if failed is not None:
            done += [entry["receiptHandle"] for entry in wanted if entry["messageId"] not in failed]
    await queue.delete(done)


def record(queue: Queue, message: dict[str, Any]) -> dict[str, Any]:
    """One entry of `Records`."""
    found = queue.event(message)
    if "MD5OfMessageAttributes" in message:
        found["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    return found
