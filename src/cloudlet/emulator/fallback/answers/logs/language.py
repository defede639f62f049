"""The language of Logs Insights: fields, filter, parse, stats, sort, limit, dedup, display.

From "CloudWatch Logs Insights language query syntax".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers.logs.patterns import select, split_outside

MOST = 10_000
UNITS: Mapping[str, int] = MappingProxyType({"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "ms": 0})
AGGREGATE = re.compile(r"(\w+)\(\s*(.*?)\s*\)(?:\s+as\s+(\w+))?\Z", re.IGNORECASE)
BIN = re.compile(r"bin\(\s*(\d+)\s*([a-z]+)\s*\)(?:\s+as\s+(\w+))?\Z", re.IGNORECASE)
CONDITION = re.compile(
    r"\s*(not\s+)?([@\w.\-]+)\s*(=~|not\s+like|not\s+in|like|in|!=|<=|>=|=|<|>)\s*"
    r"(/(?:[^/\\]|\\.)+/|\[[^\]]*\]|\"[^\"]*\"|'[^']*'|[^\s)]+)|\s*(?:(ispresent)\(([@\w.]+)\))",
    re.IGNORECASE,
)
Row = dict[str, Any]


class Malformed(Exception):
    """The query cannot be read."""


def value_of(row: Row, name: str) -> Any:
    if name in row:
        return row[name]
    found = select(row.get("document"), f"$.{name}")
    return found[0] if found else None


def run(query: str, rows: list[Row]) -> tuple[list[Row], list[str]]:
    """(rows, names of the columns). Raises Malformed."""
    columns = ["@timestamp", "@message"]
    limit = 1000
    for command in commands(query):
        name, _, rest = command.partition(" ")
        name, rest = name.lower(), rest.strip()
        if name in ("fields", "display"):
            columns = [column.strip() for column in split_outside(rest, ",")]
        elif name == "filter":
            keep = Conditions(rest).all()
            rows = [row for row in rows if keep(row)]
        elif name == "parse":
            columns = [*columns, *parse(rest, rows)]
        elif name == "stats":
            rows, columns = aggregated(rest, rows)
        elif name == "sort":
            rows = ordered(rest, rows)
        elif name in ("limit", "head", "tail"):
            limit = int(rest) if rest.isdigit() else limit
        elif name == "dedup":
            rows = distinct([part.strip() for part in rest.split(",")], rows)
        else:
            raise Malformed(name)
    return rows[: min(limit, MOST)], columns


def commands(query: str) -> Iterator[str]:
    lines = "\n".join(line for line in query.splitlines() if not line.strip().startswith("#"))
    depth, quoted, start = 0, "", 0
    for at, character in enumerate(lines):
        if quoted:
            quoted = "" if character == quoted else quoted
        elif character in "\"'/":
            quoted = character if character != "/" or re.search(r"(like|=~|parse\s+\S+)\s*\Z", lines[:at]) else ""
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "|" and not depth:
            yield " ".join(lines[start:at].split())
            start = at + 1
    rest = " ".join(lines[start:].split())
    if rest:
        yield rest


class Conditions:
    """`a = 1 and (b like /x/ or not ispresent(c))`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def all(self) -> Callable[[Row], bool]:
        check = self.either()
        if self.text[self.at :].strip():
            raise Malformed(self.text[self.at :])
        return check

    def word(self, wanted: str) -> bool:
        found = re.compile(rf"\s*{wanted}(?![\w@])", re.IGNORECASE).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found is not None

    def either(self) -> Callable[[Row], bool]:
        checks = [self.both()]
        while self.word("or"):
            checks.append(self.both())
        return lambda row: any(check(row) for check in checks)

    def both(self) -> Callable[[Row], bool]:
        checks = [self.one()]
        while self.word("and"):
            checks.append(self.one())
        return lambda row: all(check(row) for check in checks)

    def one(self) -> Callable[[Row], bool]:
        if self.word(r"not(?=\s*[(i])"):
            inner = self.one()
            return lambda row: not inner(row)
        bracket = re.compile(r"\s*\(").match(self.text, self.at)
        if bracket:
            self.at = bracket.end()
            inner = self.either()
            close = re.compile(r"\s*\)").match(self.text, self.at)
            if close is None:
                raise Malformed(self.text[self.at :])
            self.at = close.end()
            return inner
        found = CONDITION.match(self.text, self.at)
        if found is None:
            raise Malformed(self.text[self.at :])
        self.at = found.end()
        if found[5]:
            name = found[6]
            return lambda row: value_of(row, name) is not None
        check = compared(found[2], " ".join(found[3].lower().split()), found[4])
        return (lambda row: not check(row)) if found[1] else check


def compared(name: str, operator: str, text: str) -> Callable[[Row], bool]:
    if operator in ("like", "=~", "not like"):
        pattern = text[1:-1] if text.startswith("/") else re.escape(text.strip("\"'"))
        try:
            search = re.compile(pattern).search
        except re.error as error:
            raise Malformed(text) from error
        wanted = operator != "not like"
        return lambda row: (search(str(value_of(row, name) or "")) is not None) == wanted
    if operator in ("in", "not in"):
        values = [part.strip().strip("\"'") for part in text.strip("[]").split(",")]
        return lambda row: (str(value_of(row, name)) in values) == (operator == "in")
    literal = text.strip("\"'")

    def check(row: Row) -> bool:
        value = value_of(row, name)
        if value is None:
            return operator == "!="
        left, right = numeric(value), numeric(literal)
        a, b = (left, right) if left is not None and right is not None else (str(value), literal)
        return bool(
            {"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]  # type: ignore[operator]
        )

    return check


def numeric(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def parse(text: str, rows: list[Row]) -> list[str]:
    """`@message "user=*, size=*" as user, size`, or a regular expression with named groups."""
    found = re.match(r"(?:([@\w.]+)\s+)?(\"[^\"]*\"|'[^']*'|/.+/)(?:\s+as\s+(.+))?\Z", text, re.IGNORECASE)
    if found is None:
        raise Malformed(text)
    source, pattern = found[1] or "@message", found[2]
    if pattern.startswith("/"):
        expression = re.compile(re.sub(r"\(\?<(\w)", r"(?P<\1", pattern[1:-1]))
        names = list(expression.groupindex)
    else:
        expression = re.compile(
            "(.*?)".join(re.escape(part) for part in pattern[1:-1].split("*")) + r"\s*\Z" * pattern.endswith('*"')
        )
        names = [name.strip() for name in (found[3] or "").split(",") if name.strip()]
    for row in rows:
        match = expression.search(str(value_of(row, source) or ""))
        if match is not None:
            row.update(zip(names, match.groups(), strict=False))
    return names


def ordered(text: str, rows: list[Row]) -> list[Row]:
    for part in reversed([part.strip() for part in text.split(",")]):
        name, _, direction = part.partition(" ")
        rows = sorted(
            rows,
            key=lambda row: (
                numeric(value_of(row, name)) is None,
                numeric(value_of(row, name)) or 0.0,
                str(value_of(row, name)),
            ),
            reverse=direction.strip().lower() == "desc",
        )
    return rows


def distinct(names: list[str], rows: list[Row]) -> list[Row]:
    seen: set[str] = set()
    found = []
    for row in rows:
        key = json.dumps([value_of(row, name) for name in names], default=str)
        if key not in seen:
            seen.add(key)
            found.append(row)
    return found


def aggregated(text: str, rows: list[Row]) -> tuple[list[Row], list[str]]:
    """`count(*) as n, avg(size) by level, bin(5m)`."""
    head, *by = re.split(r"\s+by\s+", text, maxsplit=1, flags=re.IGNORECASE)
    keys = [part.strip() for part in split_brackets(by[0])] if by else []
    wanted = [part.strip() for part in split_brackets(head)]
    key_names = [(BIN.match(key)[3] or key) if BIN.match(key) else key for key in keys]  # type: ignore[index]
    groups: dict[str, tuple[Row, list[Row]]] = {}
    for row in rows:
        made = {name: key_value(row, key) for name, key in zip(key_names, keys, strict=True)}
        groups.setdefault(json.dumps(made, default=str), (made, []))[1].append(row)
    if not keys and not groups:
        groups[""] = ({}, [])
    names, found = [], []
    for part in wanted:
        match = AGGREGATE.match(part)
        if match is None:
            raise Malformed(part)
        names.append(match[3] or part)
    for made, members in groups.values():
        for part, name in zip(wanted, names, strict=True):
            match = AGGREGATE.match(part)
            made[name] = aggregate(match[1].lower(), match[2], members) if match is not None else None
        found.append(made)
    return found, [*key_names, *names]


def split_brackets(text: str) -> list[str]:
    depth, parts, start = 0, [], 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def key_value(row: Row, key: str) -> Any:
    found = BIN.match(key)
    if found is None:
        return value_of(row, key)
    size = int(found[1]) * UNITS.get(found[2], UNITS.get(found[2][:1], 60)) * 1000
    return stamp(row["@timestamp"] // size * size) if size else stamp(row["@timestamp"])


def aggregate(name: str, field: str, rows: list[Row]) -> Any:
    if name == "count":
        return len(rows) if field in ("", "*") else sum(value_of(row, field) is not None for row in rows)
    values = [value for value in (value_of(row, field.split(",")[0].strip()) for row in rows) if value is not None]
    if name == "count_distinct":
        return len({str(value) for value in values})
    if name in ("earliest", "latest", "sortsfirst", "sortslast"):
        if not values:
            return None
        return {"earliest": values[0], "latest": values[-1], "sortsfirst": min(values), "sortslast": max(values)}[name]
    numbers = sorted(number for number in map(numeric, values) if number is not None)
    if not numbers:
        return 0.0 if name == "sum" else None
    if name == "pct":
        share = numeric(field.split(",")[-1]) or 50.0
        return numbers[min(len(numbers) - 1, int(len(numbers) * share / 100))]
    mean = sum(numbers) / len(numbers)
    made = {
        "sum": sum(numbers),
        "avg": mean,
        "min": numbers[0],
        "max": numbers[-1],
        "median": numbers[len(numbers) // 2],
        "stddev": (sum((number - mean) ** 2 for number in numbers) / len(numbers)) ** 0.5,
    }
    if name not in made:
        raise Malformed(name)
    return made[name]


def stamp(milliseconds: float) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{int(milliseconds) % 1000:03}"


def shown(name: str, value: Any) -> str:
    if name in ("@timestamp", "@ingestionTime") and isinstance(value, int):
        return stamp(value)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
