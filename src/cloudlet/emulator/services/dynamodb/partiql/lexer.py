"""The words of a PartiQL statement."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cloudlet.emulator.services.dynamodb.errors import ValidationException

MAX_STATEMENT: Final = 8192
WORD: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<quoted>\"(?:[^\"]|\"\")*\")|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)|(?P<symbol><<|>>|<>|!=|<=|>=|[=<>()\[\]{},.:+\-*?;])|(?P<end>$)|(?P<wrong>.))",
    re.DOTALL,
)


class Word(NamedTuple):
    """`kind` is a group of `WORD`; `text` is without quotes."""

    kind: str
    text: str


def malformed(reason: str) -> ValidationException:
    return ValidationException(f"Statement wasn't well formed, can't be processed: {reason}")


def split(statement: str) -> list[Word]:
    """The words; the last one is of the kind `end`. Raises ValidationException."""
    words = []
    place = 0
    while True:
        found = WORD.match(statement, place)
        assert found is not None
        kind = found.lastgroup or "end"
        text = found[kind]
        if kind == "wrong":
            raise malformed(f"Unexpected character {text}")
        if kind in ("text", "quoted"):
            quote = text[0]
            text = text[1:-1].replace(quote * 2, quote)
        words.append(Word(kind, text))
        if kind == "end":
            return words
        place = found.end()
