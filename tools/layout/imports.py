"""Where imports stand and which way they run.

cli ──> emulator.app, control.{app,bootstrap,serve}; cli.admin_* (an operator's commands, on the database) ──> control
emulator.app ──> gateway, activation ──> services ──> eventing, protocol, effects ──> store, kernel
control ──> license <── emulator.activation
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.layout.rule import Rule
from tools.layout.source import Finding, Source

EMULATOR = "cloudlet.emulator."
SERVICES = EMULATOR + "services."

# `cloudlet admin …` does on the database what the control plane's pages cannot: it is a part of the control plane.
OPERATORS = ("cloudlet.control", "cloudlet.cli", "cloudlet.license", "cloudlet.settings")

# package -> what it may import, beside itself. The longest name that fits decides. `cloudlet` alone is the version.
ALLOWED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cloudlet.settings", ("cloudlet.foreign_variables", "cloudlet.hosts")),
    ("cloudlet.license", ("cloudlet.hosts", "cloudlet.settings")),
    ("cloudlet.control", ("cloudlet.license", "cloudlet.settings")),
    (
        "cloudlet.cli",
        (
            "cloudlet.emulator.app",
            "cloudlet.emulator.activation",
            "cloudlet.emulator.gateway.http.tls",  # `trust` shows the authority that signs what the gateway presents
            "cloudlet.control.app",
            "cloudlet.control.bootstrap",
            "cloudlet.control.serve",
            "cloudlet.license",
            "cloudlet.settings",
        ),
    ),
    *((f"cloudlet.cli.admin_{noun}", OPERATORS) for noun in ("backup", "keys", "plans", "users")),
    (
        EMULATOR + "kernel",
        (EMULATOR + "protocol.message", EMULATOR + "effects", EMULATOR + "store", "cloudlet.settings"),
    ),
    (
        EMULATOR + "store",
        (
            EMULATOR + "kernel",
            EMULATOR + "protocol.message",
            EMULATOR + "effects.clock",  # clock and ids are leaves: they import nothing of ours
            EMULATOR + "effects.ids",
            "cloudlet.settings",
        ),
    ),
    (EMULATOR + "effects", (EMULATOR + "store", EMULATOR + "kernel", "cloudlet.settings")),
    (EMULATOR + "protocol", (EMULATOR + "kernel", EMULATOR + "store.blobs", "cloudlet.settings")),
    (EMULATOR + "eventing", (EMULATOR + "effects", EMULATOR + "store", EMULATOR + "kernel")),
    (
        EMULATOR + "services",
        (
            EMULATOR + "eventing",
            EMULATOR + "protocol",
            EMULATOR + "store",
            EMULATOR + "effects",
            EMULATOR + "kernel",
            "cloudlet.settings",
        ),
    ),
    (EMULATOR + "fallback", (EMULATOR + "protocol", EMULATOR + "kernel", EMULATOR + "effects", "cloudlet.settings")),
    (
        EMULATOR + "pods",
        (
            EMULATOR + "fallback",
            EMULATOR + "services",
            EMULATOR + "store",
            EMULATOR + "effects",
            EMULATOR + "kernel",
            "cloudlet.settings",
        ),
    ),
    (EMULATOR + "activation", ("cloudlet.license", "cloudlet.settings")),
    (
        EMULATOR + "gateway",
        (
            EMULATOR + "services",
            EMULATOR + "activation",
            EMULATOR + "fallback",
            EMULATOR + "pods",
            EMULATOR + "protocol",
            EMULATOR + "store",
            EMULATOR + "effects",
            EMULATOR + "kernel",
            "cloudlet.license.token",  # how a token looks, to mask it
            "cloudlet.settings",
        ),
    ),
    (EMULATOR[:-1], (EMULATOR[:-1], "cloudlet.license.token", "cloudlet.settings")),
)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


class ImportDirection(Rule):
    name = "import-direction"
    advice = (
        "Imports run one way (ARCHITECTURE.md, Layers); pass the thing in as an argument, or move what both need down."
    )

    def check(self, source: Source) -> Iterator[Finding]:
        rows = [row for row in ALLOWED if within(source.module, row[0])]
        if not rows:
            return
        package, allowed = max(rows, key=lambda row: len(row[0]))
        for entry in source.imports:
            if not within(entry.module, "cloudlet") or entry.module == "cloudlet":
                continue
            if entry.for_types and within(source.module, EMULATOR[:-1]) and within(entry.module, EMULATOR[:-1]):
                continue  # a type's name is no dependency at run time
            targets = {entry.module, *(f"{entry.module}.{name}" for name in entry.names)}
            if not any(within(target, name) for target in targets for name in (package, *allowed)):
                yield self.finding(source, entry.line, f"{package} imports {entry.module}")


class ServicesApart(Rule):
    name = "services-apart"
    advice = (
        'Services never import each other: call.invoke("sqs", "SendMessage", {…}) runs in the same transaction; '
        "name the other one in service.toml under depends_on."
    )

    def check(self, source: Source) -> Iterator[Finding]:
        if not source.module.startswith(SERVICES):
            return
        own = SERVICES + source.module.removeprefix(SERVICES).partition(".")[0]
        for entry in source.imports:
            if within(entry.module, SERVICES[:-1]) and not within(entry.module, own):
                yield self.finding(source, entry.line, f"imports {entry.module}")


class ImportsAtTheTop(Rule):
    name = "imports-at-the-top"
    advice = (
        "Import at the top of the module; where a cycle forces it, the thing belongs further down (ARCHITECTURE.md, Layers). "
        "What must load late is loaded with importlib and says why: `# lazy: reason`."
    )

    def check(self, source: Source) -> Iterator[Finding]:
        for entry in source.imports:
            if entry.in_function and not source.marked(entry.line, "lazy:"):
                yield self.finding(source, entry.line, f"imports {entry.module} inside a function")
        for node in source.find(ast.Call):
            if not isinstance(node, ast.Call):
                continue
            name = source.dotted(node.func) or (node.func.id if isinstance(node.func, ast.Name) else "")
            if name in ("importlib.import_module", "__import__") and not self._accepted(source, node):
                yield self.finding(source, node, f"{name}() without a reason")

    @staticmethod
    def _accepted(source: Source, node: ast.Call) -> bool:
        first = max(1, node.lineno - 1)
        return source.marked(first, "", node.end_lineno) or source.path.endswith("gateway/registry.py")


class MotoInOnePlace(Rule):
    name = "moto-in-one-place"
    advice = "Only src/cloudlet/emulator/fallback/moto.py may import moto; a native operation is written in services/."

    def check(self, source: Source) -> Iterator[Finding]:
        if source.path == "src/cloudlet/emulator/fallback/moto.py":
            return
        for entry in source.imports:
            if within(entry.module, "moto"):
                yield self.finding(source, entry.line, "imports moto")
