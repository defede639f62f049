"""Write what works into docs/services/ and README.md, from the manifests, botocore's models and the fallback's data.

    python -m tools.coverage_page [--check]

An operation is `done` (complete, with AWS's errors), `partial` (a gap that the service's page names) or missing (it
answers 501 and names itself). A service without a manifest is the fallback's, where moto has it. Only the text between `<!-- begin … -->` and `<!-- end -->` is written. `--check` writes
nothing and exits with 1 when a page is not current.
"""

from __future__ import annotations

import functools
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import botocore.loaders

from cloudlet.emulator.fallback.coverage import covered

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ROOT / "src" / "cloudlet" / "emulator" / "services"
PAGES = (ROOT / "docs" / "services" / "README.md", ROOT / "docs" / "services" / "fallback.md", ROOT / "README.md")
BLOCK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class Coverage(NamedTuple):
    """One service. `operations` is how many the model has."""

    name: str
    title: str
    done: tuple[str, ...]
    partial: tuple[str, ...]
    operations: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(name for name in self.operations if name not in self.done and name not in self.partial)


def coverage() -> list[Coverage]:
    """All native services, by name. Raises SystemExit when a manifest lists what the model does not have."""
    loader = botocore.loaders.Loader()
    found = []
    for manifest in sorted(SERVICES.glob("[a-z]*/service.toml")):
        content = tomllib.loads(manifest.read_text(encoding="utf-8"))
        name = content["service"]["model"]
        model = loader.load_service_model(name, "service-2")
        listed = content["operations"]
        row = Coverage(
            name,
            model["metadata"].get("serviceFullName", name),
            tuple(listed["done"]),
            tuple(listed["partial"]),
            tuple(sorted(model["operations"])),
        )
        unknown = {*row.done, *row.partial} - {*row.operations}
        if unknown:
            raise SystemExit(f"{manifest}: the model has no operation {sorted(unknown)[0]}")
        found.append(row)
    return found


@functools.cache
def fallback_coverage() -> tuple[Coverage, ...]:
    """The services that only the fallback has; `done` is what moto has of them. By title."""
    loader = botocore.loaders.Loader()
    native = {row.name for row in coverage()}
    found = []
    for name, operations in covered().items():
        if name not in native:
            model = loader.load_service_model(name, "service-2")
            title = model["metadata"].get("serviceFullName", name)
            found.append(Coverage(name, title, tuple(sorted(operations)), (), tuple(sorted(model["operations"]))))
    return tuple(sorted(found, key=lambda row: row.title))


def totals(rows: Sequence[Coverage]) -> str:
    done, part = (sum(len(getattr(row, state)) for row in rows) for state in ("done", "partial"))
    whole = sum(len(row.operations) for row in rows)
    gaps = f", {part} partly" if part else ""
    others = fallback_coverage()
    further = sum(len(row.done) for row in others)
    return (
        f"{len(rows)} services are native: {done} of their {whole} operations are done{gaps}. "
        f"{len(others)} more, with {further} operations, are served through moto. Together: "
        f"{len(rows) + len(others)} services, {done + part + further} operations; the others answer 501."
    )


def summary(rows: Sequence[Coverage], folder: str) -> str:
    lines = ["| service | operations done | partly | of |", "|---|---:|---:|---:|"]
    for row in rows:
        page = f"{folder}{row.name}.md"
        lines.append(f"| [{row.title}]({page}) | {len(row.done)} | {len(row.partial)} | {len(row.operations)} |")
    return "\n".join([*lines, "", totals(rows)])


def fallback_summary(_rows: Sequence[Coverage]) -> str:
    lines = ["| service | name | operations | of |", "|---|---|---:|---:|"]
    for row in fallback_coverage():
        lines.append(f"| {row.title} | `{row.name}` | {len(row.done)} | {len(row.operations)} |")
    return "\n".join(lines)


def fallback_detail(_rows: Sequence[Coverage]) -> str:
    return "\n\n".join(f"### {row.title}\n\n{', '.join(row.done)}" for row in fallback_coverage())


def detail(rows: Sequence[Coverage]) -> str:
    return "\n\n".join("\n".join(detail_of(row)) for row in rows)


def detail_of(row: Coverage) -> Iterator[str]:
    yield f"### {row.title}"
    for state, names in (("Done", row.done), ("Partly", row.partial), ("Missing", row.missing)):
        if names:
            yield f"\n{state}: {', '.join(names)}"


BLOCKS: Mapping[str, Callable[[Sequence[Coverage]], str]] = MappingProxyType(
    {
        "services": partial(summary, folder=""),
        "services_from_root": partial(summary, folder="docs/services/"),
        "operations": detail,
        "fallback_services": fallback_summary,
        "fallback_operations": fallback_detail,
    }
)


def rendered(page: str, rows: Sequence[Coverage]) -> str:
    return BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]](rows)}\n\n{found[3]}", page)


def main(arguments: Sequence[str]) -> int:
    rows = coverage()
    stale = 0
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        current = rendered(page, rows)
        if page == current:
            continue
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not what the manifests say")
            stale = 1
        else:
            path.write_text(current, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return stale


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
