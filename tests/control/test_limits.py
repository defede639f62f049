"""Token buckets: in the database for everybody, in memory for each process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cloudlet.control.db import Database
from cloudlet.control.limits.errors import RateLimited
from cloudlet.control.limits.memory import Buckets, charge
from cloudlet.control.limits.service import FORGET_SECONDS, Limit, allow, check, forget, network_of
from cloudlet.control.limits.tables import RateBucket
from cloudlet.control.platform import Platform
from cloudlet.license.effects import SYSTEM, SystemEffects
from tests.control.people import sequence
from tests.control.serving import RunningPlatform


class StillEffects(SystemEffects):
    """A clock that moves when it is told to."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = SYSTEM.now()

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> StillEffects:
    return StillEffects()


@pytest.fixture
def here(platform: RunningPlatform, clock: StillEffects) -> Platform:
    return Platform(platform.settings, clock)


def take(database: Database, here: Platform, key: str, rate: float = 1.0, burst: int = 3) -> float | None:
    with database.transaction() as session:
        return allow(session, here, key, rate_per_second=rate, burst=burst)


def new_key() -> str:
    return f"test:{next(sequence)}"


def test_a_burst_is_allowed_and_then_the_rate(platform: RunningPlatform, here: Platform, clock: StillEffects) -> None:
    key = new_key()
    assert [take(platform.database, here, key) for _ in range(3)] == [None] * 3
    assert take(platform.database, here, key) == pytest.approx(1)
    clock.seconds += 0.5
    assert take(platform.database, here, key) == pytest.approx(0.5)
    clock.seconds += 0.5
    assert take(platform.database, here, key) is None
    assert take(platform.database, here, key) == pytest.approx(1)


def test_a_rest_fills_the_bucket_and_no_more(platform: RunningPlatform, here: Platform, clock: StillEffects) -> None:
    key = new_key()
    for _ in range(4):
        take(platform.database, here, key)
    clock.seconds += 3600
    assert [take(platform.database, here, key) is None for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_goes_back_gives_nothing_away(
    platform: RunningPlatform, here: Platform, clock: StillEffects
) -> None:
    key = new_key()
    for _ in range(3):
        take(platform.database, here, key)
    clock.seconds -= 1000
    assert take(platform.database, here, key) is not None
    clock.seconds += 1001
    assert take(platform.database, here, key) is None
    assert take(platform.database, here, key) is not None


def test_one_persons_limit_is_not_anothers(platform: RunningPlatform, here: Platform) -> None:
    limit = Limit("sign-in", 0.1, 1)
    one, two = str(next(sequence)), str(next(sequence))
    check(platform.database, here, limit, one)
    check(platform.database, here, limit, two)
    with pytest.raises(RateLimited) as refused:
        check(platform.database, here, limit, one)
    assert refused.value.retry_after_seconds == 10
    assert "10 seconds" in refused.value.hint


def test_of_many_at_once_as_many_pass_as_there_are_tokens(platform: RunningPlatform, here: Platform) -> None:
    key = new_key()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: take(platform.database, here, key, 0.001, 5), range(24)))
    assert sum(answer is None for answer in answers) == 5


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(st.floats(0, 5), max_size=12), rate=st.sampled_from((0.1, 1.0, 7.0)), burst=st.integers(1, 4))
def test_never_more_than_burst_and_rate_allow(
    platform: RunningPlatform, steps: list[float], rate: float, burst: int
) -> None:
    clock = StillEffects()
    here, key, granted, passed = Platform(platform.settings, clock), new_key(), 0, 0.0
    for step in steps:
        clock.seconds += step
        passed += step
        granted += take(platform.database, here, key, rate, burst) is None
        assert granted <= burst + passed * rate + 1e-6


def test_full_buckets_are_forgotten(platform: RunningPlatform, here: Platform, clock: StillEffects) -> None:
    old, new = new_key(), new_key()
    take(platform.database, here, old)
    clock.seconds += FORGET_SECONDS + 1
    take(platform.database, here, new)
    forget(platform.database, here)
    with platform.database.snapshot() as session:
        keys = set(session.scalars(select(RateBucket.key).where(RateBucket.key.in_((old, new)))))
    assert keys == {new}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("usr_01", "usr_01"),
        ("", ""),
    ],
)
def test_addresses_that_one_machine_may_have_count_together(address: str, network: str) -> None:
    assert network_of(address) == network


def test_changing_the_address_within_a_network_gives_no_new_tries(platform: RunningPlatform, here: Platform) -> None:
    limit = Limit(new_key(), rate_per_second=0.001, burst=2)
    for number in (1, 2):
        check(platform.database, here, limit, f"2001:db8:77::{number}")
    with pytest.raises(RateLimited):
        check(platform.database, here, limit, "2001:db8:77::3")
    check(platform.database, here, limit, "2001:db8:78::1")
    buckets = Buckets()
    scope: Any = {"litestar_app": SimpleNamespace(state=SimpleNamespace(buckets=buckets))}
    charge(scope, here, "license_address", "2001:db8:77::1")
    charge(scope, here, "license_address", "2001:db8:77::2")
    assert len(buckets._levels) == 1
