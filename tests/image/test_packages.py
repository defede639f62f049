"""docker/image.packages is what `make lock` writes: everything that the image needs, and nothing that it does not."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

EXTRAS = ("fallback", "image", "postgres")
LOCK = ROOT / "requirements.lock"


def listed(name: str) -> set[str]:
    return set((ROOT / "docker" / name).read_text().split())


def project() -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def closure(texts: list[str]) -> set[str]:
    """Names of all packages that these requirements bring, by what is installed here."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(text) for text in texts]
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key not in seen:
            seen.add(key)
            found.add(key[0])
            waiting += needs(wanted)
    return found


def needs(wanted: Requirement) -> Iterator[Requirement]:
    try:
        texts = requires(wanted.name) or []
    except PackageNotFoundError:
        return
    for text in texts:
        inner = Requirement(text)
        extras = ("", *wanted.extras)
        if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in extras):
            yield inner


def test_the_image_gets_what_it_needs_and_no_more() -> None:
    found = project()
    extras = found["optional-dependencies"]
    assert isinstance(extras, dict)
    wanted = [*found["dependencies"], *(text for name in EXTRAS for text in extras[name])]  # type: ignore[misc]
    assert listed("image.packages") == closure(wanted), "run `make lock`"


def test_every_package_is_in_the_lock() -> None:
    locked = {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", LOCK.read_text(), re.MULTILINE)}
    assert listed("image.packages") | listed("build.packages") <= locked


def test_picking_gives_entries_with_their_hashes(tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text("click\nuvloop\n")
    done = subprocess.run(["bash", ROOT / "docker/pick", names, LOCK], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.partition("==")[0] for line in lines if not line.startswith(" ")] == ["click", "uvloop"]
    assert sum("--hash=sha256:" in line for line in lines) > 2


def test_a_name_that_the_lock_does_not_have_is_told(tmp_path: Path) -> None:
    names = tmp_path / "names"
    names.write_text("click\nno-such-package\n")
    done = subprocess.run(["bash", ROOT / "docker/pick", names, LOCK], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no-such-package is not in the lock: run make lock" in done.stderr
