"""The runtimes that AWS has and had, and how this machine runs the two kinds that it can. Source: "Lambda runtimes"."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

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
SNAP_START = frozenset(
    {"java11", "java17", "java21", "java25", "python3.12", "python3.13", "python3.14", "dotnet8", "dotnet10"}
)


class CannotRun(Exception):
    """Functions of this runtime cannot be run here; the message says why and what would help."""


def program_of(runtime: str) -> list[str]:
    """The command that runs functions of a runtime. Raises CannotRun."""
    if runtime.startswith("python3"):
        return [sys.executable, "-P", str(PROGRAMS / "run.py")]
    if runtime.startswith("nodejs"):
        node = shutil.which("node")
        if node is None:
            raise CannotRun(f"functions of {runtime} need Node.js: install it so that `node` is in the emulator's PATH")
        return [node, "--no-warnings", str(PROGRAMS / "run.mjs")]
    raise CannotRun(f"functions of {runtime or 'container images'} cannot be run here; those of Python and Node.js can")
