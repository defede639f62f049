"""Moments in every wire form."""

from __future__ import annotations

import datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.protocol.timestamps import epoch_number, http_date, iso8601, iso8601_millis, parse_timestamp

MOMENTS = st.integers(-60_000_000_000_000, 250_000_000_000_000).map(lambda millis: millis / 1000)


@given(MOMENTS)
def test_every_form_is_read_back(moment: float) -> None:
    assert parse_timestamp(iso8601(moment)) == pytest.approx(moment, abs=1e-6)
    assert parse_timestamp(iso8601_millis(moment)) == pytest.approx(moment, abs=1e-6)
    assert parse_timestamp(http_date(moment)) == moment // 1
    assert parse_timestamp(epoch_number(moment)) == moment
    assert parse_timestamp(str(epoch_number(moment))) == moment


@given(MOMENTS)
def test_texts_are_those_of_the_standard_library(moment: float) -> None:
    date = datetime.datetime.fromtimestamp(round(moment * 1000) // 1000, datetime.UTC)
    assert http_date(moment) == format_datetime(date, usegmt=True)
    assert iso8601_millis(moment)[:19] == date.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-11-24T10:40:00Z", 1732444800),
        ("2024-11-24T10:40:00.123Z", 1732444800.123),
        ("2024-11-24T10:40:00.123456Z", 1732444800.123456),
        ("2024-11-24T12:40:00+02:00", 1732444800),
        ("2024-11-24T05:40:00-0500", 1732444800),
        ("2024-11-24 10:40:00Z", 1732444800),
        ("2024-11-24T10:40Z", 1732444800),
        ("2024-11-24", 1732406400),
        ("20241124T104000Z", 1732444800),
        ("Sun, 24 Nov 2024 10:40:00 GMT", 1732444800),
        ("Sun, 24 Nov 2024 10:40:00.5 GMT", 1732444800.5),
        ("Sunday, 24-Nov-24 10:40:00 GMT", 1732444800),
        ("24 Nov 2024 11:40:00 +0100", 1732444800),
        ("1732444800", 1732444800),
        ("1.7324448E9", 1732444800),
    ],
)
def test_forms_that_clients_send(text: str, moment: float) -> None:
    assert parse_timestamp(text) == pytest.approx(moment, abs=1e-6)


@pytest.mark.parametrize(
    "text", ["", "soon", "2024-13-01", "2024-11-24T25:00:00Z", "nan", "inf", "24 Foo 2024 10:40:00 GMT", True]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):
        parse_timestamp(text)


def test_milliseconds_are_not_lost_to_binary_fractions() -> None:
    assert iso8601_millis(1732444800.999) == "2024-11-24T10:40:00.999Z"
    assert iso8601(1732444800.1) == "2024-11-24T10:40:00.100Z"
    assert iso8601(1732444800) == "2024-11-24T10:40:00Z"
    assert epoch_number(1732444800.1239) == 1732444800.123
