"""The one source of random names. Seeded, it gives the same names in the same order."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
UPPERCASE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
Chunk = bytes  # inside the class, `bytes` is a method
POOL_BYTES = 8192
CHUNK_BYTES = 16
VARIANT = str.maketrans("0123456789abcdef", "89ab" * 4)  # the digit of a UUID that says which kind it is


class Ids:
    """Random names. Without a seed they come from the operating system and cannot be guessed.

    Randomness is fetched by `POOL_BYTES`: a system call for each name would be an eighth of a small request. Threads
    may share an instance (`pop` and `extend` of a list are atomic).
    """

    __slots__ = ("_chunks", "_fill")

    def __init__(self, seed: int | None = None) -> None:
        self._fill: Callable[[int], Chunk] = os.urandom
        if seed is not None:
            self._fill = random.Random(seed).randbytes  # noqa: S311 - seeded is for tests
        self._chunks: list[Chunk] = []

    def uuid(self) -> str:
        """A version 4 UUID in its usual form."""
        text = self._chunk().hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{text[16].translate(VARIANT)}{text[17:20]}-{text[20:]}"

    def request_id(self, service: str) -> str:
        """The id of one answer: 16 upper-case hexadecimal digits for S3, a UUID elsewhere."""
        return self._chunk()[:8].hex().upper() if service == "s3" else self.uuid()

    def hex(self, length: int) -> str:
        """Lower-case hexadecimal digits."""
        if length <= 2 * CHUNK_BYTES:
            return self._chunk().hex()[:length]
        return self._fill((length + 1) // 2).hex()[:length]

    def bytes(self, length: int) -> Chunk:
        return self._chunk()[:length] if length <= CHUNK_BYTES else self._fill(length)

    def alphanumeric(self, length: int) -> str:
        """A-Z, a-z, 0-9."""
        return self._from(ALPHANUMERIC, length)

    def uppercase(self, length: int) -> str:
        """A-Z, 0-9: access keys, role ids."""
        return self._from(UPPERCASE, length)

    def digits(self, length: int) -> str:
        return self._from("0123456789", length)

    def random(self) -> float:
        """A float in [0, 1)."""
        return (int.from_bytes(self._chunk()[:7], "big") >> 3) / (1 << 53)

    def _from(self, alphabet: str, length: int) -> str:
        """128 random bits give 16 characters; the bias is below 2 to the -32."""
        size = len(alphabet)
        found = []
        for start in range(0, length, 16):
            bits = int.from_bytes(self._chunk(), "big")
            for _ in range(min(16, length - start)):
                bits, place = divmod(bits, size)
                found.append(alphabet[place])
        return "".join(found)

    def _chunk(self) -> Chunk:
        try:
            return self._chunks.pop()
        except IndexError:
            pool = self._fill(POOL_BYTES)
            chunks = [pool[at : at + CHUNK_BYTES] for at in range(0, POOL_BYTES, CHUNK_BYTES)]
            chunk = chunks.pop()
            self._chunks.extend(chunks)
            return chunk
