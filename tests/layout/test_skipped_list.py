"""The end of a run says what was skipped and why, also from several processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPING = """
import pytest

@pytest.mark.parametrize("n", range(3))
def test_with_a_tool(n):
    pytest.skip("wrk is not installed")

def test_without():
    pass
"""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_skipped_tests_are_counted_by_reason(tmp_path: Path, processes: str) -> None:
    (tmp_path / "test_some.py").write_text(SKIPPING)
    words = ["-m", "pytest", "-q", "-p", "tests.plugins.skipped_list", "-n", processes, "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *words, "-c", "/dev/null", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped, and why" in done.stdout
    assert "   3  wrk is not installed" in done.stdout
