"""Intrinsic functions, `States.Format('{}', $.name)`: their syntax and what they compute.

Source: Step Functions Developer Guide, "Intrinsic functions for JSONPath states".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.services.stepfunctions.asl.failures import INTRINSIC, StateFailure
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, loads

NAME = re.compile(r"States\.([A-Za-z0-9]+)\s*\(")
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
WORDS: Mapping[str, Any] = MappingProxyType({"null": None, "true": True, "false": False})
MOST_CHARACTERS = 10_000  # of what Base64 and Hash take
MOST_RANGE = 1000
ALGORITHMS: Mapping[str, str] = MappingProxyType(
    {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
)


class Literal(NamedTuple):
    value: Any


class PathArgument(NamedTuple):
    path: str


class Application(NamedTuple):
    name: str
    arguments: tuple[Any, ...]


class SyntaxProblem(ValueError):
    """Text that is no intrinsic function."""


class Parser:
    """Reads one function call with its arguments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> Application:
        self.blanks()
        found = self.application()
        self.blanks()
        if self.at != len(self.text):
            raise SyntaxProblem(self.text)
        return found

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def application(self) -> Application:
        head = NAME.match(self.text, self.at)
        if head is None or head[1] not in FUNCTIONS:
            raise SyntaxProblem(self.text)
        self.at = head.end()
        arguments: list[Any] = []
        self.blanks()
        if self.peek() == ")":
            self.at += 1
            return Application(head[1], ())
        while True:
            arguments.append(self.argument())
            self.blanks()
            mark = self.peek()
            self.at += 1
            if mark == ")":
                return Application(head[1], tuple(arguments))
            if mark != ",":
                raise SyntaxProblem(self.text)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def argument(self) -> Any:
        self.blanks()
        first = self.peek()
        if first == "'":
            return Literal(self.quoted())
        if first == "$":
            return PathArgument(self.path())
        if self.text.startswith("States.", self.at):
            return self.application()
        for word, value in WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return Literal(value)
        number = NUMBER.match(self.text, self.at)
        if number is None:
            raise SyntaxProblem(self.text)
        self.at = number.end()
        return Literal(loads(number[0]))

    def quoted(self) -> str:
        """A string in apostrophes. `\\'`, `\\{`, `\\}` and `\\\\` are escapes; braces keep theirs for States.Format."""
        self.at += 1
        found = []
        while self.at < len(self.text):
            character = self.text[self.at]
            following = self.text[self.at + 1 : self.at + 2]
            if character == "\\" and following:
                found.append(following if following in "'" else character + following)
                self.at += 2
                continue
            self.at += 1
            if character == "'":
                return "".join(found)
            found.append(character)
        raise SyntaxProblem(self.text)

    def path(self) -> str:
        """Up to the comma or bracket that ends it outside of its own brackets and quotes."""
        start, depth, quote = self.at, 0, ""
        while self.at < len(self.text):
            character = self.text[self.at]
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"":
                quote = character
            elif character in "[(":
                depth += 1
            elif character in ")]" and depth:
                depth -= 1
            elif character in ",)":
                break
            self.at += 1
        return self.text[start : self.at].strip()


def parse(text: str) -> Application:
    """Raises SyntaxProblem."""
    return Parser(text).whole()


def is_intrinsic(text: object) -> bool:
    return isinstance(text, str) and text.lstrip().startswith("States.")


def paths_of(application: Application) -> list[str]:
    """Every path among the arguments, nested ones too."""
    found = []
    for argument in application.arguments:
        if isinstance(argument, PathArgument):
            found.append(argument.path)
        elif isinstance(argument, Application):
            found += paths_of(argument)
    return found


class Sources(NamedTuple):
    """Where the values that are not in the text come from."""

    resolve: Callable[[str], Any]
    uuid: Callable[[], str]
    random: Callable[[], float]


def evaluate(text: str, sources: Sources) -> Any:
    """The value of an intrinsic function. Raises StateFailure, SyntaxProblem and what `sources.resolve` raises."""
    return apply(parse(text), sources, text)


def apply(application: Application, sources: Sources, text: str) -> Any:
    values = []
    for argument in application.arguments:
        if isinstance(argument, Literal):
            value = argument.value
            values.append(unescaped(value) if isinstance(value, str) and application.name != "Format" else value)
        elif isinstance(argument, PathArgument):
            values.append(sources.resolve(argument.path))
        else:
            values.append(apply(argument, sources, text))
    if application.name == "UUID":
        expect(not values, text)
        return sources.uuid()
    if application.name == "MathRandom":
        return math_random(values, sources.random, text)
    if application.name == "Format":
        first = application.arguments[0] if application.arguments else None
        return formatted(values, text, isinstance(first, Literal))
    return FUNCTIONS[application.name](values, text)


def unescaped(text: str) -> str:
    return re.sub(r"\\([{}\\'])", r"\1", text)


def expect(condition: bool, text: str, reason: str = "Invalid arguments in the intrinsic function") -> None:
    if not condition:
        raise StateFailure(INTRINSIC, f"{reason}: {text}.")


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def rounded(value: Any) -> int:
    """Whole numbers are wanted; others are rounded to the nearest, as AWS does."""
    return int(value) if isinstance(value, int) else int(value + 0.5) if value >= 0 else -int(-value + 0.5)


def formatted(values: list[Any], text: str, literal: bool) -> str:
    expect(bool(values) and isinstance(values[0], str), text)
    template, rest = values[0], list(values[1:])
    found, at = [], 0
    while at < len(template):
        pair = template[at : at + 2]
        if pair == "{}":
            expect(bool(rest), text, "Too few arguments of the intrinsic function")
            value = rest.pop(0)
            found.append(java_text(value))
            at += 2
        elif pair[0] == "\\" and len(pair) == 2 and pair[1] in "{}\\'":
            found.append(pair[1])
            at += 2
        else:
            expect(not literal or pair[0] not in "{}", text, "A brace that is not escaped in the intrinsic function")
            found.append(pair[0])
            at += 1
    expect(not rest, text, "Too many arguments of the intrinsic function")
    return "".join(found)


def java_text(value: Any) -> str:
    """A value as Java prints it, which is what States.Format puts in: `{a=1, b=[x]}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(java_text(item) for item in value) + "]"
    return value if isinstance(value, str) else dumps(value)


def string_to_json(values: list[Any], text: str) -> Any:
    expect(len(values) == 1 and isinstance(values[0], str), text)
    try:
        return loads(values[0]) if values[0].strip() else None
    except ValueError:
        raise StateFailure(INTRINSIC, f"The argument is no JSON in the intrinsic function: {text}.") from None


def json_to_string(values: list[Any], text: str) -> str:
    expect(len(values) == 1, text)
    return dumps(values[0])


def array(values: list[Any], text: str) -> list[Any]:
    return values


def array_partition(values: list[Any], text: str) -> list[Any]:
    expect(len(values) == 2 and isinstance(values[0], list) and number(values[1]), text)
    size = rounded(values[1])
    expect(size > 0, text)
    return [values[0][at : at + size] for at in range(0, len(values[0]), size)]


def same(left: Any, right: Any) -> bool:
    """JSON's equality: true is not 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def array_contains(values: list[Any], text: str) -> bool:
    expect(len(values) == 2 and isinstance(values[0], list), text)
    return any(same(item, values[1]) for item in values[0])


def array_range(values: list[Any], text: str) -> list[int]:
    expect(len(values) == 3 and all(number(value) for value in values), text)
    start, end, step = (rounded(value) for value in values)
    expect(step != 0, text)
    count = (end - start) // step + 1
    expect(count <= MOST_RANGE, text, "More than 1000 items from the intrinsic function")
    return [start + step * at for at in range(max(count, 0))]


def array_get_item(values: list[Any], text: str) -> Any:
    expect(len(values) == 2 and isinstance(values[0], list) and number(values[1]), text)
    index = rounded(values[1])
    expect(0 <= index < len(values[0]), text, "The index is out of range in the intrinsic function")
    return values[0][index]


def array_length(values: list[Any], text: str) -> int:
    expect(len(values) == 1 and isinstance(values[0], list), text)
    return len(values[0])


def array_unique(values: list[Any], text: str) -> list[Any]:
    expect(len(values) == 1 and isinstance(values[0], list), text)
    found: list[Any] = []
    seen: set[str] = set()
    for item in values[0]:
        key = dumps(item)
        if key not in seen:
            seen.add(key)
            found.append(item)
    return found


def base64_encode(values: list[Any], text: str) -> str:
    expect(len(values) == 1 and isinstance(values[0], str) and len(values[0]) <= MOST_CHARACTERS, text)
    return base64.b64encode(values[0].encode()).decode()


def base64_decode(values: list[Any], text: str) -> str:
    expect(len(values) == 1 and isinstance(values[0], str) and len(values[0]) <= MOST_CHARACTERS, text)
    try:
        return base64.b64decode(values[0], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise StateFailure(INTRINSIC, f"The argument is no Base64 in the intrinsic function: {text}.") from None


def hashed(values: list[Any], text: str) -> str:
    expect(len(values) == 2 and values[1] in ALGORITHMS, text)
    content = values[0] if isinstance(values[0], str) else dumps(values[0])
    expect(len(content) <= MOST_CHARACTERS, text)
    return hashlib.new(ALGORITHMS[values[1]], content.encode(), usedforsecurity=False).hexdigest()


def json_merge(values: list[Any], text: str) -> dict[str, Any]:
    expect(len(values) == 3 and isinstance(values[0], dict) and isinstance(values[1], dict), text)
    expect(values[2] is False, text, "Only shallow merging is supported by the intrinsic function")
    return {**values[0], **values[1]}


def math_random(values: list[Any], source: Callable[[], float], text: str) -> int:
    """From the first number to the second, which is left out; a third is a seed."""
    expect(len(values) in (2, 3) and all(number(value) for value in values), text)
    start, end = rounded(values[0]), rounded(values[1])
    expect(start < end, text)
    fraction = source() if len(values) == 2 else Ids(rounded(values[2])).random()
    return start + int(fraction * (end - start))


def math_add(values: list[Any], text: str) -> int:
    expect(len(values) == 2 and all(number(value) for value in values), text)
    return rounded(values[0]) + rounded(values[1])


def string_split(values: list[Any], text: str) -> list[str]:
    """At any of the delimiters' characters; empty pieces are dropped."""
    expect(len(values) == 2 and all(isinstance(value, str) for value in values), text)
    if not values[1]:
        return [values[0]]
    return [piece for piece in re.split("[" + re.escape(values[1]) + "]", values[0]) if piece]


def by_name(values: list[Any], text: str) -> Any:
    """Stands for the functions that need more than their arguments; `apply` calls those itself."""
    raise SyntaxProblem(text)


FUNCTIONS: Mapping[str, Callable[[list[Any], str], Any]] = MappingProxyType(
    {
        "Format": by_name,
        "UUID": by_name,
        "MathRandom": by_name,
        "StringToJson": string_to_json,
        "JsonToString": json_to_string,
        "Array": array,
        "ArrayPartition": array_partition,
        "ArrayContains": array_contains,
        "ArrayRange": array_range,
        "ArrayGetItem": array_get_item,
        "ArrayLength": array_length,
        "ArrayUnique": array_unique,
        "Base64Encode": base64_encode,
        "Base64Decode": base64_decode,
        "Hash": hashed,
        "JsonMerge": json_merge,
        "MathAdd": math_add,
        "StringSplit": string_split,
    }
)
