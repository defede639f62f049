"""The tokens that people and pipelines carry: their form, checksum, masking.

    ls-AbCd1234-AbCd-1234-AbCd-12345678c0de      an auth token: one member of one workspace
    lsci-…                                       a CI key, same body

The form is the one that LocalStack's open clients accept: `ls`, letters, `-`, groups of 8-4-4-4-12 of which the first
four characters are letters. The last four characters are the checksum: the first four hexadecimal digits of the MD5
digest of everything between the first `-` and themselves. It finds typing errors without a network, no more than that.
"""

from __future__ import annotations

import hashlib
import logging
import re
import traceback
from collections.abc import Callable, Iterable
from typing import Literal

from cloudlet.license.reasons import Failure, failure

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ALPHANUMERIC = LETTERS + "0123456789"
TOKEN_PATTERN = re.compile(
    r"ls[a-zA-Z]*-[a-zA-Z]{4}[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{4}-[a-zA-Z0-9]{12}"
)
LEGACY_KEY_PATTERN = re.compile(r"[a-zA-Z0-9]{8,40}")
BODY_LENGTH = 36
CHECKSUM_LENGTH = 4
SHORTEST_SECRET = 8  # shorter ones are words that stand in every log

# Wider than TOKEN_PATTERN on purpose: a token with a typing error is nearly a token and is hidden too.
SECRET_IN_TEXT = re.compile(r"(?<![a-zA-Z0-9])(ls[a-zA-Z]*-[a-zA-Z0-9]{8})(?:-[a-zA-Z0-9]{1,32}){2,}")
ADMIN_IN_TEXT = re.compile(r"(?<![a-zA-Z0-9])(lsadm_[a-zA-Z0-9]{8})[a-zA-Z0-9_-]{8,}")
PLACEHOLDER = re.compile(
    r"<.*>|\$\{.*\}?|\$[A-Za-z_]\w*|%\w+%|\{\{.*\}\}|(?:your|my|the)[-_ ]?(?:localstack[-_ ]?)?(?:auth|api)[-_ ]?"
    r"(?:token|key)(?:[-_ ]?here)?|x{4,}|\*{3,}|\.{3}|change[-_ ]?me|todo|dummy",
    re.IGNORECASE | re.DOTALL,
)
Kind = Literal["auth", "ci", "legacy_api"]


def checksum(body: str) -> str:
    """The four characters that end a token whose body without them is `body` (dashes included)."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()[:CHECKSUM_LENGTH]


def generate(kind: Literal["auth", "ci"], random_bytes: Callable[[int], bytes]) -> str:
    """A new token of about 165 random bits. `random_bytes(count)` must be fit for secrets."""
    first = pick(LETTERS, 4, random_bytes) + pick(ALPHANUMERIC, 4, random_bytes)
    middle = [pick(ALPHANUMERIC, 4, random_bytes) for _ in range(3)]
    unchecked = "-".join([first, *middle, pick(ALPHANUMERIC, 8, random_bytes)])
    prefix = "ls-" if kind == "auth" else "lsci-"
    return prefix + unchecked + checksum(unchecked)


def pick(alphabet: str, count: int, random_bytes: Callable[[int], bytes]) -> str:
    """`count` characters of the alphabet, each equally likely (bytes beyond the last whole multiple are thrown away)."""
    limit = 256 - 256 % len(alphabet)
    chosen: list[str] = []
    while len(chosen) < count:
        chosen += [alphabet[byte % len(alphabet)] for byte in random_bytes(count * 2) if byte < limit]
    return "".join(chosen[:count])


def clean(value: str) -> str:
    """What was meant: without blanks, line ends and one pair of quotes around it."""
    value = value.strip().strip("\ufeff")
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return value.strip().strip("\"'").strip()


def kind_of(token: str) -> Kind:
    """Which kind a well-formed token is."""
    if token.startswith("lsci-"):
        return "ci"
    return "auth" if TOKEN_PATTERN.fullmatch(token) else "legacy_api"


def find_problem(value: str, *, variable: str = "LOCALSTACK_AUTH_TOKEN", web: str = "") -> Failure | None:
    """Why this (cleaned) text cannot be an auth token or CI key; None when it can. No network.

    The failure names the variable and never contains the value.
    """
    if not value:
        return failure("credentials.missing", web=web)
    if PLACEHOLDER.fullmatch(value):
        return failure("credentials.placeholder", variable=variable, web=web)
    if not TOKEN_PATTERN.fullmatch(value):
        return failure("credentials.format", variable=variable, n=str(len(value)), web=web)
    if not has_valid_checksum(value):
        return failure("credentials.checksum", variable=variable, web=web)
    return None


def find_key_problem(value: str, *, variable: str = "LOCALSTACK_API_KEY", web: str = "") -> Failure | None:
    """`find_problem` for a variable that may also hold an old, opaque API key of letters and digits."""
    if LEGACY_KEY_PATTERN.fullmatch(value) and not PLACEHOLDER.fullmatch(value):
        return None
    return find_problem(value, variable=variable, web=web)


def has_valid_checksum(token: str) -> bool:
    body = token.partition("-")[2]
    return checksum(body[:-CHECKSUM_LENGTH]) == body[-CHECKSUM_LENGTH:]


def mask(token: str) -> str:
    """How a token is shown: `ls-AbCdEf12-****`. Anything else than a token shows two characters at most."""
    found = re.match(r"ls[a-zA-Z]*-[a-zA-Z0-9]{8}", token)
    if found and len(token) > len(found[0]) + 8:
        return found[0] + "-****"
    return token[:2] + "****" if len(token) > 8 else "****"


def mask_text(text: str) -> str:
    """The text with every token in it masked."""
    if "ls" not in text:
        return text
    return ADMIN_IN_TEXT.sub(r"\1-****", SECRET_IN_TEXT.sub(r"\1-****", text))


class TokenMaskingFilter(logging.Filter):
    """Put on a log handler, it masks tokens in messages, arguments and tracebacks.

    `secrets`: texts that are masked too although they have no form to know them by, such as an old API key.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self.secrets = tuple(secret for secret in map(clean, secrets) if len(secret) >= SHORTEST_SECRET)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self.mask(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        if record.exc_text:
            record.exc_text = self.mask(record.exc_text)
        return True

    def mask(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, mask(secret))
        return mask_text(text)
