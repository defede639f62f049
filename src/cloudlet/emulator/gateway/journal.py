"""The log: one line per request, written in batches so that a request does not wait for the terminal.

2026-11-24T10:35:15.123  INFO cloudlet.request : AWS sqs.CreateQueue => 200 (POST, 1.2 ms)
2026-11-24T10:35:15.125  INFO cloudlet.request : AWS sqs.GetQueueUrl => 400 (AWS.SimpleQueueService.NonExistentQueue; POST, 0.3 ms)
"""

from __future__ import annotations

import asyncio
import logging
import sys
from types import MappingProxyType
from typing import TextIO

from cloudlet.emulator.effects.clock import Clock
from cloudlet.license.token import TokenMaskingFilter

LEVELS = MappingProxyType(
    {
        "trace": 5,
        "trace-internal": 5,
        "debug": logging.DEBUG,
        "info": logging.INFO,
        "warn": logging.WARNING,
        "error": logging.ERROR,
    }
)
FLUSH_AFTER_SECONDS = 0.05


class Journal:
    """Request lines and counters. `success_count` and `error_count` are API calls since the start."""

    def __init__(self, level: str, clock: Clock, stream: TextIO | None = None) -> None:
        self.set_level(level)
        self.success_count = 0
        self.error_count = 0
        self._clock = clock
        self._stream = stream if stream is not None else sys.stderr
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""

    def set_level(self, level: str) -> None:
        """Take effect at once. Raises KeyError for a name that is none."""
        self.enabled = LEVELS[level] <= logging.INFO

    def record(self, service: str, operation: str, method: str, status: int, code: str, milliseconds: float) -> None:
        """Note one answered API call. `code` is the error's code, empty on success."""
        if status < 400:
            self.success_count += 1
        else:
            self.error_count += 1
        if self.enabled:
            reason = f"{code}; {method}" if code else method
            self.line(
                f"INFO cloudlet.request : AWS {service}.{operation} => {status} ({reason}, {milliseconds:.1f} ms)"
            )

    def line(self, text: str) -> None:
        now = self._clock.wall()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = self._clock.iso_seconds(second)
        lines = self._lines
        lines.append(f"{self._stamp}.{int((now - second) * 1000):03d}  {text}\n")
        if len(lines) == 1:
            asyncio.get_running_loop().call_later(FLUSH_AFTER_SECONDS, self.flush)
        elif len(lines) >= 1000:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting. A log that cannot be written never breaks a request."""
        if self._lines:
            text = "".join(self._lines)
            self._lines.clear()
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                self.enabled = False


class LineFormatter(logging.Formatter):
    """Standard library records in the same form as the request lines."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = self.formatTime(record, "%Y-%m-%dT%H:%M:%S")
        text = f"{stamp}.{int(record.msecs):03d} {record.levelname:>5} {record.name} : {record.getMessage()}"
        if record.exc_text or record.exc_info:
            text += "\n" + (record.exc_text or self.formatException(record.exc_info or (None, None, None)))
        return text


def configure_logging(level: str, secrets: tuple[str, ...] = ()) -> None:
    """Send the standard library's records to stderr. Tokens, and these secrets, are masked in them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    handler.addFilter(TokenMaskingFilter(secrets))
    root = logging.getLogger("cloudlet")
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    root.propagate = False
