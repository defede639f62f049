"""Digests that are computed while a body is received, by the names that S3 gives them."""

from __future__ import annotations

import hashlib
import importlib
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

ALGORITHMS = frozenset({"md5", "crc32", "crc32c", "crc64nvme", "sha1", "sha256"})


class Digest(Protocol):
    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


class Crc:
    """A cyclic redundancy check with hashlib's interface; `step(data, crc) -> crc`, `digits` hexadecimal digits."""

    __slots__ = ("_digits", "_step", "_value")

    def __init__(self, step: Callable[[Any, int], int], digits: int) -> None:
        self._step = step
        self._digits = digits
        self._value = 0

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        self._value = self._step(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:0{self._digits}x}"


def make_digest(algorithm: str) -> Digest:
    """An empty digest. Raises ValueError for a name that is not in ALGORITHMS."""
    if algorithm in ("md5", "sha1", "sha256"):
        digest: Digest = hashlib.new(algorithm, usedforsecurity=False)
        return digest
    if algorithm == "crc32":
        return Crc(zlib.crc32, 8)
    if algorithm in ("crc32c", "crc64nvme"):
        native: Any = importlib.import_module("awscrt.checksums")  # lazy: large, and S3's alone
        return Crc(native.crc32c, 8) if algorithm == "crc32c" else Crc(native.crc64nvme, 16)
    raise ValueError(f"no checksum is called {algorithm!r}")


def hex_digest(algorithm: str, data: bytes) -> str:
    """The lower-case hex digest of bytes."""
    digest = make_digest(algorithm)
    digest.update(data)
    return digest.hexdigest()


def make_digests(algorithms: Iterable[str]) -> dict[str, Digest]:
    return {algorithm: make_digest(algorithm) for algorithm in dict.fromkeys(algorithms)}
