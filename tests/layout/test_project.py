"""The project itself keeps the house rules, and no file of it names a machine's paths or a package registry."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from tools.layout.source import Source

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


def imported_packages(folder: str) -> set[str]:
    """Top-level names of what the files import, the standard library and our own left out."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for entry in Source.read(ROOT, path).imports:
            found.add(entry.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"cloudlet", "tests", "tools", ""}


def test_what_the_program_imports_is_a_dependency_with_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    extras = [name for extra, names in project["optional-dependencies"].items() if extra != "dev" for name in names]
    declared = {re.split(r"[^a-zA-Z0-9-]", entry)[0] for entry in [*project["dependencies"], *extras]}
    names = {
        "argon2": "argon2-cffi",
        "dns": "dnspython",
        "jsonata": "jsonata-python",
        "jsonpath": "python-jsonpath",
        "prometheus_client": "prometheus-client",
        "samtranslator": "aws-sam-translator",
        "yaml": "pyyaml",
    }
    assert {names.get(package, package) for package in imported_packages("src")} <= declared
    start, end = text.index("dependencies = ["), text.index("[project.optional-dependencies]")
    lines = [line for line in text[start:end].splitlines() if line.strip().startswith('"')]
    assert [line for line in lines if "  # " not in line and ", # " not in line] == []


def test_a_wheel_holds_everything_that_the_program_reads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(["git", "ls-files", "src"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = [name.removeprefix("src/") for name in tracked.splitlines() if (ROOT / name).is_file()]
    assert [name for name in files if name not in held] == []
