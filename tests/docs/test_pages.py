"""Everything that a user can type or meet has a line in the docs, and the docs name nothing that is not there."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudlet.cli.lazy import COMMANDS
from cloudlet.cli.main import cli
from cloudlet.emulator.gateway.internal.routes import ROUTES
from cloudlet.license.reasons import ALL as REASONS
from cloudlet.settings import read_settings, shown_settings
from tools.settings_page import source_of, variables

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)")
CODE = re.compile(r"[\"']([a-z_]+\.[a-z_]+)[\"']")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(group: object = cli, path: str = "cloudlet") -> Iterator[str]:
    """`cloudlet auth set-token` of every command."""
    names = list(COMMANDS) if group is cli else sorted(getattr(group, "commands", {}))
    for name in names:
        command = cli.get_command(None, name) if group is cli else group.commands[name]  # type: ignore[arg-type,attr-defined]
        inner = getattr(command, "commands", {})
        if not inner or getattr(command, "invoke_without_command", False):
            yield f"{path} {name}"
        yield from commands(command, f"{path} {name}") if inner else ()


def test_every_command_has_a_line() -> None:
    page = text("docs/cli.md")
    assert [command for command in commands() if f"| `{command}` |" not in page] == []


def test_the_page_names_no_command_that_is_not_there() -> None:
    named = re.findall(r"^\| `(cloudlet [a-z -]+)` \|", text("docs/cli.md"), re.MULTILINE)
    assert set(named) == set(commands())


@pytest.mark.parametrize("class_name", ["Settings", "PlatformSettings", "CommandSettings"])
def test_every_setting_has_a_line_with_a_meaning(class_name: str) -> None:
    page = text("docs/configuration.md")
    rows = list(variables(class_name, source_of(class_name)))
    assert rows
    assert [row.name for row in rows if f"| `{row.name}` |" not in page or not row.meaning] == []


def test_every_variable_that_is_read_is_a_setting_with_a_line() -> None:
    """A variable that is read without a comment at its field would be missing from the page."""
    sources = "".join(path.read_text() for path in (ROOT / "src" / "cloudlet" / "settings").glob("*.py"))
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z][A-Z0-9_]+)"', sources)) - {"HTTP_PROXY", "HTTPS_PROXY"}
    page = text("docs/configuration.md")
    assert {name for name in read if name not in page} == set()


def test_every_shown_setting_is_known_by_a_variable_of_the_page() -> None:
    page = text("docs/configuration.md")
    internal = {"MAX_HEADER_BYTES", "TEMPORARY_DIR", "IN_CONTAINER"}
    assert {name for name in shown_settings(read_settings({})) if f"`{name}`" not in page} <= internal


def test_every_internal_endpoint_has_its_method_and_path() -> None:
    page = text("docs/internal-api.md")
    assert [f"{method} {path}" for method, path, _ in ROUTES if f"`{method} {path}`" not in page] == []


def test_the_page_names_no_endpoint_that_is_not_there() -> None:
    named = set(
        re.findall(r"`((?:GET|HEAD|POST|PUT|PATCH|DELETE) /(?:_|openapi)[^`\s]+)`", text("docs/internal-api.md"))
    )
    assert named == {f"{method} {path}" for method, path, _ in ROUTES}


def error_codes(folder: str, *callers: str) -> set[str]:
    """Literal codes given to the named exceptions: as `code=`, or as the second argument."""
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in callers:
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"] or node.args[1:2]
            found |= {str(value.value) for value in given if isinstance(value, ast.Constant)}
    return found


def test_every_code_of_the_internal_api_has_a_line() -> None:
    page = text("docs/internal-api.md")
    codes = error_codes("src/cloudlet/emulator/gateway/internal", "InternalError")
    assert "snapshot.unknown" in codes
    assert {code for code in codes if f"`{code}`" not in page} == set()


def test_every_code_of_the_command_line_has_a_line() -> None:
    page = text("docs/cli.md")
    codes = {code for code in error_codes("src/cloudlet/cli", "Failed", "fail") if not code.startswith("credentials.")}
    assert "port.taken" in codes
    assert {code for code in codes if f"`{code}`" not in page} == set()


def test_every_license_reason_has_a_line() -> None:
    page = text("docs/errors.md")
    assert [reason.code for reason in REASONS if f"`{reason.code}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [found[1] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_files_of_the_architecture_page_exist() -> None:
    named = re.findall(r"`(src/[a-zA-Z_/.]+)`", text("ARCHITECTURE.md"))
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def examples() -> Iterator[tuple[str, str]]:
    """Page and words after `cloudlet` or `localstack` of each command in a shell example."""
    for page in PAGES:
        for language, body in FENCE.findall(page.read_text(encoding="utf-8")):
            for line in body.splitlines() if language in ("bash", "powershell") else ():
                found = re.search(r"(?:^|[ ;|/])(?:cloudlet|localstack) ([a-z][^|;&#]*)", line)
                if found:
                    yield page.name, found[1].strip()


@pytest.mark.parametrize(("page", "words"), sorted(set(examples())))
def test_the_commands_of_the_docs_exist(page: str, words: str) -> None:
    arguments = shlex.split(words)
    path = [word for word in arguments if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
    options = [word for word in arguments if word.startswith("--")]
    command = path[: 2 if path[0] in ("auth", "config", "control", "admin", "license", "workspace", "ci-key") else 1]
    shown = subprocess.run(
        [sys.executable, "-m", "cloudlet", *command, "--help"], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert [option for option in options if option.partition("=")[0] not in shown.stdout] == []


def test_the_makefile_has_the_targets_of_the_docs() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = {
        found
        for page in PAGES
        for found in re.findall(
            r"`?\bmake ([a-z-]+)\b",
            " ".join(body for language, body in FENCE.findall(page.read_text(encoding="utf-8")) if language == "bash"),
        )
    }
    assert named
    assert named <= targets
