"""Rules of composite alarms: `ALARM("a") AND (OK(b) OR NOT INSUFFICIENT_DATA(c))`, `TRUE`, `FALSE`.

From "Create a composite alarm" in the Amazon CloudWatch User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable

TOKEN = re.compile(r"\s*(?:(\()|(\))|([A-Z_]+)\s*\(\s*(?:\"([^\"]+)\"|'([^']+)'|([^()\"']+?))\s*\)|([A-Za-z]+))")
STATES = frozenset({"ALARM", "OK", "INSUFFICIENT_DATA"})

StateOf = Callable[[str], str | None]  # name or ARN of an alarm -> its state, None where there is no such alarm


class Malformed(Exception):
    """The rule cannot be read."""


def holds(rule: str, state_of: StateOf) -> bool:
    """Raises Malformed. An alarm that there is not is in no state."""
    return Reader(rule, state_of).all()


def alarms_in(rule: str) -> list[str]:
    """Names or ARNs. Raises Malformed."""
    found: list[str] = []

    def note(name: str) -> None:
        found.append(name)

    Reader(rule, note).all()
    return found


class Reader:
    def __init__(self, rule: str, state_of: StateOf) -> None:
        self.state_of = state_of
        self.tokens: list[tuple[str, str]] = []
        at, rule = 0, rule.strip()
        while at < len(rule):
            found = TOKEN.match(rule, at)
            if found is None:
                raise Malformed(rule[at:])
            if found[3]:
                self.tokens.append((found[3], found[4] or found[5] or found[6]))
            else:
                self.tokens.append((found[1] or found[2] or found[7].upper(), ""))
            at = found.end()
        self.at = 0

    def all(self) -> bool:
        value = self.either()
        if self.at != len(self.tokens):
            raise Malformed(self.tokens[self.at][0])
        return value

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def either(self) -> bool:
        value = self.both()
        while self.peek() == "OR":
            self.at += 1
            other = self.both()
            value = value or other
        return value

    def both(self) -> bool:
        value = self.one()
        while self.peek() == "AND":
            self.at += 1
            other = self.one()
            value = value and other
        return value

    def one(self) -> bool:
        word = self.peek()
        if not word:
            raise Malformed("the rule ends too soon")
        name = self.tokens[self.at][1]
        self.at += 1
        if word == "NOT":
            return not self.one()
        if word == "(":
            value = self.either()
            if self.peek() != ")":
                raise Malformed("a bracket is not closed")
            self.at += 1
            return value
        if word in STATES and name:
            return self.state_of(name) == word
        if word in ("TRUE", "FALSE") and not name:
            return word == "TRUE"
        raise Malformed(word)
