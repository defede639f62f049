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
# all that AWS's front end knows, in its order
KNOWN = tuple(
    """ruby3.5 ruby2.6 dotnetcore1.0 python3.7 nodejs8.10 nasa ruby2.7 python2.7-greengrass dotnetcore2.0 python3.8 java21
    dotnet6 dotnetcore2.1 python3.9 java11 nodejs6.10 provided dotnetcore3.1 dotnet8 java25 java17 nodejs nodejs4.3 java8.al2
    go1.x dotnet10 nodejs20.x go1.9 byol nodejs10.x provided.al2023 nodejs22.x python3.10 java8 nodejs12.x python3.11
    nodejs24.x nodejs8.x python3.12 nodejs14.x nodejs8.9 nodejs26.x python3.13 python3.14 nodejs16.x python3.15 provided.al2
    nodejs4.3-edge nodejs18.x ruby3.2 python3.4 ruby3.3 ruby3.4 ruby2.5 python3.6 python2.7""".split()
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
    shims = Path(found).parent
    if shims.name == "shims":  # pyenv's: they run what is chosen for a folder, and the version may not be
        found = next(map(str, shims.parent.glob(f"versions/{runtime.removeprefix('python')}.*/bin/{runtime}")), found)
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
    """The function cannot be run here; the message says why and what would help."""


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
