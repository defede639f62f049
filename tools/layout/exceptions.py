"""Nothing swallows what it did not expect."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.layout.rule import Rule
from tools.layout.source import Finding, Source

BROAD = frozenset({"Exception", "BaseException"})


class BroadExcept(Rule):
    name = "broad-except"
    advice = (
        "Catch the class that you expect. Where anything may come and is answered or logged, say what becomes of it: "
        "`except Exception as error:  # renders: …` or `# survives: …`."
    )

    def check(self, source: Source) -> Iterator[Finding]:
        for node in source.find(ast.ExceptHandler):
            if not isinstance(node, ast.ExceptHandler) or not self._is_broad(node.type):
                continue
            if any(isinstance(inner, ast.Raise) for statement in node.body for inner in ast.walk(statement)):
                continue
            first_of_body = node.body[0].lineno
            accepted = (source.marked(node.lineno, marker, first_of_body) for marker in ("renders:", "survives:"))
            if not any(accepted):
                yield self.finding(source, node, "catches everything and goes on")

    @staticmethod
    def _is_broad(kind: ast.expr | None) -> bool:
        if kind is None:
            return True
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return any(isinstance(entry, ast.Name) and entry.id in BROAD for entry in kinds)
