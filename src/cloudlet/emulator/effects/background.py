"""What services do all the time: one task of the event loop for each service that has some, ended with the emulator.

A service that watches others (Lambda its event sources) has to be loaded at start when there is something to watch,
before anybody asks for it: `MARKS` says by which records to tell.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cloudlet.emulator.store.kv import Store

if TYPE_CHECKING:
    from cloudlet.emulator.kernel.call import Call

LOG = logging.getLogger("cloudlet.background")
# a service with a background -> how the keys of the records begin that it is needed for
MARKS: Mapping[str, bytes] = MappingProxyType({"lambda": b"lambda.mappings\x00", "pipes": b"pipes.pipes\x00"})


class Background:
    """Owns the tasks. Belongs to the event loop's thread."""

    def __init__(self, store: Store, make_call: Callable[[str, str, str], Call]) -> None:
        self._store = store
        self._make_call = make_call
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def wanted(self) -> Iterator[str]:
        """The services that have something to do though nobody has asked for them yet."""
        for service, mark in MARKS.items():
            tx = self._store.begin(read_only=True)
            try:
                found = next(iter(tx.scan(mark, mark[:-1] + b"\x01", limit=1)), None)
            finally:
                self._store.abort(tx)
            if found is not None:
                yield service

    def start(self, service: str, work: Callable[[Call], Coroutine[Any, Any, None]]) -> None:
        call = self._make_call(service, "000000000000", "us-east-1")
        task = asyncio.get_running_loop().create_task(work(call), name=f"background of {service}")
        self._tasks[service] = task
        task.add_done_callback(log_failure)

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


def log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        LOG.error("%s has ended", task.get_name(), exc_info=task.exception())
