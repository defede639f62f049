"""Access key ids that carry their account, and the account that any key id means.

    LSIA Q A E B ... 16 base32 characters = 80 bits
         │└────────┬────────┘└───┬───┘
         │   account, 40 bits   39 random bits
         └ always 1

AWS lays out its own key ids like this (since March 2019); LocalStack's, which begin with `LKIA` (long-term) and `LSIA`
(temporary), follow them. Pure functions; the rule is in the compatibility notes ("Access key → account").
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from binascii import Error as Base32Error

DEFAULT_ACCOUNT = "000000000000"
ACCOUNT_DIGITS = 12
KEY_LENGTH = 20
PREFIX_LENGTH = 4
LONG_TERM_PREFIX = "LKIA"
TEMPORARY_PREFIX = "LSIA"
OWN_PREFIXES = frozenset({LONG_TERM_PREFIX, TEMPORARY_PREFIX})
AWS_PREFIXES = frozenset({"AKIA", "ASIA"})

PAYLOAD_BYTES = 10
RANDOM_BITS = 39
ACCOUNT_MASK = (1 << 40) - 1
MARK = 1 << 79
LARGEST_ACCOUNT = 10**ACCOUNT_DIGITS - 1


def account_of(access_key: str, parity: bool = False) -> str:
    """The account, 12 digits, in whose name `access_key` signs.

    A key that is an account number is that account; `LKIA…` and `LSIA…` carry it; `AKIA…` and `ASIA…` are believed
    only with `parity` (`PARITY_AWS_ACCESS_KEY_ID=1`), so that somebody's real keys do not silently choose an account.
    Everything else is 000000000000.
    """
    if len(access_key) >= KEY_LENGTH:
        prefix = access_key[:PREFIX_LENGTH]
        if prefix in OWN_PREFIXES or (parity and prefix in AWS_PREFIXES):
            return decoded_account(access_key) or DEFAULT_ACCOUNT
    start = access_key[:ACCOUNT_DIGITS]
    if len(start) == ACCOUNT_DIGITS and start.isdigit() and start.isascii():
        return start
    return DEFAULT_ACCOUNT


def decoded_account(access_key: str) -> str | None:
    """The account inside a key id of 20 or more characters; None for one that carries none (AWS's from before 2019)."""
    try:
        payload = b32decode(access_key[PREFIX_LENGTH:KEY_LENGTH])
    except (Base32Error, ValueError):
        return None
    value = int.from_bytes(payload, "big")
    account = (value >> RANDOM_BITS) & ACCOUNT_MASK
    if not value & MARK or account > LARGEST_ACCOUNT:
        return None
    return f"{account:012d}"


def make_access_key(prefix: str, account: str, random: bytes) -> str:
    """A key id of 20 characters with `prefix` (4 characters) that `account_of` maps to `account` (12 digits).

    `random` is what makes it unique: 5 bytes, of which 39 bits are used.
    """
    noise = int.from_bytes(random, "big") & ((1 << RANDOM_BITS) - 1)
    value = MARK | int(account) << RANDOM_BITS | noise
    return prefix + b32encode(value.to_bytes(PAYLOAD_BYTES, "big")).decode()
