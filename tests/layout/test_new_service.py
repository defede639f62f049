"""`make new-service`: in a copy of the project, the new service is found, served, tested, linted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.new_service import load_model, main_resource, names_of

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "tools", "docs", "pyproject.toml", "README.md", "tests/__init__.py", "tests/conftest.py")
COPIED_TESTS = ("tests/plugins", "tests/services/_template")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy with everything that a new service touches, and no tests but the template's."""
    skipped = shutil.ignore_patterns("__pycache__")
    for name in (*COPIED, *COPIED_TESTS):
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=skipped)
        else:
            shutil.copy(source, target)
    return tmp_path


def run(project: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": f"{project / 'src'}{os.pathsep}{project}"}
    done = subprocess.run(
        [sys.executable, *words], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "folder"), [("account", "account"), ("kms", "kms"), ("cognito-idp", "cognito_idp")])
def test_a_new_service_is_whole(project: Path, name: str, folder: str) -> None:
    run(project, "-m", "tools.new_service", name)
    tests = run(project, "-m", "pytest", f"tests/services/{folder}", "-q", "-p", "no:cacheprovider")
    assert "passed" in tests
    assert "failed" not in tests
    written = [f"src/cloudlet/emulator/services/{folder}", f"tests/services/{folder}"]
    run(project, "-m", "ruff", "check", *written)
    run(project, "-m", "ruff", "format", "--check", *written)
    findings = subprocess.run(
        [sys.executable, "-m", "tools.check_layout"], cwd=project, capture_output=True, text=True, check=False
    ).stdout
    assert not [line for line in findings.splitlines() if f"services/{folder}" in line]
    assert f"]({name}.md)" in (project / "docs/services/README.md").read_text()


def test_nothing_is_written_over(project: Path) -> None:
    run(project, "-m", "tools.new_service", "account")
    done = subprocess.run(
        [sys.executable, "-m", "tools.new_service", "account"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "exists already" in done.stderr


@pytest.mark.parametrize(
    ("name", "resource", "nouns"),
    [("kms", "Key", "keys"), ("kinesis", "Stream", "streams"), ("iam", "Policy", "policies")],
)
def test_the_first_resource_is_the_one_the_service_is_about(name: str, resource: str, nouns: str) -> None:
    model = load_model(name)
    assert main_resource(model) == resource
    assert names_of(model, resource).nouns == nouns


def test_a_name_that_botocore_does_not_have_is_refused_with_near_ones() -> None:
    with pytest.raises(SystemExit, match="cognito-idp"):
        load_model("cognito")
