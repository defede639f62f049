"""Write the tables of docs/configuration.md from the classes of settings and from foreign_variables.py.

    python -m tools.settings_page [--check]

A field of a settings class with a comment `# VARIABLE: meaning` is a row; `# --- group` begins a table. The text around
the tables is written by hand. `--check` writes nothing and exits with 1 when the page is not current.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cloudlet.foreign_variables import FOREIGN, SILENT

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "cloudlet"
PLACES = (*sorted((PACKAGE / "settings").glob("*.py")), PACKAGE / "cli" / "container" / "settings.py")
PAGE = ROOT / "docs" / "configuration.md"

FIELD = re.compile(r"\s+(\w+): .*?  # ([A-Z][A-Z0-9_]+): (.+)$")
GROUP = re.compile(r"\s+# --- (.+)$")
BLOCK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Variable(NamedTuple):
    """One row."""

    name: str
    group: str
    default: str
    meaning: str


def variables(class_name: str, text: str) -> Iterator[Variable]:
    """The variables of one settings class, in the order of the file."""
    tree = ast.parse(text)
    lines = text.splitlines()
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    defaults = {
        item.target.id: ast.unparse(item.value) if item.value else ""
        for item in body.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    group = ""
    for line in lines[body.lineno : body.end_lineno]:
        if found := GROUP.match(line):
            group = found[1]
        elif found := FIELD.match(line):
            field, name, meaning = found.groups()
            yield Variable(name, group, shown_default(defaults[field]), meaning)


def shown_default(source: str) -> str:
    """How a person would write the default of a field: `1` for True, `127.0.0.1:4566` for an Address."""
    if found := re.search(r"Address\('(.*?)', (\d+)\)", source):
        return f"`{found[1]}:{found[2]}`"
    known = {"True": "`1`", "False": "`0`", "None": "", "()": "", "''": "", "{}": ""}
    return known.get(source, "`" + source.strip("'") + "`" if source else "")


def table(class_name: str, text: str) -> str:
    parts: list[str] = []
    group: str | None = None
    for variable in variables(class_name, text):
        if variable.group != group:
            group = variable.group
            heading = f"### {group[0].upper()}{group[1:]}\n\n" if group else ""
            parts.append(f"\n{heading}| variable | default | meaning |\n|---|---|---|")
        meaning = variable.meaning.replace("|", "\\|")
        parts.append(f"| `{variable.name}` | {variable.default} | {meaning} |")
    return "\n".join(parts).lstrip("\n") + "\n"


def foreign_table() -> str:
    """The variables of LocalStack that have no effect, by what is said of them."""
    lines = ["| variable | instead |", "|---|---|"]
    for foreign in FOREIGN:
        lines.append(f"| {', '.join(f'`{name}`' for name in foreign.names)} | {foreign.remark} |")
    lines.append(f"| {', '.join(f'`{name}`' for name in SILENT)} | accepted without a word |")
    return "\n".join(lines) + "\n"


def source_of(class_name: str) -> str:
    """The text of the file that defines the class."""
    texts = (path.read_text(encoding="utf-8") for path in PLACES)
    return next(text for text in texts if f"class {class_name}(" in text)


def rendered(page: str) -> str:
    def block(name: str) -> str:
        return foreign_table() if name == "foreign" else table(name, source_of(name))

    return BLOCK.sub(lambda found: f"{found[1]}\n{block(found[2])}\n{found[3]}", page)


def main(arguments: Sequence[str]) -> int:
    page = PAGE.read_text(encoding="utf-8")
    current = rendered(page)
    if "--check" in arguments:
        if page != current:
            print("docs/configuration.md is not what the settings say")
            return 1
        return 0
    PAGE.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
