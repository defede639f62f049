"""Times as S3 writes them, cached by the second: a listing writes the same few again and again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache


@lru_cache(maxsize=4096)
def iso_second(moment: int) -> str:
    """Whole epoch seconds as in XML answers: `2026-11-24T10:45:22.000Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def iso_time(moment: float) -> str:
    """Epoch seconds with what they have of a fraction, as in error answers."""
    text = datetime.fromtimestamp(moment, UTC).isoformat().removesuffix("+00:00")
    return text + "Z"


@lru_cache(maxsize=4096)
def http_second(moment: int) -> str:
    """Whole epoch seconds as in headers: `Tue, 24 Nov 2026 10:45:22 GMT`."""
    return formatdate(moment, usegmt=True)
