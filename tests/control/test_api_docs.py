"""The page about the API has a line for each operation, and none for others."""

from __future__ import annotations

import re
from pathlib import Path

from cloudlet.control.api.routes import OPERATIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "platform-api.md"


def test_every_operation_has_a_line_and_every_line_an_operation() -> None:
    named = re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /\S+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(f"{entry.method} {entry.path}" for entry in OPERATIONS)


def test_every_operation_says_what_it_does() -> None:
    assert [entry.name for entry in OPERATIONS if not entry.summary.endswith(".")] == []
    assert len({entry.name for entry in OPERATIONS}) == len(OPERATIONS)
