"""One task for each pipe that runs, begun and ended as pipes change."""

from __future__ import annotations

import asyncio
import logging

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.pipes.checks import service_of
from cloudlet.emulator.services.pipes.records import PIPES, Pipe
from cloudlet.emulator.services.pipes.sources import queues, streams

LOG = logging.getLogger("cloudlet.pipes")
LOOK_SECONDS = 3600.0
AGAIN_SECONDS = 2.0

Key = tuple[str, str, str]


async def watch(call: Call) -> None:
    """As long as the emulator runs."""
    tasks: dict[Key, tuple[str, asyncio.Task[None]]] = {}
    try:
        while True:
            changed = asyncio.get_running_loop().create_task(call.changed(PIPES.prefix(), LOOK_SECONDS))
            await asyncio.sleep(0)  # it listens from here on, so no change is missed
            with call.transaction(read_only=True) as tx:
                running = {
                    (pipe.account_id, pipe.region, pipe.name): pipe
                    for pipe in PIPES.scan(tx)
                    if pipe.desired == "RUNNING"
                }
            for key in list(tasks):
                revision, task = tasks[key]
                if key not in running or running[key].revision != revision:
                    task.cancel()
                    del tasks[key]
            for key, pipe in running.items():
                if key not in tasks:
                    work = follow(call.at(pipe.account_id, pipe.region), pipe)
                    tasks[key] = pipe.revision, asyncio.get_running_loop().create_task(work, name=f"pipe {pipe.name}")
            await changed
    finally:
        for _, task in tasks.values():
            task.cancel()


async def follow(call: Call, pipe: Pipe) -> None:
    """Read the source; begin again after a while when it cannot be read."""
    poll = queues.poll if service_of(pipe.source) == "sqs" else streams.poll
    while True:
        try:
            await poll(call, pipe)
        except AwsError as error:
            LOG.info("the source of the pipe %s cannot be read: %s", pipe.name, error.message)
        except Exception:  # survives: one pipe's trouble, tried again
            LOG.exception("the pipe %s failed", pipe.name)
        await asyncio.sleep(AGAIN_SECONDS)
