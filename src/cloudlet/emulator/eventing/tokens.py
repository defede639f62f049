"""JSON, token by token, with the positions that Jackson would report.

AWS's front end checks event patterns with a streaming parser and ends its messages with where it stood:

    "detail" must be an object or an array
     at [Source: (String)"{"detail": 1}"; line: 1, column: 12]

Jackson stands behind a token that it has read, and behind the opening quote of a text that it has not read yet.
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import Any, Literal

import msgspec

Kind = Literal["{", "}", "[", "]", "name", "text", "number", "true", "false", "null", "end"]

DECODER = json.JSONDecoder()
BLANK = re.compile(r"[ \t\r\n]*")
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
WORDS = MappingProxyType[str, tuple[Kind, Any]](
    {"true": ("true", True), "false": ("false", False), "null": ("null", None)}
)
MOST_SHOWN = 500  # characters of the source in a message
LITERALS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


class PatternError(ValueError):
    """What is wrong with a pattern, with the place, as AWS says it."""


class Token(msgspec.Struct, frozen=True):
    """`value`: the name, text, number, bool or None."""

    kind: Kind
    value: Any = None


class Tokens:
    """Reads a JSON text from the front to the end. `take` raises PatternError where it is no JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._seen = 0  # where Jackson would stand
        self._open: list[str] = []
        self._first = True  # nothing has come yet inside the innermost object or list
        self._behind_name: Token | None = None  # the value of the name that was taken last

    def take(self) -> Token:
        """The next token."""
        if self._behind_name is not None:
            token, self._behind_name = self._behind_name, None
            return token
        self._skip()
        if not self._open:
            return self._value() if self._at < len(self._text) else Token("end")
        return self._inside()

    @property
    def depth(self) -> int:
        """Objects and lists that are open."""
        return len(self._open)

    def read(self) -> None:
        """The text that was taken last is looked at: the parser stands behind it."""
        self._seen = self._at

    def fail(self, message: str) -> PatternError:
        """The message with the place where the parser stands."""
        before = self._text[: self._seen]
        line = before.count("\n") + 1
        column = self._seen - (before.rfind("\n") + 1) + 1
        shown = self._text[:MOST_SHOWN]
        cut = len(self._text) - MOST_SHOWN
        tail = f'"[truncated {cut} chars]' if cut > 0 else '"'
        return PatternError(f'{message}\n at [Source: (String)"{shown}{tail}; line: {line}, column: {column}]')

    def _skip(self) -> None:
        found = BLANK.match(self._text, self._at)
        self._at = found.end() if found is not None else self._at

    def _here(self) -> str:
        if self._at >= len(self._text):
            self._seen = len(self._text)
            kind = "Object" if self._open and self._open[-1] == "{" else "Array"
            raise self.fail(f"Unexpected end-of-input: expected close marker for {kind}")
        return self._text[self._at]

    def _inside(self) -> Token:
        """The next token of the innermost object or list."""
        kind = self._open[-1]
        here = self._here()
        if here == ("}" if kind == "{" else "]"):
            return self._close(here)
        if not self._first:
            if here != ",":
                raise self._unexpected(
                    here, f"was expecting comma to separate {'Object' if kind == '{' else 'Array'} entries"
                )
            self._at += 1
            self._skip()
            here = self._here()
        self._first = False
        if kind == "[":
            return self._value()
        if here != '"':
            raise self._unexpected(here, "was expecting double-quote to start field name")
        name = self._string()
        self._skip()
        if self._here() != ":":
            raise self._unexpected(self._text[self._at], "was expecting a colon to separate field name and value")
        self._at += 1
        self._skip()
        self._behind_name = self._value()  # Jackson has looked at the value when it gives the name
        return Token("name", name)

    def _close(self, bracket: str) -> Token:
        self._open.pop()
        self._at += 1
        self._seen = self._at
        self._first = False
        return Token("}" if bracket == "}" else "]")

    def _value(self) -> Token:
        here = self._here()
        if here in "{[":
            self._open.append(here)
            self._at += 1
            self._seen = self._at
            self._first = True
            return Token("{" if here == "{" else "[")
        if here == '"':
            start = self._at
            value = self._string()
            self._seen = start + 1
            return Token("text", value)
        number = NUMBER.match(self._text, self._at)
        if number is not None and number.end() > self._at:
            self._at = self._seen = number.end()
            return Token("number", json.loads(number[0]))
        word = WORD.match(self._text, self._at)
        if word is None:
            raise self._unexpected(here, f"expected a valid value {LITERALS}")
        self._at = self._seen = word.end()
        if word[0] not in WORDS:
            raise self.fail(f"Unrecognized token '{word[0]}': was expecting {LITERALS}")
        return Token(*WORDS[word[0]])

    def _string(self) -> str:
        try:
            value, self._at = DECODER.raw_decode(self._text, self._at)
        except ValueError:
            self._seen = len(self._text)
            raise self.fail("Unexpected end-of-input in VALUE_STRING") from None
        return str(value)

    def _unexpected(self, here: str, expected: str) -> PatternError:
        self._seen = self._at + 1
        return self.fail(f"Unexpected character ('{here}' (code {ord(here)})): {expected}")
