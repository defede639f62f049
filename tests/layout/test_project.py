"""The project itself keeps the house rules, and no file of it names a machine's paths or a package registry."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Spelled in pieces, so that this file does not name what it forbids.
REGISTRIES = re.compile(
    "|".join(("pypi" r"\.org", "python" r"hosted\.org", "registry" r"\.npmjs", r"deb\.debian" r"\.org"))
)


def test_the_house_rules_hold() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tools.check_layout"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_lock_holds_versions_and_hashes_and_no_place() -> None:
    for line in filter(None, (ROOT / "requirements.lock").read_text().splitlines()):
        assert line.startswith(("#", "    --hash=sha256:")) or re.match(r"[a-z0-9._-]+==\S+( ; .+)? \\$", line), line


def test_no_tracked_file_names_a_registry() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        is_text = path.is_file() and path.suffix in {".py", ".md", ".toml", ".lock", ".yml", ".yaml", ""}
        if is_text and REGISTRIES.search(path.read_text(encoding="utf-8", errors="replace")):
            found.append(name)
    assert found == []
