"""Write src/cloudlet/emulator/fallback/data/operations.json: which operations moto has.

    python -m tools.generate_fallback [--check]

For every service of botocore that moto has a package of: the operations for which a response class of that package has
a method that does more than raise NotImplementedError, and those that `fallback/answers/` has. The serving process reads the file, so it needs no moto to know.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import botocore.loaders

from cloudlet.emulator.fallback.answers import Answers
from cloudlet.emulator.fallback.coverage import DATA, module_of

# Where methods are named after something else than the operation, or stand in another service's package.
NAMED_OTHERWISE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "es": (
            "AddTags",
            "CreateElasticsearchDomain",
            "DeleteElasticsearchDomain",
            "DescribeElasticsearchDomain",
            "DescribeElasticsearchDomainConfig",
            "DescribeElasticsearchDomains",
            "ListDomainNames",
            "ListTags",
            "RemoveTags",
        ),
        "polly": (
            "DeleteLexicon",
            "DescribeVoices",
            "GetLexicon",
            "ListLexicons",
            "PutLexicon",
            "SynthesizeSpeech",
        ),
        "timestream-query": (
            "CreateScheduledQuery",
            "DeleteScheduledQuery",
            "DescribeEndpoints",
            "DescribeScheduledQuery",
            "Query",
            "UpdateScheduledQuery",
        ),
        "xray": (
            "BatchGetTraces",
            "GetServiceGraph",
            "GetTraceGraph",
            "GetTraceSummaries",
            "PutTelemetryRecords",
            "PutTraceSegments",
        ),
    }
)
Classes = dict[str, tuple[list[str], dict[str, bool]]]


def package_of_moto() -> Path:
    specification = importlib.util.find_spec("moto")
    if specification is None or specification.origin is None:
        raise SystemExit("moto is not installed: make setup")
    return Path(specification.origin).parent


def classes(package: Path) -> Classes:
    """Class of the package -> (names of its bases, method -> whether it does something)."""
    found: Classes = {}
    for path in [package / "responses.py", *sorted(package.glob("responses/*.py"))]:
        if not path.is_file():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = [base.id if isinstance(base, ast.Name) else "" for base in node.bases]
                methods = {item.name: does(item) for item in node.body if isinstance(item, ast.FunctionDef)}
                found[node.name] = (bases, methods)
    return found


def does(function: ast.FunctionDef) -> bool:
    """False where nothing but NotImplementedError comes of it."""
    statements = [item for item in function.body if not (isinstance(item, ast.Expr) and is_text(item.value))]
    last = statements[-1] if statements else None
    if not isinstance(last, ast.Raise) or last.exc is None:
        return True
    raised = last.exc.func if isinstance(last.exc, ast.Call) else last.exc
    return not (isinstance(raised, ast.Name) and raised.id == "NotImplementedError")


def is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def operations(root: Path, service: str, modelled: Sequence[str]) -> Iterator[str]:
    methods: dict[str, bool] = {}
    for _bases, own in classes(root / module_of(service)).values():
        for name, works in own.items():
            methods[plain(name)] = methods.get(plain(name), False) or works
    return (name for name in sorted(modelled) if methods.get(plain(name)))


def plain(name: str) -> str:
    """Of an operation and of its method alike: they differ in where moto puts underscores."""
    return name.replace("_", "").lower()


def content() -> str:
    root = package_of_moto()
    answers = Answers()
    loader = botocore.loaders.Loader()
    services = {}
    for service in loader.list_available_services("service-2"):
        if (root / module_of(service) / "urls.py").is_file() or answers.operations(service):
            modelled = tuple(loader.load_service_model(service, "service-2")["operations"])
            of_moto = NAMED_OTHERWISE.get(service) or operations(root, service, modelled)
            found = sorted({*of_moto, *answers.operations(service)})
            if found:
                services[service] = found
    return json.dumps({"services": services}, indent=0) + "\n"


def main(arguments: Sequence[str]) -> int:
    new = content()
    if DATA.is_file() and DATA.read_text(encoding="utf-8") == new:
        return 0
    if "--check" in arguments:
        print(f"{DATA.name} is not what the installed moto has; run `make generate`")
        return 1
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text(new, encoding="utf-8")
    print(f"wrote {DATA.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
