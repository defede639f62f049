"""docs/ci.md and docs/kubernetes.md: what is not run is at least read; every block that is not run says why."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from cloudlet.settings import CI_RUN_VARIABLES, VARIABLE_NAMES, Settings
from tests.conftest import ROOT

BLOCK = re.compile(r"(<!-- not run: .+? -->\n\n)?```(\w+)\n(.*?)```", re.DOTALL)
CLIENTS = frozenset({"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"})
TOOLS = ("curl ", "cloudlet ", "docker run ", "docker stop ", "aws ", "make ")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def files() -> list[Any]:
    """Each pipeline of the page, named after its first line."""
    bodies = [body for _, language, body in BLOCK.findall(page("ci.md")) if language == "yaml"]
    return [pytest.param(body, id=body.splitlines()[0].removeprefix("# ")) for body in bodies]


def variables(node: Any) -> set[str]:
    """Names that are set anywhere in a pipeline."""
    if isinstance(node, list):
        return set().union(*(variables(entry) for entry in node))
    found: set[str] = set()
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("env", "variables", "environment"):
                found |= set(value)
            found |= variables(value)
    return found


def commands(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*(commands(entry) if isinstance(entry, dict | list) else {str(entry)} for entry in node))
    found: set[str] = set()
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "run" and isinstance(value, str):
                found.add(value)
            elif name == "script":
                found |= set(value)
            elif isinstance(value, dict | list) and name not in ("services", "on"):
                found |= {text for text in commands(value) if text.startswith(TOOLS)}
    return found


@pytest.mark.parametrize("text", files())
def test_every_variable_of_a_pipeline_means_something(text: str) -> None:
    fields = {VARIABLE_NAMES.get(field, field.upper()) for field in Settings.__struct_fields__}
    known = fields | CLIENTS | set(CI_RUN_VARIABLES)
    pipeline = yaml.safe_load(text)
    assert variables(pipeline)
    assert variables(pipeline) - known == set()


@pytest.mark.parametrize("text", files())
def test_the_commands_of_a_pipeline_are_ones_that_are_run_elsewhere(text: str) -> None:
    found = commands(yaml.safe_load(text))
    assert found
    assert [command for command in found if not command.startswith(TOOLS)] == []
    assert all("/_localstack/health" in command for command in found if command.startswith("curl "))


def test_three_systems_are_there() -> None:
    assert len(files()) == 3


@pytest.mark.parametrize("name", ["ci.md", "kubernetes.md"])
def test_what_is_not_run_says_why(name: str) -> None:
    """Of bash only what other tests type: the emulator's commands, docker's, and curl."""
    for skipped, language, body in BLOCK.findall(page(name)):
        if not skipped:
            assert language == "bash"
            assert [line for line in body.splitlines() if not line.startswith(TOOLS)] == []
