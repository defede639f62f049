"""Sleeping until a commit touches a key range. How long polls and the job runner wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Watch:
    """Waiters by key prefix. Belongs to the event loop's thread; `notify` costs nothing while nobody waits.

    Waiters are kept in a dict for each length of prefix, so a commit costs (keys written x distinct lengths).
    """

    __slots__ = ("by_length",)

    def __init__(self) -> None:
        self.by_length: dict[int, dict[bytes, set[asyncio.Future[bool]]]] = {}  # empty while nobody waits

    @property
    def active(self) -> bool:
        """Whether anybody waits; a store need not remember written keys otherwise."""
        return bool(self.by_length)

    async def changed(self, prefix: bytes, timeout_seconds: float) -> bool:
        """Sleep until a commit touches a key that begins with `prefix`; False when the time was up first.

        Also returns True when the watch may have missed a commit, so look again after either answer.
        """
        if timeout_seconds <= 0:
            return False
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self.by_length.setdefault(len(prefix), {}).setdefault(prefix, set()).add(waiter)
        timer = loop.call_later(timeout_seconds, _answer, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._forget(prefix, waiter)

    def notify(self, keys: Iterable[bytes]) -> None:
        """These keys were written or deleted by a transaction that has committed."""
        for key in keys:
            for length, by_prefix in self.by_length.items():
                waiters = by_prefix.get(key[:length])
                if waiters is not None:
                    for waiter in waiters:
                        _answer(waiter, True)

    def wake_all(self) -> None:
        """Everything may have changed: the clock was set, the state was restored."""
        for by_prefix in self.by_length.values():
            for waiters in by_prefix.values():
                for waiter in waiters:
                    _answer(waiter, True)

    def _forget(self, prefix: bytes, waiter: asyncio.Future[bool]) -> None:
        by_prefix = self.by_length[len(prefix)]
        waiters = by_prefix[prefix]
        waiters.discard(waiter)
        if not waiters:
            del by_prefix[prefix]
            if not by_prefix:
                del self.by_length[len(prefix)]


def _answer(waiter: asyncio.Future[bool], answer: bool) -> None:
    if not waiter.done():
        waiter.set_result(answer)
