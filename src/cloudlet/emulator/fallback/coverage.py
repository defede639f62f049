"""Which operations the fallback has: read from `data/operations.json`, so that nobody has to import moto to know."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import orjson

DATA = Path(__file__).parent / "data" / "operations.json"

# A native service never falls back for single operations, because moto would not know its resources; it answers 501.
# An operation that needs none of them may be listed here: service -> operations.
WITHIN_NATIVE: Mapping[str, frozenset[str]] = MappingProxyType({})


@functools.cache
def covered() -> Mapping[str, frozenset[str]]:
    """Service (botocore's name) -> operations that moto has, native services included."""
    content = orjson.loads(DATA.read_bytes())
    return MappingProxyType({name: frozenset(operations) for name, operations in content["services"].items()})


@functools.cache
def is_installed() -> bool:
    """Whether the extra `fallback` is installed. Imports nothing."""
    return importlib.util.find_spec("moto") is not None


def moto_version() -> str:
    """Empty where it is not installed."""
    metadata = importlib.import_module("importlib.metadata")  # lazy: it brings the e-mail package along
    try:
        return str(metadata.version("moto"))
    except metadata.PackageNotFoundError:
        return ""


def module_of(service: str) -> str:
    """moto's package of a service (botocore's name)."""
    return "awslambda" if service == "lambda" else service.replace("-", "")
