"""Handlers that use the database block, so they run in a thread; this says so on the handler.

Litestar's own `sync_to_thread=True` wraps a handler twice when two methods share a path, and then never awaits it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from anyio.to_thread import run_sync

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def in_thread(handler: Callable[Parameters, Result]) -> Callable[Parameters, Awaitable[Result]]:
    """The blocking handler as an asynchronous one, with its signature."""

    @wraps(handler)
    async def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return await run_sync(partial(handler, *args, **kwargs))

    return run
