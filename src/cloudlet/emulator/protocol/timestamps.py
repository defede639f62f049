"""Moments on the wire. Inside Cloudlet a moment is a float: seconds since the epoch, UTC.

Wire forms: `iso8601` (2026-11-24T10:51:20Z, milliseconds where there are any), `rfc822` (HTTP dates) and
`unixTimestamp` (a number). Parsing accepts all of them in any place, as AWS does.
"""

from __future__ import annotations

import calendar
import math
import re
import time
from functools import lru_cache

DAY_SECONDS = 86_400
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NUMBERS = tuple(enumerate((month.lower() for month in MONTHS), 1))

ISO8601 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?\s*(?:[Zz]|([+-])(\d{2}):?(\d{2}))?)?\Z"
)
ISO8601_BASIC = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\Z")
HTTP_DATE = re.compile(
    r"(?:[A-Za-z]{3,9},\s*)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}|\d{2})\s+(\d{2}):(\d{2}):(\d{2})(\.\d+)?"
    r"\s*(?:GMT|UTC|Z|([+-])(\d{2})(\d{2}))?\Z"
)


@lru_cache(maxsize=4096)
def minute_text(minute: int) -> str:
    """`YYYY-MM-DDTHH:MM:` of a minute's number since the epoch. The answers of one page share few minutes."""
    year, month, date, hour, minutes = time.gmtime(minute * 60)[:5]
    return f"{year:04d}-{month:02d}-{date:02d}T{hour:02d}:{minutes:02d}:"


@lru_cache(maxsize=512)
def day_http_text(day: int) -> str:
    """`Tue, 24 Nov 2026` of a day number since the epoch."""
    moment = time.gmtime(day * DAY_SECONDS)
    return f"{WEEKDAYS[moment.tm_wday]}, {moment.tm_mday:02d} {MONTHS[moment.tm_mon - 1]} {moment.tm_year:04d}"


def whole_milliseconds(seconds: float) -> int:
    """Rounded down; the small addend undoes the binary representation of decimal fractions."""
    return math.floor(seconds * 1000 + 0.01)


@lru_cache(maxsize=2048)  # a listing has many objects of the same second
def iso8601_millis(seconds: float) -> str:
    """Always with milliseconds, as S3 does: `2026-11-24T10:51:20.000Z`."""
    whole = math.floor(seconds)
    millis = 0 if whole == seconds else math.floor((seconds - whole) * 1000 + 0.01)
    if millis == 1000:
        whole, millis = whole + 1, 0
    return f"{minute_text(whole // 60)}{whole % 60:02d}.{millis:03d}Z"


def iso8601(seconds: float) -> str:
    """With milliseconds where there are any: `2026-11-24T10:51:20Z`."""
    text = iso8601_millis(seconds)
    return text[:-5] + "Z" if text.endswith(".000Z") else text


@lru_cache(maxsize=2048)
def http_date(seconds: float) -> str:
    """`Tue, 24 Nov 2026 10:51:20 GMT`."""
    day, rest = divmod(math.floor(seconds), DAY_SECONDS)
    return f"{day_http_text(day)} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d} GMT"


def epoch_number(seconds: float) -> int | float:
    """A whole number where the moment is one, else with three decimals."""
    millis = whole_milliseconds(seconds)
    return millis // 1000 if millis % 1000 == 0 else millis / 1000


def parse_timestamp(text: str | int | float) -> float:
    """A moment in any wire form. Raises ValueError."""
    if isinstance(text, int | float):
        if isinstance(text, bool) or not math.isfinite(text):
            raise ValueError(f"{text!r} is no moment")
        return float(text)
    text = text.strip()
    if match := ISO8601.match(text):
        year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups("")
    elif match := ISO8601_BASIC.match(text):
        year, month, day, hour, minute, second = match.groups("")
        fraction = sign = zone_hours = zone_minutes = ""
    elif match := HTTP_DATE.match(text):
        day, name, year, hour, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups("")
        month = str(month_number(name))
        if len(year) == 2:
            year = f"{'19' if int(year) >= 70 else '20'}{year}"
    else:
        return parse_timestamp(float(text))
    fields = (int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    if not (1 <= fields[1] <= 12 and 1 <= fields[2] <= 31 and fields[3] < 24 and fields[4] < 60 and fields[5] <= 60):
        raise ValueError(f"{text!r} is no moment")
    whole = calendar.timegm((*fields, 0, 0, 0))
    if sign:
        offset = int(zone_hours) * 3600 + int(zone_minutes) * 60
        whole -= offset if sign == "+" else -offset
    return whole + round(float(fraction), 6) if fraction else float(whole)


def month_number(name: str) -> int:
    for number, month in MONTH_NUMBERS:
        if month == name.lower():
            return number
    raise ValueError(f"{name!r} is no month")
