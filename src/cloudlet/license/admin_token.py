"""The form of API tokens, with which programs administer a workspace: `lsadm_`, 32 random characters, 6 of a checksum.

The checksum finds typing errors, and lets scanners of repositories be certain, without a network.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from cloudlet.license.token import ALPHANUMERIC, pick

PREFIX = "lsadm_"
PATTERN = re.compile(r"lsadm_[A-Za-z0-9]{38}")
BODY_LENGTH = 32
CHECKSUM_LENGTH = 6
SHOWN_LENGTH = len(PREFIX) + 8
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def generate(random_bytes: Callable[[int], bytes]) -> str:
    """A new token of about 190 random bits. `random_bytes(count)` must be fit for secrets."""
    body = pick(ALPHANUMERIC, BODY_LENGTH, random_bytes)
    return PREFIX + body + checksum(body)


def checksum(body: str) -> str:
    """CRC-32 of the body's characters, in base 62 with leading zeros."""
    number, text = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    return text.rjust(CHECKSUM_LENGTH, "0")


def is_wellformed(token: str) -> bool:
    body = token.removeprefix(PREFIX)
    return PATTERN.fullmatch(token) is not None and checksum(body[:BODY_LENGTH]) == body[BODY_LENGTH:]
