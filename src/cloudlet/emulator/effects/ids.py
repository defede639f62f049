"""The one source of random names. Seeded, it gives the same names in the same order."""

from __future__ import annotations

import random
from collections.abc import Callable

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
UPPERCASE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Ids:
    """Random names. Without a seed they come from the operating system and cannot be guessed."""

    __slots__ = ("_bits", "random")

    random: Callable[[], float]  # a float in [0, 1)

    def __init__(self, seed: int | None = None) -> None:
        source = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - seeded is for tests
        self._bits = source.getrandbits
        self.random = source.random

    def uuid(self) -> str:
        """A version 4 UUID in its usual form."""
        bits = self._bits(128)
        bits = (bits & ~(0xF000 << 64) & ~(0xC000 << 48)) | (4 << 76) | (2 << 62)
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def request_id(self, service: str) -> str:
        """The id of one answer: 16 upper-case hexadecimal digits for S3, a UUID elsewhere."""
        return f"{self._bits(64):016X}" if service == "s3" else self.uuid()

    def hex(self, length: int) -> str:
        """Lower-case hexadecimal digits."""
        return f"{self._bits(4 * length):0{length}x}" if length else ""

    def bytes(self, length: int) -> bytes:
        return self._bits(8 * length).to_bytes(length, "big") if length else b""

    def alphanumeric(self, length: int) -> str:
        """A-Z, a-z, 0-9."""
        return self._from(ALPHANUMERIC, length)

    def uppercase(self, length: int) -> str:
        """A-Z, 0-9: access keys, role ids."""
        return self._from(UPPERCASE, length)

    def digits(self, length: int) -> str:
        return self._from("0123456789", length)

    def _from(self, alphabet: str, length: int) -> str:
        """64 random bits give 8 characters; the bias is below 2 to the -14."""
        size = len(alphabet)
        found = []
        for start in range(0, length, 8):
            bits = self._bits(64)
            for _ in range(min(8, length - start)):
                bits, place = divmod(bits, size)
                found.append(alphabet[place])
        return "".join(found)
