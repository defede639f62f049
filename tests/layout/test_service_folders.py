"""A service folder that lacks something is found, and so is a dependency that its manifest does not name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.layout.services import check_services

MANIFEST = '[service]\nmodel = "sqs"\ndepends_on = []\n[operations]\ndone = ["CreateQueue"]\npartial = []\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one whole service in it."""
    files = {
        "src/cloudlet/emulator/services/sqs/service.toml": MANIFEST,
        "src/cloudlet/emulator/services/sqs/__init__.py": "",
        "src/cloudlet/emulator/services/sqs/api.py": "",
        "docs/services/sqs.md": "# SQS\n",
        "tests/services/sqs/test_queues.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def folder(root: Path) -> Path:
    return root / "src/cloudlet/emulator/services/sqs"


def found(root: Path) -> list[str]:
    return [finding.what for finding in check_services(root)]


def test_a_whole_folder_has_no_findings(root: Path) -> None:
    assert found(root) == []


@pytest.mark.parametrize("name", ["service.toml", "__init__.py", "api.py"])
def test_a_missing_file_is_named(root: Path, name: str) -> None:
    (folder(root) / name).unlink()
    assert found(root) == [f"src/cloudlet/emulator/services/sqs/{name} is missing"]


def test_missing_tests_and_a_missing_page_are_named(root: Path) -> None:
    (root / "docs/services/sqs.md").unlink()
    (root / "tests/services/sqs/test_queues.py").unlink()
    assert found(root) == ["docs/services/sqs.md is missing", "tests/services/sqs holds no test_*.py"]


def test_an_undeclared_dependency_is_found_where_it_is_used(root: Path) -> None:
    (folder(root) / "queues.py").write_text('def f(call):\n    call.invoke("kms", "Decrypt", {})\n')
    (finding,) = check_services(root)
    assert (finding.path, finding.line) == ("src/cloudlet/emulator/services/sqs/queues.py", 2)
    assert finding.what == "calls kms, which is not declared"
    assert 'Add "kms" to depends_on' in finding.advice


def test_an_unused_dependency_is_found(root: Path) -> None:
    (folder(root) / "service.toml").write_text(MANIFEST.replace("depends_on = []", 'depends_on = ["kms"]'))
    assert found(root) == ["depends_on names kms, which no call.invoke uses"]


def test_a_call_into_another_account_counts(root: Path) -> None:
    (folder(root) / "service.toml").write_text(MANIFEST.replace("depends_on = []", 'depends_on = ["sns"]'))
    (folder(root) / "queues.py").write_text('def f(call):\n    call.invoke_in(a, r, "sns", "Publish", {})\n')
    assert found(root) == []


def test_an_operation_is_said_once(root: Path) -> None:
    (folder(root) / "service.toml").write_text(MANIFEST.replace('["CreateQueue"]', '["CreateQueue", "CreateQueue"]'))
    assert found(root) == ["done names an operation twice"]


def test_a_manifest_without_its_tables_is_found(root: Path) -> None:
    (folder(root) / "service.toml").write_text('[service]\nmodel = "sqs"\n')
    assert found(root) == ["[service] lacks model or depends_on"]


def test_a_target_known_at_run_time_may_be_any_literal_of_the_folder(root: Path) -> None:
    (folder(root) / "service.toml").write_text(MANIFEST.replace("depends_on = []", 'depends_on = ["kms", "sns"]'))
    (folder(root) / "queues.py").write_text('TARGETS = ("sns",)\ndef f(call, name):\n    call.invoke(name, "X", {})\n')
    assert found(root) == ["depends_on names kms, which no call.invoke uses"]
