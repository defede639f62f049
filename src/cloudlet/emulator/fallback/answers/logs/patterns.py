r"""Filter patterns, from "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail".

matches = compiled('ERROR -"not this"')          terms, phrases, exclusions, ?alternatives, %regular expressions%
matches = compiled('{ $.code >= 500 && $.user.name = "e*" }')         JSON
matches = compiled('[ip, user, ..., status = 5*, size]')              columns
matches(message)      the values that a metric can take (`$code`, `$.code`), None where the message does not match
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Matches = Callable[[str], Mapping[str, Any] | None]
Check = Callable[[Any], bool]

TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|(\S+))')
COLUMN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+))')
JSON_TOKEN = re.compile(
    r'\s*(?:(&&|\|\||\(|\)|!=|<=|>=|=|<|>)|(\$(?:\.[\w\-@]+|\.\*|\[(?:"[^"]+"|\d+|\*)\])+)|"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s()&|=<>!]+))'
)
STEP = re.compile(r'\.([\w\-@*]+)|\[(?:"([^"]+)"|(\d+|\*))\]')
COMPARISONS: tuple[str, ...] = ("!=", "<=", ">=", "=", "<", ">")


class Malformed(Exception):
    """The pattern cannot be read."""


def compiled(pattern: str) -> Matches:
    """Raises Malformed."""
    text = pattern.strip()
    if not text:
        return lambda _message: {}
    if text.startswith("{") and text.endswith("}"):
        return of_json(text[1:-1])
    if text.startswith("[") and text.endswith("]"):
        return of_columns(text[1:-1])
    return of_terms(text)


def of_terms(text: str) -> Matches:
    wanted: list[Check] = []
    excluded: list[Check] = []
    optional: list[Check] = []
    for found in TERM.finditer(text):
        sign, phrase, expression, word = found.groups()
        check = contains(unescaped(phrase) if phrase is not None else word or "", expression)
        {"-": excluded, "?": optional}.get(sign, wanted).append(check)

    def matches(message: str) -> Mapping[str, Any] | None:
        if not all(check(message) for check in wanted) or any(check(message) for check in excluded):
            return None
        # As soon as one term is not optional, the optional ones say nothing.
        return {} if wanted or not optional or any(check(message) for check in optional) else None

    return matches


def contains(text: str, expression: str | None) -> Check:
    if expression is not None:
        return expression_of(expression)
    return lambda message: text in message


def expression_of(text: str) -> Check:
    try:
        search = re.compile(text).search
    except re.error as error:
        raise Malformed(f"%{text}%") from error
    return lambda value: search(str(value)) is not None


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


# --- columns


def of_columns(text: str) -> Matches:
    names: list[str] = []
    checks: list[Check | None] = []
    for part in split_outside(text, ","):
        name = part.strip()
        if not name:
            raise Malformed(text)
        found = re.match(r"([\w.]+|\.\.\.)\s*(?:(!=|<=|>=|=|<|>)\s*(.+))?\Z", name, re.DOTALL)
        if found is None:
            raise Malformed(name)
        names.append(found[1])
        checks.append(comparison(found[2], alternatives(found[3])) if found[2] else None)

    def matches(message: str) -> Mapping[str, Any] | None:
        values = [next(group for group in found.groups() if group is not None) for found in COLUMN.finditer(message)]
        if "..." in names:
            gap = names.index("...")
            after = len(names) - gap - 1
            if len(values) < gap + after:
                return None
            middle = values[gap : len(values) - after]
            values = [*values[:gap], " ".join(middle), *values[len(values) - after :]]
        if len(values) != len(names):
            return None
        for value, check in zip(values, checks, strict=True):
            if check is not None and not check(value):
                return None
        return {f"${name}": value for name, value in zip(names, values, strict=True) if name != "..."}

    return matches


def alternatives(text: str) -> list[str]:
    return [plain(part) for part in re.split(r"\|\|", text.strip())]


def plain(text: str) -> str:
    text = re.sub(r"^\w+\s*=\s*", "", text.strip())
    return unescaped(text[1:-1]) if len(text) > 1 and text[0] == text[-1] == '"' else text


def split_outside(text: str, sign: str) -> list[str]:
    """At a sign that stands in no quotes."""
    parts, quoted, start = [], False, 0
    for at, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == sign and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def comparison(operator: str, wanted: list[str]) -> Check:
    if operator == "=":
        checks = [equals(text) for text in wanted]
        return lambda value: any(check(value) for check in checks)
    if operator == "!=":
        checks = [equals(text) for text in wanted]
        return lambda value: not any(check(value) for check in checks)
    limit = number(wanted[0])
    if limit is None:
        raise Malformed(wanted[0])

    def compare(value: Any) -> bool:
        has = number(value)
        if has is None or limit is None:
            return False
        return {"<": has < limit, "<=": has <= limit, ">": has > limit, ">=": has >= limit}[operator]

    return compare


def equals(text: str) -> Check:
    """The same text with `*` for anything, or the same number."""
    if len(text) > 1 and text[0] == text[-1] == "%":
        return expression_of(text[1:-1])
    if "*" in text:
        match = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL).fullmatch
        return lambda value: not isinstance(value, dict | list) and match(shown(value)) is not None
    limit = number(text)
    return lambda value: shown(value) == text or (limit is not None and number(value) == limit)


def number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


# --- JSON


def of_json(text: str) -> Matches:
    reader = JsonReader(text)
    check = reader.all()

    def matches(message: str) -> Mapping[str, Any] | None:
        try:
            document = json.loads(message)
        except ValueError:
            return None
        return Selected(document) if check(document) else None

    return matches


class Selected(Mapping[str, Any]):
    """What `$.a.b` selects in a document."""

    def __init__(self, document: Any) -> None:
        self.document = document

    def __getitem__(self, path: str) -> Any:
        found = select(self.document, path)
        if not found:
            raise KeyError(path)
        return found[0]

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def select(document: Any, path: str) -> list[Any]:
    found = [document]
    for step in STEP.finditer(path):
        name = step[1] or step[2] or step[3]
        following: list[Any] = []
        for value in found:
            if isinstance(value, dict):
                following += list(value.values()) if name == "*" else [value[name]] if name in value else []
            elif isinstance(value, list):
                if name == "*":
                    following += value
                elif name.isdigit() and int(name) < len(value):
                    following.append(value[int(name)])
        found = following
    return found


class JsonReader:
    """`||` binds less than `&&`."""

    def __init__(self, text: str) -> None:
        self.words: list[tuple[str, str]] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = JSON_TOKEN.match(text, at)
            if found is None:
                raise Malformed(text[at:])
            sign, path, quoted, expression, word = found.groups()
            if quoted is not None:
                self.words.append(("text", unescaped(quoted)))
            elif expression is not None:
                self.words.append(("text", f"%{expression}%"))
            elif sign or path:
                self.words.append(("sign" if sign else "path", sign or path))
            else:
                self.words.append(("word", word))
            at = found.end()
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.words[self.at] if self.at < len(self.words) else ("", "")

    def take(self) -> tuple[str, str]:
        word = self.peek()
        if not word[0]:
            raise Malformed("the pattern ends too soon")
        self.at += 1
        return word

    def all(self) -> Check:
        check = self.either()
        if self.at != len(self.words):
            raise Malformed(self.peek()[1])
        return check

    def either(self) -> Check:
        checks = [self.both()]
        while self.peek() == ("sign", "||"):
            self.at += 1
            checks.append(self.both())
        return lambda document: any(check(document) for check in checks)

    def both(self) -> Check:
        checks = [self.one()]
        while self.peek() == ("sign", "&&"):
            self.at += 1
            checks.append(self.one())
        return lambda document: all(check(document) for check in checks)

    def one(self) -> Check:
        kind, path = self.take()
        if (kind, path) == ("sign", "("):
            check = self.either()
            if self.take() != ("sign", ")"):
                raise Malformed("a bracket is not closed")
            return check
        if kind != "path":
            raise Malformed(path)
        kind, sign = self.take()
        if kind == "word":
            return self.existence(path, sign)
        if sign not in COMPARISONS:
            raise Malformed(sign)
        kind, value = self.take()
        if kind not in ("text", "word"):
            raise Malformed(value)
        test = comparison(sign, [value])
        return lambda document: any(test(found) for found in select(document, path))

    def existence(self, path: str, word: str) -> Check:
        """`$.a IS NULL`, `IS TRUE`, `NOT EXISTS`."""
        what = self.take()[1].upper()
        if (word.upper(), what) == ("NOT", "EXISTS"):
            return lambda document: not select(document, path)
        if word.upper() != "IS" or what not in ("NULL", "TRUE", "FALSE"):
            raise Malformed(word)
        wanted = {"NULL": None, "TRUE": True, "FALSE": False}[what]
        return lambda document: any(found is wanted for found in select(document, path))
