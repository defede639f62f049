"""The runtimes that AWS has and had, and how this machine runs the two kinds that it can. Source: "Lambda runtimes"."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

SDK = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
ASKING_SECONDS = 10
PROGRAMS = Path(__file__).resolve().parent / "programs"


class Runtime(NamedTuple):
    """`supported`: functions may still be made with it."""

    supported: bool


SUPPORTED = tuple(
    """nodejs24.x nodejs22.x nodejs20.x python3.14 python3.13 python3.12 python3.11 python3.10 java25 java21 java17
    java11 java8.al2 dotnet10 dotnet8 ruby3.4 ruby3.3 ruby3.2 provided.al2023 provided.al2""".split()
)
DEPRECATED = tuple(
    """nodejs18.x nodejs16.x nodejs14.x nodejs12.x nodejs10.x nodejs8.10 nodejs6.10 nodejs4.3 nodejs4.3-edge nodejs
    python3.9 python3.8 python3.7 python3.6 python2.7 java8 dotnet6 dotnetcore3.1 dotnetcore2.1 dotnetcore2.0
    dotnetcore1.0 ruby2.7 ruby2.5 go1.x provided""".split()
)
RUNTIMES: Mapping[str, Runtime] = MappingProxyType(
    {name: Runtime(True) for name in SUPPORTED} | {name: Runtime(False) for name in DEPRECATED}
)
# with which functions may still be made, in the order in which AWS's error lists them
CREATABLE = tuple(
    """python3.12 provided.al2023 python3.13 python3.14 nodejs20.x nodejs24.x nodejs22.x java25 python3.10 python3.11 java21
    ruby3.3 ruby3.4 ruby3.2 python3.8 python3.9 java17 nodejs16.x dotnet10 dotnet8 java11 dotnet6 nodejs18.x provided.al2
    java8.al2""".split()
)
SNAP_START = frozenset(
    {"java11", "java17", "java21", "java25", "python3.12", "python3.13", "python3.14", "dotnet8", "dotnet10"}
)


def find_python(runtime: str) -> str:
    """The Python of a runtime where this machine has it in its PATH, else the emulator's. Waits for a process."""
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = shutil.which(runtime) if runtime != own else None
    if found is None:
        return sys.executable
    ask = "import sys; print(sys.executable, 'python%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([found, "-c", ask], capture_output=True, text=True, timeout=ASKING_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return sys.executable
    path, _, version = answer.stdout.strip().rpartition(" ")
    return path if version == runtime and path else sys.executable


def link_sdk(folder: Path) -> None:
    """A folder with the SDK that AWS's Python runtimes have, of the emulator's packages, for other Pythons."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SDK:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        source = Path(spec.origin)
        source = source.parent if source.name == "__init__.py" else source
        link = folder / source.name
        if not link.exists():
            link.symlink_to(source)


class CannotRun(Exception):
    """Functions of this runtime cannot be run here; the message says why and what would help."""


def program_of(runtime: str, python: str) -> list[str]:
    """The command that runs functions of a runtime; `python`: what `find_python` found. Raises CannotRun."""
    if runtime.startswith("python3"):
        return [python, str(PROGRAMS / "run.py")]
    if runtime.startswith("nodejs"):
        node = shutil.which("node")
        if node is None:
            raise CannotRun(f"functions of {runtime} need Node.js: install it so that `node` is in the emulator's PATH")
        return [node, "--no-warnings", str(PROGRAMS / "run.mjs")]
    raise CannotRun(f"functions of {runtime or 'container images'} cannot be run here; those of Python and Node.js can")
