"""Limits that cost no transaction: token buckets of one process, for the license API and the native API.

With N processes behind one address a caller may get N times the limit; what must hold across processes (signing in,
passwords) counts in the database, `service`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import Lock
from typing import Any, cast

import msgspec
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

from cloudlet.control.limits.errors import RateLimited
from cloudlet.control.limits.service import network_of
from cloudlet.control.platform import Platform

BURST_SECONDS = 20  # this much of the rate may come at once
MOST_BUCKETS = 50_000
SPENT = "cloudlet_rate"


class Spent(msgspec.Struct, frozen=True):
    """A bucket after a request: `limit` is its size, `remaining` what is left, `reset_seconds` until it is full."""

    limit: int
    remaining: int
    reset_seconds: int


class Buckets:
    """The buckets of one process; the one touched longest ago goes when there are too many."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, rate_per_second: float, now: float) -> Spent:
        """One token. Raises RateLimited when there is none."""
        burst = float(max(1, math.ceil(rate_per_second * BURST_SECONDS)))
        with self._lock:
            tokens, since = self._levels.pop(key, (burst, now))
            tokens = min(burst, tokens + max(0.0, now - since) * rate_per_second)
            granted = tokens >= 1
            tokens -= granted
            self._levels[key] = (tokens, max(now, since))
            if len(self._levels) > MOST_BUCKETS:
                self._levels.popitem(last=False)
        if not granted:
            raise RateLimited((1 - tokens) / rate_per_second)
        return Spent(int(burst), int(tokens), math.ceil((burst - tokens) / rate_per_second))


def charge(scope: Scope, platform: Platform, name: str, who: str) -> None:
    """Count a request of `who`; the answer's RateLimit headers tell the tightest bucket. Raises RateLimited."""
    settings = platform.settings
    rate = {
        "license_address": settings.license_rate_per_address,
        "license_token": settings.license_rate_per_token,
        "api": settings.api_rate,
        "api_stranger": settings.api_rate,
    }[name]
    if not rate or not who:
        return
    buckets: Buckets = scope["litestar_app"].state.buckets
    known = cast(dict[str, Any], scope)
    try:
        spent = buckets.take(f"{name}:{network_of(who)}", rate, platform.effects.monotonic())
    except RateLimited as error:
        known[SPENT] = Spent(rate * BURST_SECONDS, 0, error.retry_after_seconds)
        raise
    earlier: Spent | None = known.get(SPENT)
    if earlier is None or spent.remaining < earlier.remaining:
        known[SPENT] = spent


async def add_rate_headers(message: Message, scope: Scope) -> None:
    """`before_send` hook: how much is left to this caller."""
    spent: Spent | None = cast(dict[str, Any], scope).get(SPENT)
    if spent is None or message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    headers["RateLimit-Limit"] = str(spent.limit)
    headers["RateLimit-Remaining"] = str(spent.remaining)
    headers["RateLimit-Reset"] = str(spent.reset_seconds)
