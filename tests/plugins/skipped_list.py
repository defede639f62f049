"""The run ends with the list of what was skipped, each with its reason: nothing is left out in silence.

pytest's own `-rs` folds skips by place; this list counts tests by reason, which is what a reader wants to know:
which tool is missing on this machine, and how many tests went without it.
"""

from __future__ import annotations

from collections import Counter

import pytest


def reason_of(report: pytest.TestReport) -> str:
    """`psql is not installed` of a skipped test's report."""
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ").strip() or "no reason given"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section("skipped, and why")
    for reason, count in sorted(Counter(reason_of(report) for report in skipped).items()):
        terminalreporter.line(f"{count:4d}  {reason}")
