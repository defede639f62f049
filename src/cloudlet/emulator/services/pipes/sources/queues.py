"""SQS: messages are taken in batches, deleted once the target has them, and come back when it has not."""

from __future__ import annotations

import logging

from cloudlet.emulator.eventing.queues import Queue
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.pipes.checks import parameters_of
from cloudlet.emulator.services.pipes.flow import Failed, run, wanted
from cloudlet.emulator.services.pipes.records import Pipe

LOG = logging.getLogger("cloudlet.pipes")


async def poll(call: Call, pipe: Pipe) -> None:
    """As long as the pipe runs. Raises AwsError when the queue is gone."""
    queue = Queue(call, pipe.source)
    size = parameters_of(pipe.definition)["BatchSize"]
    while True:
        events = [queue.event(message) for message in await queue.receive(size)]
        chosen = [event for event in events if wanted(pipe, event)]
        done = [event for event in events if event not in chosen]
        try:
            if chosen:
                await run(call, pipe, chosen)
            done = events
        except (AwsError, Failed) as error:
            LOG.warning("the pipe %s could not deliver, its messages come back: %s", pipe.name, error)
        await queue.delete([event["receiptHandle"] for event in done])
