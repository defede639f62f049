"""One task for each mapping that is enabled, begun and ended as mappings change."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.services.lambda_.mappings import STREAMS, service_of
from cloudlet.emulator.services.lambda_.records import MAPPINGS, Mapping
from cloudlet.emulator.services.lambda_.sources import queues, streams

LOG = logging.getLogger("cloudlet.lambda")
ACTIVE = frozenset(("Creating", "Enabling", "Enabled", "Updating"))
LOOK_SECONDS = 3600.0
AGAIN_SECONDS = 2.0


async def watch(call: Call) -> None:
    """As long as the emulator runs."""
    tasks: dict[str, tuple[Any, asyncio.Task[None]]] = {}
    try:
        while True:
            try:
                mappings = settle(call)
            except Exception:  # survives: the store refused, or another emulator was faster; the next look may do
                LOG.exception("the event source mappings could not be read")
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            wanted = {mapping.uuid: mapping for mapping in mappings if mapping.state in ACTIVE}
            for uuid in list(tasks):
                known, task = tasks[uuid]
                if uuid not in wanted or known != signature(wanted[uuid]):
                    task.cancel()
                    del tasks[uuid]
            for uuid, mapping in wanted.items():
                if uuid not in tasks:
                    there = call.at(mapping.account_id, mapping.region)
                    work = asyncio.get_running_loop().create_task(follow(there, mapping), name=f"mapping {uuid}")
                    tasks[uuid] = signature(mapping), work
            await call.changed(MAPPINGS.prefix(), LOOK_SECONDS)
    finally:
        for _, task in tasks.values():
            task.cancel()


def signature(mapping: Mapping) -> Any:
    """What makes another reader of it."""
    return mapping.function_arn, mapping.source_arn, mapping.value


def settle(call: Call) -> list[Mapping]:
    """All mappings; those that are being disabled are disabled now, those of queues are enabled."""
    with call.transaction() as tx:
        found = list(MAPPINGS.scan(tx))
        for place, mapping in enumerate(found):
            state = {"Disabling": "Disabled"}.get(mapping.state, mapping.state)
            if state in ACTIVE and service_of(mapping.source_arn) not in STREAMS:
                state = "Enabled"
            if state != mapping.state:
                found[place] = replace(mapping, state=state)
                MAPPINGS.put(tx, found[place])
    return found


async def follow(call: Call, mapping: Mapping) -> None:
    """Read the source; begin again after a while when it cannot be read."""
    service = service_of(mapping.source_arn)
    if service == "sqs":
        poll = queues.poll
    elif service in STREAMS:
        poll = streams.poll
    else:
        LOG.warning("the event source %s is kept and not read", mapping.source_arn or mapping.uuid)
        return
    while True:
        try:
            with call.transaction(read_only=True) as tx:
                current = MAPPINGS.get(tx, mapping.account_id, mapping.region, mapping.uuid)
            if current is None:
                return
            await poll(call, current)
        except AwsError as error:
            LOG.info("the event source %s cannot be read: %s", mapping.source_arn, error.message)
        except Exception:  # survives: one source's trouble, tried again
            LOG.exception("reading the event source %s failed", mapping.source_arn)
        await asyncio.sleep(AGAIN_SECONDS)
