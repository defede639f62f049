"""How often somebody may do something: token buckets in the database, shared by all processes.

A bucket holds `burst` tokens and gets `rate_per_second` new ones; who takes one may go on. Each call is one statement, so
that of several processes which take the last token one gets it, on SQLite as on PostgreSQL.
"""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import msgspec
from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cloudlet.control.db import Database
from cloudlet.control.limits.errors import RateLimited
from cloudlet.control.limits.tables import IdempotencyKey, RateBucket
from cloudlet.control.platform import Platform

FORGET_SECONDS = 24 * 3600  # an untouched bucket is full by then, and a full bucket needs no row


class Limit(msgspec.Struct, frozen=True):
    """`burst` at once, then `rate_per_second`. A bucket must be full again within a day."""

    name: str
    rate_per_second: float
    burst: int


def allow(session: Session, platform: Platform, key: str, *, rate_per_second: float, burst: int) -> float | None:
    """Take a token of the bucket `key`. None when there was one, else the seconds until there is one.

    What a rolled-back transaction took is there again: count in a transaction of its own (`check` does) where the
    caller's may fail. `key` is kept as it is, so put no secret in it.
    """
    now = platform.effects.now()
    insert: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    grown = RateBucket.tokens + case((RateBucket.updated_at < now, now - RateBucket.updated_at), else_=0) * float(
        rate_per_second
    )
    refilled = case((grown > float(burst), float(burst)), else_=grown)
    taken = session.execute(
        insert(RateBucket)
        .values(key=key, tokens=float(burst - 1), updated_at=now)
        .on_conflict_do_update(
            index_elements=[RateBucket.key],
            set_={
                "tokens": refilled - 1,
                "updated_at": case((RateBucket.updated_at < now, now), else_=RateBucket.updated_at),
            },
            where=refilled >= 1,
        )
        .returning(RateBucket.tokens)
        .execution_options(populate_existing=True)
    ).first()
    if taken is not None:
        return None
    tokens, updated_at = session.execute(
        select(RateBucket.tokens, RateBucket.updated_at).where(RateBucket.key == key)
    ).one()
    missing = 1 - min(float(burst), tokens + max(0.0, now - updated_at) * rate_per_second)
    return float(max(missing, 0.001) / rate_per_second)


def network_of(address: str) -> str:
    """Whose requests count together: an IPv4 address; of IPv6 the /64, within which one machine has as many as it likes.

    What is no address stays as it is.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return address
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False))


def check(database: Database, platform: Platform, limit: Limit, who: str) -> None:
    """Take a token for `who`, in a transaction of its own; an address counts with its network. Raises RateLimited."""
    who = network_of(who)
    with database.transaction() as session:
        wait = allow(
            session, platform, f"{limit.name}:{who}"[:160], rate_per_second=limit.rate_per_second, burst=limit.burst
        )
    if wait is not None:
        raise RateLimited(wait)


def refill(session: Session, limit: Limit, who: str) -> None:
    """Give back what `who` took."""
    session.execute(delete(RateBucket).where(RateBucket.key == f"{limit.name}:{who}"[:160]))


def forget(database: Database, platform: Platform) -> None:
    """Buckets that are full again, and answers that are not given again any more."""
    with database.transaction() as session:
        session.execute(delete(RateBucket).where(RateBucket.updated_at < platform.effects.now() - FORGET_SECONDS))
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at <= platform.now()))
