"""Times as Lambda writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_offset(moment: float) -> str:
    """`2026-11-24T10:00:00.123+0000`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(moment * 1000) % 1000:03d}+0000"


def iso_zulu(moment: float) -> str:
    """`2026-11-24T10:00:00.123Z`."""
    return iso_offset(moment)[:-5] + "Z"


def iso_seconds(moment: float) -> str:
    """`2026-11-24T10:00:00+0000`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
