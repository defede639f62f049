"""The environment is read in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.layout.rule import Rule
from tools.layout.source import Finding, Source

# The settings, and the programs inside which functions run: processes of their own, whose environment is the function's.
PLACES = ("src/cloudlet/settings/environment.py", "src/cloudlet/emulator/services/lambda_/programs/")
READERS = frozenset({"os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv"})


class Environment(Rule):
    name = "environment"
    advice = (
        "Add a field to Settings (or PlatformSettings) in src/cloudlet/settings/ and take the settings as an argument."
    )

    def check(self, source: Source) -> Iterator[Finding]:
        if source.path.startswith(PLACES):
            return
        for node in source.find(ast.Attribute, ast.Name):
            if isinstance(node, ast.expr) and source.dotted(node) in READERS:
                yield self.finding(source, node, f"reads {source.dotted(node)}")
