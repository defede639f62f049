"""Every service folder is whole: manifest, entry, types, tests, docs page, and the dependencies that its code has."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.layout.source import Finding, Source

SERVICES = "src/cloudlet/emulator/services"
NEW = "Start with `make new-service NAME=…`, which writes all of them."


def check_services(root: Path) -> Iterator[Finding]:
    """All findings about the service folders below `root`."""
    for folder in sorted((root / SERVICES).iterdir()):
        if folder.is_dir() and not folder.name.startswith((".", "__")):
            yield from check_folder(root, folder)


def check_folder(root: Path, folder: Path) -> Iterator[Finding]:
    place = folder.relative_to(root).as_posix()
    page = (
        root
        / "docs"
        / "services"
        / f"{folder.name.rstrip('_').replace('_', '-') if folder.name[0] != '_' else folder.name}.md"
    )
    tests = root / "tests" / "services" / folder.name
    for path in (folder / "service.toml", folder / "__init__.py", folder / "api.py", page):
        if not path.is_file():
            yield Finding(place, 1, "service-complete", f"{path.relative_to(root).as_posix()} is missing", NEW)
    if not any(tests.glob("test_*.py")):
        where = tests.relative_to(root).as_posix()
        yield Finding(place, 1, "service-complete", f"{where} holds no test_*.py", NEW)
    manifest = folder / "service.toml"
    if manifest.is_file():
        yield from check_manifest(root, manifest)


def check_manifest(root: Path, manifest: Path) -> Iterator[Finding]:
    place = manifest.relative_to(root).as_posix()
    content = tomllib.loads(manifest.read_text(encoding="utf-8"))
    service = content.get("service", {})
    operations = content.get("operations", {})
    shape = "It needs [service] model, depends_on and [operations] done, partial; see services/_template/service.toml."
    if not isinstance(service.get("model"), str) or not isinstance(service.get("depends_on"), list):
        yield Finding(place, 1, "manifest", "[service] lacks model or depends_on", shape)
        return
    for name in ("done", "partial"):
        listed = operations.get(name)
        if not isinstance(listed, list):
            yield Finding(place, 1, "manifest", f"[operations] lacks {name}", shape)
        elif len(listed) != len(set(listed)):
            yield Finding(place, 1, "manifest", f"{name} names an operation twice", "Take one of the two out.")
    used: set[str] = set()
    for path in sorted(manifest.parent.rglob("*.py")):
        source = Source.read(root, path)
        for line, target in invoked(source):
            if target is None:  # a name that is known at run time only: every literal of the folder may be it
                used |= literals(path.parent)
                continue
            used.add(target)
            if target not in service["depends_on"] and target != service["model"]:
                advice = f'Add "{target}" to depends_on in {place}.'
                yield Finding(source.path, line, "dependencies", f"calls {target}, which is not declared", advice)
    for name in sorted(set(service["depends_on"]) - used):
        advice = "Take it out, or make the name of the service a literal in call.invoke(…)."
        yield Finding(place, 1, "dependencies", f"depends_on names {name}, which no call.invoke uses", advice)


def literals(folder: Path) -> set[str]:
    """All strings in the code of a folder, api.py left out."""
    paths = [path for path in folder.rglob("*.py") if path.name != "api.py"]
    nodes = (node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def invoked(source: Source) -> Iterator[tuple[int, str | None]]:
    """Line and service of each `….invoke("service", …)` and `….invoke_in(account, region, "service", …)`.

    None for a service that is not a literal.
    """
    for node in source.find(ast.Call):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        position = {"invoke": 0, "invoke_in": 2}.get(node.func.attr)
        if position is None or len(node.args) <= position:
            continue
        argument = node.args[position]
        value = argument.value if isinstance(argument, ast.Constant) else None
        yield node.lineno, value if isinstance(value, str) else None
