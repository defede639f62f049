"""Data points of a metric as values by period.

moto's data points have either one `value`, or `min`, `max`, `sum` and `sample_count` of several. Percentiles need single
values, as in AWS. Times are seconds since the epoch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any, NamedTuple

MINUTE_SECONDS = 60
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{0,10})?|100)\Z")
TRIMMED = re.compile(r"(tm|wm|tc|ts)(\d{1,2}(?:\.\d{0,10})?|100)\Z")
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


class Wanted(NamedTuple):
    """One metric; `unit` None is every unit."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    unit: str | None = None


class Bucket(NamedTuple):
    """The data points of one period."""

    start: float
    points: list[Any]


def moment_of(point: Any) -> float:
    when = point.timestamp
    return float((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def dimensions_of(listed: Iterable[Any]) -> frozenset[tuple[str, str]]:
    """Of a request."""
    return frozenset((entry["Name"], entry.get("Value", "")) for entry in listed)


def dimensions_at(point: Any) -> frozenset[tuple[str, str]]:
    return frozenset((dimension.name, dimension.value) for dimension in point.dimensions)


def unit_of(point: Any) -> str:
    return point.unit or "None"


def chosen(points: Iterable[Any], wanted: Wanted) -> Iterator[Any]:
    for point in points:
        if (
            point.namespace == wanted.namespace
            and point.name == wanted.name
            and dimensions_at(point) == wanted.dimensions
            and wanted.unit in (None, unit_of(point))
        ):
            yield point


def buckets(points: Iterable[Any], start: float, end: float, period: int) -> list[Bucket]:
    """Periods with data between start (included) and end (not), the oldest first."""
    start -= start % min(period, MINUTE_SECONDS)
    found: dict[int, list[Any]] = {}
    for point in points:
        when = moment_of(point)
        if start <= when < end:
            found.setdefault(int((when - start) // period), []).append(point)
    return [Bucket(start + index * period, found[index]) for index in sorted(found)]


def values_of(points: Sequence[Any]) -> list[float]:
    """Single values; none where a point stands for several that differ."""
    found: list[float] = []
    for point in points:
        if hasattr(point, "value"):
            found.append(float(point.value))
        elif point.min == point.max:
            found += [float(point.min)] * int(point.sample_count)
        else:
            return []
    return found


def count_of(points: Sequence[Any]) -> float:
    return float(sum(1 if hasattr(point, "value") else float(point.sample_count) for point in points))


def sum_of(points: Sequence[Any]) -> float:
    return math.fsum(float(point.value if hasattr(point, "value") else point.sum) for point in points)


def statistic(points: Sequence[Any], name: str) -> float | None:
    """A statistic of a period; None for a percentile of points that are not single values."""
    if name == "SampleCount":
        return count_of(points)
    if name == "Sum":
        return sum_of(points)
    if name == "Average":
        count = count_of(points)
        return sum_of(points) / count if count else None
    if name == "Minimum":
        return min(float(point.value if hasattr(point, "value") else point.min) for point in points)
    if name == "Maximum":
        return max(float(point.value if hasattr(point, "value") else point.max) for point in points)
    return extended(sorted(values_of(points)), name)


def extended(values: list[float], name: str) -> float | None:
    if not values:
        return None
    found = PERCENTILE.match(name)
    if found:
        return percentile(values, float(found[1]))
    trimmed = TRIMMED.match(name)
    if trimmed:
        kept = values[: max(1, math.ceil(len(values) * float(trimmed[2]) / 100))]
        if trimmed[1] == "tc":
            return float(len(kept))
        if trimmed[1] == "ts":
            return math.fsum(kept)
        if trimmed[1] == "wm":
            kept = kept + [kept[-1]] * (len(values) - len(kept))
        return math.fsum(kept) / len(kept)
    if name == "IQM":
        quarter = len(values) // 4
        middle = values[quarter : len(values) - quarter] or values
        return math.fsum(middle) / len(middle)
    return None


def percentile(values: list[float], share: float) -> float:
    """Between the two nearest of sorted values."""
    place = (len(values) - 1) * share / 100
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def is_statistic(name: str) -> bool:
    return name in STATISTICS or name == "IQM" or bool(PERCENTILE.match(name) or TRIMMED.match(name))
