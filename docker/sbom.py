"""The software bill of materials of the image, in CycloneDX's JSON form, on standard output.

    sbom.py SITE_PACKAGES LOCK      Python's packages as they are installed, with the hashes that they were checked against

Debian's packages come from `dpkg-query`. Nothing of the moment or the machine is in it: the same image, the same bytes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==\S+")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
FORMAT = "${Package}\t${Version}\t${Architecture}\n"


def main(site: Path, lock: Path) -> None:
    bom = Bom()
    hashes = hashes_of(lock.read_text(encoding="utf-8"))
    installed = {normal(found.name): found for found in distributions(path=[str(site)])}
    python = {name: python_package(found, hashes.get(name, ())) for name, found in sorted(installed.items())}
    debian = [debian_package(*row) for row in debian_packages()]
    project = python["cloudlet"]
    bom.metadata.component = project
    bom.components.update(component for component in (*python.values(), *debian) if component is not project)
    for name, component in python.items():
        bom.register_dependency(component, [python[wanted] for wanted in needs(installed[name]) if wanted in python])
    for component in debian:
        bom.register_dependency(component)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    document["metadata"].pop("timestamp", None)
    document.pop("serialNumber", None)
    json.dump(document, sys.stdout, indent=1, sort_keys=True)


def hashes_of(lock: str) -> dict[str, tuple[str, ...]]:
    """Normal name of a package → SHA-256 of each of its files that may be installed."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if entry := ENTRY.match(line):
            name = normal(entry[1])
        found.setdefault(name, []).extend(HASH.findall(line))
    return {name: tuple(values) for name, values in found.items()}


def python_package(found: Distribution, hashes: tuple[str, ...]) -> Component:
    metadata = found.metadata
    text = metadata.get("License-Expression") or metadata.get("License") or ""
    license_text = text.strip().splitlines()[0][:100] if text.strip() else ""
    return Component(
        name=found.name,
        version=found.version,
        type=ComponentType.APPLICATION if found.name == "cloudlet" else ComponentType.LIBRARY,
        bom_ref=f"pypi:{normal(found.name)}",
        purl=PackageURL("pypi", None, normal(found.name), found.version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in hashes],
        licenses=[LicenseFactory().make_from_string(license_text)] if license_text else [],
    )


def needs(found: Distribution) -> set[str]:
    """Names of the packages that it requires, in any of its extras."""
    return {normal(Requirement(text).name) for text in found.requires or ()} - {normal(found.name)}


def debian_packages() -> list[tuple[str, str, str]]:
    try:
        printed = subprocess.run(["dpkg-query", "-W", "-f", FORMAT], capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    rows = [line.split("\t") for line in printed.splitlines()]
    return [(name, version, architecture) for name, version, architecture in sorted(rows)]


def debian_package(name: str, version: str, architecture: str) -> Component:
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"deb:{name}:{architecture}",
        purl=PackageURL("deb", "debian", name, version, {"arch": architecture}),
    )


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
