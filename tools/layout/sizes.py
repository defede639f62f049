"""Files and functions that fit into a head."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.layout.rule import Rule
from tools.layout.source import Finding, Source

FILE_LINES = 500
FUNCTION_LINES = 70


class Sizes(Rule):
    name = "sizes"
    advice = "Divide it by resource: a noun is a module, a test file and a docs page (no utils.py)."

    def applies_to(self, source: Source) -> bool:
        return not source.is_generated

    def check(self, source: Source) -> Iterator[Finding]:
        if len(source.lines) > FILE_LINES:
            yield self.finding(source, 1, f"{len(source.lines)} lines; at most {FILE_LINES}")
        for node in source.find(ast.FunctionDef, ast.AsyncFunctionDef):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.end_lineno is None:
                continue
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                advice = "Take out the steps as functions of their own, each named after what it does."
                yield self.finding(source, node, f"{node.name}() has {length} lines; at most {FUNCTION_LINES}", advice)


class NoUtils(Rule):
    name = "no-utils"
    advice = "Name the module after the noun that it is about."

    def check(self, source: Source) -> Iterator[Finding]:
        stem = source.path.rpartition("/")[2].removesuffix(".py")
        if stem in ("utils", "util", "helpers", "helper", "common", "misc"):
            yield self.finding(source, 1, f"a module called {stem}")
