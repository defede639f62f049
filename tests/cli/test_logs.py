"""The last lines of a file are found from its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.cli import logs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines=st.lists(st.text("ab", max_size=9), max_size=12), count=st.integers(0, 14), block=st.integers(1, 20))
def test_the_last_lines_are_those_of_the_whole_text(tmp_path: Path, lines: list[str], count: int, block: int) -> None:
    path = tmp_path / "log"
    path.write_text("".join(line + "\n" for line in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "BLOCK", block)
        position = logs.start_of_last_lines(path, count)
    assert path.read_text()[position:].splitlines() == (lines[-count:] if count else [])
