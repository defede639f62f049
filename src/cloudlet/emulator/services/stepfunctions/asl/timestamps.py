"""Timestamps in definitions and inputs (RFC 3339, `T` and `Z` in capitals), and as Step Functions writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

PATTERN = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(text: object) -> float | None:
    """Seconds since the epoch; None when this is no timestamp."""
    match = PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    if match[8]:
        offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
        moment = moment - offset if match[8] == "+" else moment + offset
    fraction = float("0." + match[7]) if match[7] else 0.0
    return (moment - EPOCH).total_seconds() + fraction


def http_date(seconds: float) -> str:
    """`Tue, 24 Nov 2026 10:35:15 GMT`."""
    return formatdate(seconds, usegmt=True)


def written(seconds: float) -> str:
    """`2026-11-24T10:35:15.123Z`."""
    whole = EPOCH + timedelta(milliseconds=int(seconds * 1000))
    return whole.strftime("%Y-%m-%dT%H:%M:%S.") + f"{whole.microsecond // 1000:03d}Z"
