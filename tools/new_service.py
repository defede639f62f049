"""What `make new-service NAME=…` does: a service folder with tests and docs page, from the template.

    python -m tools.new_service account        the template itself, as the service that it shows
    python -m tools.new_service kms [Key]      the same files for another service; Key is its first resource

NAME is botocore's name of the service. Nothing is registered by hand: the gateway finds services by their folders.
Without a resource the tool takes the one that the model has the most operations for.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import botocore.loaders
import botocore.model

from cloudlet.emulator.activation.entitlements import COMMUNITY_SERVICES
from cloudlet.emulator.kernel.naming import folder_name, snake_case
from tools.skeleton import FILES

ROOT = Path(__file__).resolve().parent.parent
SERVICES = Path("src/cloudlet/emulator/services")
TEMPLATE = "_template"
TEMPLATE_MODEL = "account"
MADE = re.compile(r"^(?:Create|Put|Register)([A-Z]\w*?)s?$")


class Names(NamedTuple):
    """What the files of a new service are filled with."""

    service: str  # cognito-idp
    folder: str  # cognito_idp
    title: str  # Amazon Cognito Identity Provider
    resource: str  # UserPool
    noun: str  # user_pool
    nouns: str  # user_pools
    operation: str  # CreateUserPool
    method: str  # create_user_pool
    probe_operation: str  # ListUserPools: one that may be called with nothing
    probe: str  # list_user_pools


def load_model(name: str) -> botocore.model.ServiceModel:
    loader = botocore.loaders.Loader()
    known = loader.list_available_services("service-2")
    if name not in known:
        near = [other for other in known if name.replace("-", "") in other.replace("-", "")]
        hint = f" Did you mean {', '.join(near[:5])}?" if near else ""
        raise SystemExit(f"botocore has no service called {name}.{hint}")
    return botocore.model.ServiceModel(loader.load_service_model(name, "service-2"), name)


def main_resource(model: botocore.model.ServiceModel) -> str:
    """The noun that is made by an operation and stands in most names of operations; the shortest of several."""
    nouns = {match[1] for name in model.operation_names if (match := MADE.match(name))}

    def standing(noun: str) -> tuple[int, int, str]:
        whole = re.compile(rf"(?<=[a-z]){noun}(?=s?$|s?[A-Z])")
        return sum(whole.search(name) is not None for name in model.operation_names), -len(noun), noun

    return max(nouns, key=standing) if nouns else "Resource"


def names_of(model: botocore.model.ServiceModel, resource: str) -> Names:
    about = [name for name in model.operation_names if resource in name]
    first = next((name for name in about if name.startswith(("Create", "Put", "Register"))), None)
    operation = first or (about or list(model.operation_names))[0]
    noun = snake_case(resource)
    nouns = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    folder = folder_name(model.service_name)
    title = str(model.metadata.get("serviceFullName", model.service_name))
    probe = callable_with_nothing(model)
    return Names(
        model.service_name,
        folder,
        title,
        resource,
        noun,
        nouns,
        operation,
        snake_case(operation),
        probe,
        snake_case(probe),
    )


def callable_with_nothing(model: botocore.model.ServiceModel) -> str:
    """An operation without required members, for a test that calls one before any is written."""
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        if shape is None or not shape.required_members:
            return str(name)
    raise SystemExit(f"every operation of {model.service_name} needs arguments; write its test by hand")


def copies_of_template(root: Path) -> dict[Path, str]:
    """The template's files under its service's own name."""
    copies: dict[Path, str] = {}
    folders = (SERVICES / TEMPLATE, Path("tests/services") / TEMPLATE)
    for source in [path for folder in folders for path in sorted((root / folder).rglob("*.*"))]:
        if source.suffix in {".py", ".toml"}:
            text = source.read_text(encoding="utf-8").replace(f"services.{TEMPLATE}", f"services.{TEMPLATE_MODEL}")
            text = re.sub(r"\nThis folder is the template.*?\n(?=\"\"\")", "", text, flags=re.DOTALL)
            copies[Path(str(source.relative_to(root)).replace(TEMPLATE, TEMPLATE_MODEL))] = text
    page = (root / "docs/services" / f"{TEMPLATE}.md").read_text(encoding="utf-8")
    copies[Path("docs/services") / f"{TEMPLATE_MODEL}.md"] = re.sub(r"\*The page of the template.*?\*\n\n", "", page)
    return copies


def skeleton(names: Names) -> dict[Path, str]:
    """The files of a service that nobody has begun."""
    return {
        Path(path.format(**names._asdict())): template.substitute(names._asdict()) for path, template in FILES.items()
    }


def write(root: Path, files: dict[Path, str]) -> None:
    there = [str(path) for path in files if (root / path).exists()]
    if there:
        raise SystemExit(f"{there[0]} exists already; nothing was written")
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(f"wrote {path}")


def main(arguments: Sequence[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        print(__doc__)
        return 2
    model = load_model(arguments[0])
    names = names_of(model, arguments[1] if len(arguments) == 2 else main_resource(model))
    is_template = model.service_name == TEMPLATE_MODEL and len(arguments) == 1
    files = copies_of_template(ROOT) if is_template else skeleton(names)
    write(ROOT, files)
    subprocess.run([sys.executable, "tools/generate_api.py", names.folder], cwd=ROOT, check=True)
    written = [str(path) for path in files if path.suffix == ".py"]  # names of other lengths wrap and sort otherwise
    subprocess.run([sys.executable, "-m", "ruff", "check", "--quiet", "--fix", *written], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *written], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "tools.coverage_page"], cwd=ROOT, check=True)
    print(f"\nNext: .venv/bin/pytest tests/services/{names.folder}")
    if names.service not in COMMUNITY_SERVICES:
        print(f"A license opens it; without one, name {names.service} in emulator/activation/entitlements.py.")
    if not is_template:
        print(f"then name {names.operation} under done in service.toml, run `make generate`, and write")
        print(f"{names.method}(call, request) in {names.nouns}.py; _template/alternate_contacts.py shows how.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
