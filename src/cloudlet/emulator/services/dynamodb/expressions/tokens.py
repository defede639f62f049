"""The words of an expression, and the syntax error that names one."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cloudlet.emulator.services.dynamodb.errors import ValidationException

MAX_EXPRESSION_BYTES: Final = 4096
TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z][A-Za-z0-9_]*)|(?P<nameref>\#[A-Za-z0-9_]+)|(?P<valueref>:[A-Za-z0-9_]+)"
    r"|(?P<number>[0-9]+)|(?P<symbol><>|<=|>=|[=<>()\[\],.+\-])|(?P<end>$)|(?P<wrong>.))",
    re.DOTALL,
)


class Token(NamedTuple):
    """`kind` is a group of `TOKEN`; `start` and `end` are places in the expression."""

    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """The tokens of one expression, read from left to right. `expression` is its parameter's name, for messages."""

    __slots__ = ("depth", "expression", "place", "text", "tokens")

    def __init__(self, expression: str, text: str) -> None:
        self.expression = expression
        self.text = text
        self.place = 0
        self.depth = 0
        size = len(text.encode())
        if size > MAX_EXPRESSION_BYTES:
            raise self.error(f"Expression size has exceeded the maximum allowed size; expression size: {size}")
        self.tokens = list(split(text))
        if len(self.tokens) == 1:
            raise self.error("The expression can not be empty;")
        for place, token in enumerate(self.tokens):
            if token.kind == "wrong":
                raise self.syntax_error(place)

    def error(self, message: str) -> ValidationException:
        return ValidationException(f"Invalid {self.expression}: {message}")

    def syntax_error(self, place: int | None = None) -> ValidationException:
        """The error about the token at `place`, the current one by default."""
        at = self.place if place is None else place
        first = self.tokens[max(at - 1, 0)]
        last = self.tokens[min(at + 1, len(self.tokens) - 1)]
        if last.kind == "end":
            last = self.tokens[len(self.tokens) - 2] if len(self.tokens) > 1 else last
        token = self.tokens[at]
        word = token.text if token.kind != "end" else "<EOF>"
        near = self.text[first.start : max(last.end, first.end)]
        return self.error(f'Syntax error; token: "{word}", near: "{near}"')

    @property
    def current(self) -> Token:
        return self.tokens[self.place]

    def peek(self) -> Token:
        """The token after the current one."""
        return self.tokens[min(self.place + 1, len(self.tokens) - 1)]

    def advance(self) -> Token:
        token = self.tokens[self.place]
        if token.kind != "end":
            self.place += 1
        return token

    def at_symbol(self, symbol: str) -> bool:
        token = self.tokens[self.place]
        return token.kind == "symbol" and token.text == symbol

    def at_word(self, word: str) -> bool:
        """The current token is the keyword `word`, given in upper case."""
        token = self.tokens[self.place]
        return token.kind == "name" and token.text.upper() == word

    def take_symbol(self, symbol: str) -> bool:
        if self.at_symbol(symbol):
            self.place += 1
            return True
        return False

    def take_word(self, word: str) -> bool:
        if self.at_word(word):
            self.place += 1
            return True
        return False

    def expect_symbol(self, symbol: str) -> None:
        if not self.take_symbol(symbol):
            raise self.syntax_error()

    def expect_end(self) -> None:
        if self.current.kind != "end":
            raise self.syntax_error()


def split(text: str) -> list[Token]:
    """All tokens of the text; the last one is of the kind `end`."""
    tokens = []
    place = 0
    while True:
        found = TOKEN.match(text, place)
        assert found is not None
        assert found.lastgroup is not None
        kind = found.lastgroup
        tokens.append(Token(kind, found[kind], found.start(kind), found.end(kind)))
        if kind == "end":
            return tokens
        place = found.end()
