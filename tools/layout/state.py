"""No state at module level: everything that changes is owned by what `create_emulator` builds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.layout.rule import Rule
from tools.layout.source import Finding, Source

MAKERS = frozenset(
    {
        "list",
        "dict",
        "set",
        "bytearray",
        "collections.defaultdict",
        "collections.deque",
        "collections.Counter",
        "collections.OrderedDict",
        "weakref.WeakValueDictionary",
        "weakref.WeakKeyDictionary",
        "weakref.WeakSet",
    }
)
LITERALS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


class NoModuleState(Rule):
    name = "no-module-state"
    advice = (
        "Use a tuple, a frozenset or types.MappingProxyType({…}); state belongs to an object that create_emulator makes. "
        "A table that has to be a plain dict for speed says so: `# never written`."
    )

    def check(self, source: Source) -> Iterator[Finding]:
        yield from self._containers(source, source.tree.body)
        for node in source.find(ast.Global):
            yield self.finding(source, node, "rebinds a module's variable with `global`")

    def _containers(self, source: Source, body: list[ast.stmt]) -> Iterator[Finding]:
        for statement in body:
            if isinstance(statement, ast.If | ast.Try):
                yield from self._containers(source, statement.body)
                continue
            if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
                continue
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if "__all__" in names or not self._is_mutable(source, statement.value):
                continue
            first = max(1, statement.lineno - 1)
            if not source.marked(first, "never written", statement.end_lineno):
                yield self.finding(source, statement, f"{', '.join(names) or 'a variable'} is a mutable container")

    @staticmethod
    def _is_mutable(source: Source, value: ast.expr) -> bool:
        if isinstance(value, LITERALS):
            return True
        if not isinstance(value, ast.Call):
            return False
        called = source.dotted(value.func) or (value.func.id if isinstance(value.func, ast.Name) else "")
        return called in MAKERS
