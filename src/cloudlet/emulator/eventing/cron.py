"""AWS's cron expressions: minutes, hours, day of month, month, day of week, year.

    cron = parse_cron("0/15 8-17 ? * MON-FRI *")      # ValueError: not one
    cron.days(2026, 11)                                # days of a month on which it may run

Days of the week are 1 (Sunday) to 7. Beside lists, ranges and steps there are `L` (last day; `5L`: last Thursday), `W`
(`15W`: the weekday nearest to the 15th; `LW`: the last one), `3#2` (second Tuesday) and `?` (this field does not count).
One of day of month and day of week, and only one, is `?`.
Source: "Cron expressions reference" in the Amazon EventBridge User Guide.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

NO_NAMES = MappingProxyType[str, int]({})
MONTHS = MappingProxyType({name.upper(): number for number, name in enumerate(calendar.month_abbr) if name})
DAYS = MappingProxyType(
    {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
)
FIRST_YEAR, LAST_YEAR = 1970, 2199
NEAREST = re.compile(r"(\d{1,2})W")
LAST_MINUS = re.compile(r"L-(\d{1,2})")
LAST_OF_DAY = re.compile(r"([A-Z]{3}|\d)L")
NTH = re.compile(r"([A-Z]{3}|\d)#(\d)")
SATURDAY, SUNDAY = 5, 6  # as `calendar` counts


class Cron(msgspec.Struct, frozen=True):
    """The values of each field, in order. Of the days one of `month_days` and `week_days` is None."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    month_days: MonthDays | None
    week_days: WeekDays | None

    def days(self, year: int, month: int) -> list[int]:
        """The days of a month on which it runs, in order."""
        if self.month_days is not None:
            return self.month_days.of(year, month)
        return self.week_days.of(year, month) if self.week_days is not None else []


class MonthDays(msgspec.Struct, frozen=True):
    """Days of the month. `nearest`: days whose nearest weekday counts; `before_last`: distances from the last day."""

    days: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    before_last: frozenset[int] = frozenset()
    last_weekday: bool = False

    def of(self, year: int, month: int) -> list[int]:
        last = calendar.monthrange(year, month)[1]
        found = {day for day in self.days if day <= last}
        found |= {nearest_weekday(year, month, day) for day in self.nearest if day <= last}
        found |= {last - distance for distance in self.before_last if distance < last}
        if self.last_weekday:
            found.add(nearest_weekday(year, month, last))
        return sorted(found)


class WeekDays(msgspec.Struct, frozen=True):
    """Days of the week, 1 is Sunday. `nth`: (day, which of the month)."""

    days: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()

    def of(self, year: int, month: int) -> list[int]:
        first, length = calendar.monthrange(year, month)
        first = (first + 1) % 7 + 1  # `calendar` counts from Monday, 0
        found = set()
        for day in range(1, length + 1):
            week_day = (first + day - 2) % 7 + 1
            if (
                week_day in self.days
                or (week_day in self.last and day > length - 7)
                or (week_day, (day - 1) // 7 + 1) in self.nth
            ):
                found.add(day)
        return sorted(found)


def nearest_weekday(year: int, month: int, day: int) -> int:
    """The Monday to Friday nearest to a day, in the same month."""
    last = calendar.monthrange(year, month)[1]
    week_day = calendar.weekday(year, month, day)
    if week_day == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if week_day == SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def parse_cron(text: str) -> Cron:
    """Six fields with blanks between them. Raises ValueError."""
    fields = text.upper().split()
    if len(fields) != 6 or text != text.strip():
        raise ValueError(f"{len(fields)} fields, six are needed")
    minutes, hours, month_days, months, week_days, years = fields
    if (month_days == "?") == (week_days == "?"):
        raise ValueError("one of day of month and day of week has to be ?")
    return Cron(
        parse_field(minutes, 0, 59),
        parse_field(hours, 0, 23),
        parse_field(months, 1, 12, MONTHS),
        parse_field(years, FIRST_YEAR, LAST_YEAR),
        None if month_days == "?" else parse_month_days(month_days),
        None if week_days == "?" else parse_week_days(week_days),
    )


def parse_month_days(text: str) -> MonthDays:
    if text in ("LW", "WL"):
        return MonthDays(last_weekday=True)
    if text == "L":
        return MonthDays(before_last=frozenset({0}))
    before_last = LAST_MINUS.fullmatch(text)
    if before_last is not None:
        return MonthDays(before_last=frozenset({checked(int(before_last[1]), 0, 30)}))
    nearest = NEAREST.fullmatch(text)
    if nearest is not None:
        return MonthDays(nearest=frozenset({checked(int(nearest[1]), 1, 31)}))
    return MonthDays(frozenset(parse_field(text, 1, 31)))


def parse_week_days(text: str) -> WeekDays:
    if text == "L":
        return WeekDays(frozenset({7}))
    last = LAST_OF_DAY.fullmatch(text)
    if last is not None:
        return WeekDays(last=frozenset({number(last[1], 1, 7, DAYS)}))
    nth = NTH.fullmatch(text)
    if nth is not None:
        return WeekDays(nth=frozenset({(number(nth[1], 1, 7, DAYS), checked(int(nth[2]), 1, 5))}))
    return WeekDays(frozenset(parse_field(text, 1, 7, DAYS)))


def parse_field(text: str, low: int, high: int, names: Mapping[str, int] = NO_NAMES) -> tuple[int, ...]:
    """A list of values, ranges and steps as the values it stands for, in order. Raises ValueError."""
    found: set[int] = set()
    parts = [part for part in text.split(",") if part]
    if not parts:
        raise ValueError("an empty field")
    for part in parts:
        found.update(parse_part(part, low, high, names))
    return tuple(sorted(found))


def parse_part(text: str, low: int, high: int, names: Mapping[str, int]) -> list[int]:
    span, slash, step = text.partition("/")
    by = checked(digits(step), 1, high) if slash else 1
    if span in ("*", ""):  # "/5" is "*/5"
        return list(range(low, high + 1, by))
    first, dash, last = span.partition("-")
    begin = number(first, low, high, names)
    if not dash:
        return list(range(begin, high + 1, by)) if slash else [begin]
    end = number(last, low, high, names)
    if end >= begin:
        return list(range(begin, end + 1, by))
    if low == FIRST_YEAR:
        raise ValueError(f"{text} runs backwards")
    around = high - low + 1  # FRI-MON, 22-2
    return [low + (value - low) % around for value in range(begin, end + around + 1, by)]


def number(text: str, low: int, high: int, names: Mapping[str, int]) -> int:
    named = names.get(text)
    return named if named is not None else checked(digits(text), low, high)


def digits(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} is no number")
    return int(text)


def checked(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(f"{value} is not between {low} and {high}")
    return value
