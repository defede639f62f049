"""Cron, rate and at: what they accept, and when they come due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.eventing.cron import Cron, parse_cron
from cloudlet.emulator.eventing.expressions import next_occurrence, parse_expression

NEW_YORK = ZoneInfo("America/New_York")


def following(expression: str, after: str, count: int, zone: ZoneInfo | None = None) -> list[str]:
    """The next local times, written short."""
    place = zone or UTC
    schedule = parse_expression(expression, strict_units=True)
    moment: float | None = datetime.fromisoformat(after).replace(tzinfo=place).timestamp()
    found = []
    for _ in range(count):
        assert moment is not None
        moment = next_occurrence(schedule, moment, 0.0, place)
        if moment is None:
            break
        found.append(datetime.fromtimestamp(moment, place).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("15 10 * * ? *", ["2026-11-24 10:15", "2026-11-25 10:15"]),
        ("0/20 9-10 ? * MON-FRI *", ["2026-11-24 09:00", "2026-11-24 09:20"]),
        ("0 0 L * ? *", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("0 0 L-2 * ? *", ["2026-11-28 00:00", "2026-12-29 00:00"]),
        ("0 0 LW * ? *", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("0 0 1W * ? *", ["2026-12-01 00:00", "2027-01-01 00:00"]),
        ("0 0 15W * ? *", ["2026-12-15 00:00", "2027-01-15 00:00"]),
        ("0 0 ? * 6L *", ["2026-11-27 00:00", "2026-12-25 00:00"]),
        ("0 0 ? * TUE#4 *", ["2026-12-22 00:00", "2027-01-26 00:00"]),
        ("0 0 ? * FRI-SUN *", ["2026-11-27 00:00", "2026-11-28 00:00"]),
        ("0 0 29 FEB ? *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 1 1 ? 2030-2031", ["2030-01-01 00:00", "2031-01-01 00:00"]),
        ("0 0 ? * L *", ["2026-11-28 00:00", "2026-12-05 00:00"]),
        ("5,10 22-1 * * ? *", ["2026-11-24 00:05", "2026-11-24 00:10"]),
    ],
)
def test_a_cron_expression_comes_due(fields: str, expected: list[str]) -> None:
    assert following(f"cron({fields})", "2026-11-24 00:00", 2) == expected


def test_an_expression_that_never_comes_has_no_next() -> None:
    assert following("cron(0 0 30 2 ? *)", "2026-11-24 00:00", 1) == []
    assert following("cron(0 0 1 1 ? 2001)", "2026-11-24 00:00", 1) == []


@pytest.mark.parametrize(
    "text",
    [
        "cron()",
        "cron(0 1 * * * *)",
        "cron(0 1 ? * ? *)",
        "cron(60 1 * * ? *)",
        "cron(*/60 * * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 1 32 * ? *)",
        "cron(0 1 * 13 ? *)",
        "cron(0 1 ? * 8 *)",
        "cron(0 1 ? * MON#6 *)",
        "cron(0 1 * * NOT *)",
        "cron(0 1 * * ? 1969)",
        "cron(0 1 * * ?)",
        "cron(0 0 1 1 ? 2031-2030)",
        " rate(10 minutes)",
        "rate(10 minutes) ",
        "rate( 10 minutes )",
        "rate(10  minutes)",
        "rate(0 minutes)",
        "rate(-1 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(5 seconds)",
        "rate(5)",
        "rate()",
        "RATE(5 minutes)",
        "at(2026-11-24)",
        "at(2026-11-24T18:00:00Z)",
        "at(2026-13-24T18:00:00)",
        "*/5 * * * *",
        "",
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_expression(text, strict_units=True)


def test_a_rate_counts_from_its_anchor() -> None:
    rate = parse_expression("rate(5 minutes)", strict_units=True)
    assert next_occurrence(rate, 1000.0, 1000.0) == 1300.0
    assert next_occurrence(rate, 1299.9, 1000.0) == 1300.0
    assert next_occurrence(rate, 1300.0, 1000.0) == 1600.0
    assert next_occurrence(rate, 99_999.0, 1000.0) == 100_000.0


def test_an_hour_that_does_not_exist_is_skipped() -> None:
    assert following("cron(30 2 * * ? *)", "2026-03-07 12:00", 2, NEW_YORK) == ["2026-03-09 02:30", "2026-03-10 02:30"]


def test_an_hour_that_comes_twice_counts_once() -> None:
    assert following("cron(30 1 * * ? *)", "2026-10-31 12:00", 2, NEW_YORK) == ["2026-11-01 01:30", "2026-11-02 01:30"]
    assert following("cron(0 * * * ? *)", "2026-11-01 00:30", 3, NEW_YORK) == [
        "2026-11-01 01:00",
        "2026-11-01 02:00",
        "2026-11-01 03:00",
    ]


def test_once_is_a_local_time() -> None:
    once = parse_expression("at(2026-07-01T12:00:00)", strict_units=False)
    noon = datetime(2026, 7, 1, 16, tzinfo=UTC).timestamp()
    assert next_occurrence(once, 0.0, 0.0, NEW_YORK) == noon
    assert next_occurrence(once, noon, 0.0, NEW_YORK) is None


FIELD = st.one_of(st.just("*"), st.integers(0, 23).map(str), st.integers(1, 20).map(lambda step: f"*/{step}"))


@given(
    minute=FIELD,
    hour=FIELD,
    day=st.one_of(st.just("*"), st.integers(1, 31).map(str), st.just("L"), st.integers(1, 31).map("{}W".format)),
    start=st.integers(1_700_000_000, 1_900_000_000),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_the_next_one_is_the_first_that_fits(minute: str, hour: str, day: str, start: int, zone: str) -> None:
    cron = parse_expression(f"cron({minute} {hour} {day} * ? *)", strict_units=True)
    assert isinstance(cron, Cron)
    place = ZoneInfo(zone)
    found = next_occurrence(cron, start, 0.0, place)
    assert found is not None
    assert found > start
    local = datetime.fromtimestamp(found, place).replace(tzinfo=None)
    assert fits(cron, local)
    step = datetime.fromtimestamp(start, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(300):  # none of the minutes before it fits
        if step.timestamp() >= found:
            break
        there = step.astimezone(place)
        assert there.fold or not fits(cron, there.replace(tzinfo=None))
        step += timedelta(minutes=1)


def fits(cron: Cron, local: datetime) -> bool:
    return (
        local.minute in cron.minutes
        and local.hour in cron.hours
        and local.month in cron.months
        and local.day in cron.days(local.year, local.month)
    )


@given(st.text(alphabet="0123456789*?,-/LW#MONTUE ", max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        cron = parse_cron(text)
    except ValueError:
        return
    assert cron.minutes
    assert (cron.month_days is None) != (cron.week_days is None)
