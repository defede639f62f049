"""What a rule is."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator

from tools.layout.source import Finding, Source


class Rule(ABC):
    """One house rule over single files. `advice` is the sentence that tells how to do it instead."""

    name: str
    advice: str

    @abstractmethod
    def check(self, source: Source) -> Iterator[Finding]: ...

    def applies_to(self, source: Source) -> bool:
        """Most rules are about the program, not about tests and tools."""
        return source.path.startswith("src/") and not source.is_generated

    def finding(self, source: Source, where: ast.AST | int, what: str, advice: str | None = None) -> Finding:
        line = where if isinstance(where, int) else getattr(where, "lineno", 1)
        return Finding(source.path, line, self.name, what, advice or self.advice)
