"""Check the house rules (CONTRIBUTING.md, "House rules").

    python -m tools.check_layout [path …]

Prints each finding with its place and a sentence that tells how to do it instead; exit code 1 when there is one.
Without paths it looks at all Python files of src, tests, tools and benchmarks, and at the service folders.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.layout.effects import Effects
from tools.layout.environment import Environment
from tools.layout.exceptions import BroadExcept
from tools.layout.imports import ImportDirection, ImportsAtTheTop, MotoInOnePlace, ServicesApart
from tools.layout.rule import Rule
from tools.layout.services import check_services
from tools.layout.sizes import NoUtils, Sizes
from tools.layout.source import Finding, Source
from tools.layout.state import NoModuleState

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tests", "tools", "benchmarks")
RULES: tuple[Rule, ...] = (
    Environment(),
    Effects(),
    MotoInOnePlace(),
    ImportsAtTheTop(),
    ImportDirection(),
    ServicesApart(),
    BroadExcept(),
    NoModuleState(),
    Sizes(),
    NoUtils(),
)


def check_source(source: Source, rules: Sequence[Rule] = RULES) -> Iterator[Finding]:
    for rule in rules:
        if rule.applies_to(source):
            yield from rule.check(source)


def check_files(root: Path, paths: Sequence[Path]) -> Iterator[Finding]:
    for path in paths:
        yield from check_source(Source.read(root, path))


def python_files(root: Path) -> list[Path]:
    return [
        path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py")) if "__pycache__" not in path.parts
    ]


def main(arguments: Sequence[str]) -> int:
    if arguments:
        findings = list(check_files(ROOT, [Path(argument).resolve() for argument in arguments]))
    else:
        findings = [*check_files(ROOT, python_files(ROOT)), *check_services(ROOT)]
    for finding in findings:
        print(finding)
    if findings:
        print(f"\n{len(findings)} finding{'s' if len(findings) > 1 else ''}; the rules are in CONTRIBUTING.md")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
