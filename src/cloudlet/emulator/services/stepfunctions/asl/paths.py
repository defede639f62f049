"""JSONPath as the States Language uses it: into the input (`$`), the context object (`$$`) and variables (`$name`).

A definite path gives the one value that it names; a path with wildcards, slices or filters gives a list of all matches.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Protocol

import jsonpath

VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)(.*)", re.DOTALL)
REFERENCE = re.compile(r"\$(?:\.[^.\[\]*?@(),:]+|\[(?:\d+|'[^']*'|\"[^\"]*\")\])*")
PART = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
LENGTH = ".length()"


class NoMatch(Exception):
    """A definite path that leads nowhere, or a reference to a variable that is not there."""


class Scope(Protocol):
    """What paths may lead into beside the input."""

    @property
    def context(self) -> dict[str, Any]: ...

    @property
    def variables(self) -> Mapping[str, Any]: ...


@functools.lru_cache(maxsize=1024)
def compiled(path: str) -> tuple[Any, bool]:
    """(the query, whether it is definite). Raises ValueError."""
    try:
        query = jsonpath.compile(path.replace(".[", "["))
        return query, bool(getattr(query, "singular_query", lambda: False)())
    except jsonpath.JSONPathError as error:
        raise ValueError(str(error)) from None


def is_path(text: object) -> bool:
    """Whether this is a path of any kind."""
    if not isinstance(text, str) or not text.startswith("$"):
        return False
    variable = VARIABLE.fullmatch(text)
    plain = "$" + variable[2] if variable else text[1:] if text.startswith("$$") else text
    try:
        compiled(plain.removesuffix(LENGTH))
    except ValueError:
        return False
    return True


def is_reference_path(text: object) -> bool:
    """Whether this names exactly one place in the input ("Reference Paths")."""
    return isinstance(text, str) and REFERENCE.fullmatch(text) is not None


def query(path: str, data: Any) -> Any:
    """The value, or the list of values. Raises NoMatch, ValueError."""
    if path == "$":
        return data
    if path.endswith(LENGTH):
        found = query(path.removesuffix(LENGTH), data)
        if not isinstance(found, list | dict | str):
            raise NoMatch(path)
        return len(found)
    expression, definite = compiled(path)
    found = [match.obj for match in expression.finditer(data)]
    if not definite:
        return found
    if not found:
        raise NoMatch(path)
    return found[0]


def resolve(path: str, data: Any, scope: Scope) -> Any:
    """The value of a path that may be into input, context object or a variable. Raises NoMatch, ValueError."""
    if path.startswith("$$"):
        return query(path[1:], scope.context)
    variable = VARIABLE.fullmatch(path)
    if variable is None:
        return query(path, data)
    if variable[1] not in scope.variables:
        raise NoMatch(path)
    return query("$" + variable[2], scope.variables[variable[1]])


def parts_of(path: str) -> list[str | int]:
    """The names and indexes of a reference path."""
    found: list[str | int] = []
    for name, index, quoted, double in PART.findall(path[1:]):
        found.append(int(index) if index else name or quoted or double)
    return found


def bracketed(path: str) -> str:
    """A path as Jayway's JsonPath, AWS's library, writes it in messages: `$['a']['b']`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in parts_of(path))


def put(data: Any, path: str, value: Any) -> Any:
    """`data` with `value` at a reference path; objects on the way are made. Raises NoMatch."""
    parts = parts_of(path)
    if not parts:
        return value
    return put_at(data, parts, value)


def put_at(data: Any, parts: list[str | int], value: Any) -> Any:
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if isinstance(part, int):
        if not isinstance(data, list) or part >= len(data):
            raise NoMatch(str(part))
        return [*data[:part], put_at(data[part], rest, value), *data[part + 1 :]]
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise NoMatch(part)
    return {**data, part: put_at(data.get(part), rest, value)}
