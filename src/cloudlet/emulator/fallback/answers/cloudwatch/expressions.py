"""Metric math, from "Using math expressions with CloudWatch metrics" in the Amazon CloudWatch User Guide.

    evaluate("IF(errors > 0, errors / requests * 100, 0)", {"errors": {0.0: 1.0}, "requests": {0.0: 4.0}}, period)

A time series is a dict from time to value; beside it there are numbers and lists of series (METRICS(), [a, b]).
"""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

Series = dict[float, float]
Value = Any  # float, Series or list[Series]

TOKEN = re.compile(
    r"\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(\"[^\"]*\"|'[^']*')|(==|!=|<=|>=|&&|\|\||[-+*/^(),<>\[\]!]))"
)
LEVELS: tuple[Mapping[str, Callable[[float, float], float]], ...] = (
    MappingProxyType({"||": lambda a, b: float(bool(a) or bool(b)), "OR": lambda a, b: float(bool(a) or bool(b))}),
    MappingProxyType({"&&": lambda a, b: float(bool(a) and bool(b)), "AND": lambda a, b: float(bool(a) and bool(b))}),
    MappingProxyType(
        {
            "==": lambda a, b: float(a == b),
            "!=": lambda a, b: float(a != b),
            "<=": lambda a, b: float(a <= b),
            ">=": lambda a, b: float(a >= b),
            "<": lambda a, b: float(a < b),
            ">": lambda a, b: float(a > b),
        }
    ),
    MappingProxyType({"+": operator.add, "-": operator.sub}),
    MappingProxyType({"*": operator.mul, "/": operator.truediv}),
    MappingProxyType({"^": operator.pow}),
)


class Malformed(Exception):
    """The expression is none, or names what there is not."""


def evaluate(text: str, series: Mapping[str, Value], period: int) -> Value:
    """Raises Malformed."""
    return Parser(text, series, period).all()


class Parser:
    """Reads and computes in one go."""

    def __init__(self, text: str, series: Mapping[str, Value], period: int) -> None:
        self.series = series
        self.period = period
        self.tokens = tokens_of(text)
        self.at = 0

    def all(self) -> Value:
        value = self.level(0)
        if self.at != len(self.tokens):
            raise Malformed(f"unexpected {self.tokens[self.at]}")
        return value

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        word = self.peek()
        if not word or (wanted is not None and word != wanted):
            raise Malformed(f"{wanted or 'something'} is missing")
        self.at += 1
        return word

    def level(self, depth: int) -> Value:
        if depth == len(LEVELS):
            return self.unary()
        value = self.level(depth + 1)
        while self.peek().upper() in LEVELS[depth]:
            act = LEVELS[depth][self.take().upper()]
            value = combine(act, value, self.level(depth + 1))
        return value

    def unary(self) -> Value:
        if self.peek() == "-":
            self.take()
            return combine(operator.mul, -1.0, self.unary())
        return self.primary()

    def primary(self) -> Value:
        word = self.take()
        if word == "(":
            value = self.level(0)
            self.take(")")
            return value
        if word == "[":
            return [entry for value in self.arguments("]") for entry in listed(value)]
        if word[0].isdigit():
            return float(word)
        if word[0] in "\"'":
            return word[1:-1]
        if self.peek() == "(" and word.isupper():
            self.take()
            return self.call(word, self.arguments(")"))
        if word in self.series:
            return self.series[word]
        if word in ("REPEAT", "LINEAR", "ASC", "DESC"):
            return word
        raise Malformed(f"there is no {word}")

    def arguments(self, end: str) -> list[Value]:
        found: list[Value] = []
        while self.peek() != end:
            if found:
                self.take(",")
            found.append(self.level(0))
        self.take(end)
        return found

    def call(self, name: str, given: list[Value]) -> Value:
        if name == "METRICS":
            part = given[0] if given else ""
            return [value for key, value in self.series.items() if part in key and isinstance(value, dict)]
        if name == "PERIOD":
            return float(self.period)
        function = FUNCTIONS.get(name)
        if function is None or not given:
            raise Malformed(f"{name} is not a function that is known, or has nothing to work on")
        return function(self.period, given)


def tokens_of(text: str) -> list[str]:
    found, at, text = [], 0, text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Malformed(f"{text[at:]} cannot be read")
        found.append(match[0].strip())
        at = match.end()
    if not found:
        raise Malformed("nothing to compute")
    return found


def listed(value: Value) -> list[Series]:
    return value if isinstance(value, list) else [value]


def combine(act: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Number with number, series with number, series with series (where both have a value), lists each."""
    if isinstance(left, list):
        return [combine(act, each, right) for each in left]
    if isinstance(right, list):
        return [combine(act, left, each) for each in right]
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = [(at, left[at], right[at]) for at in sorted(left) if at in right]
    elif isinstance(left, dict):
        pairs = [(at, left[at], right) for at in sorted(left)]
    elif isinstance(right, dict):
        pairs = [(at, left, right[at]) for at in sorted(right)]
    else:
        return number(act, left, right)
    computed = ((at, number(act, a, b)) for at, a, b in pairs)
    return {at: value for at, value in computed if value is not None}


def number(act: Callable[[float, float], float], left: float, right: float) -> float | None:
    """None where there is no such number: division by zero."""
    try:
        value = act(left, right)
    except (ZeroDivisionError, OverflowError, TypeError):
        return None
    return None if isinstance(value, complex) or math.isnan(value) else value


def across(act: Callable[[Sequence[float]], float]) -> Callable[[int, list[Value]], Value]:
    """Of one series a number, of several a series with what they have at each time."""

    def function(_period: int, given: list[Value]) -> Value:
        value = given[0]
        if isinstance(value, dict):
            return act(list(value.values())) if value else 0.0
        if not isinstance(value, list):
            return value
        times = sorted({at for series in value for at in series})
        return {at: act([series[at] for series in value if at in series]) for at in times}

    return function


def each(act: Callable[[float], float]) -> Callable[[int, list[Value]], Value]:
    """Of every value."""

    def function(period: int, given: list[Value]) -> Value:
        value = given[0]
        if isinstance(value, list):
            return [function(period, [series]) for series in value]
        if isinstance(value, dict):
            return {at: act(entry) for at, entry in value.items()}
        return act(value)

    return function


def steps(act: Callable[[float, float, float], float]) -> Callable[[int, list[Value]], Value]:
    """Of every value and the one before it: `act(before, value, seconds between them)`."""

    def function(period: int, given: list[Value]) -> Value:
        value = given[0]
        if isinstance(value, list):
            return [function(period, [series]) for series in value]
        times = sorted(value)
        return {at: act(value[before], value[at], at - before) for before, at in itertools.pairwise(times)}

    return function


def fill(period: int, given: list[Value]) -> Value:
    """Periods without a value between the first and the last get one."""
    value, how = given[0], given[1] if len(given) > 1 else 0.0
    if isinstance(value, list):
        return [fill(period, [series, how]) for series in value]
    if not value:
        return value
    times = sorted(value)
    filled, at, before = {}, times[0], times[0]
    while at <= times[-1]:
        if at in value:
            before = at
            filled[at] = value[at]
        elif how == "REPEAT":
            filled[at] = value[before]
        elif how == "LINEAR":
            after = next(time for time in times if time > at)
            filled[at] = value[before] + (value[after] - value[before]) * (at - before) / (after - before)
        else:
            filled[at] = how[at] if isinstance(how, dict) else how
        at += period
    return filled


def choose(_period: int, given: list[Value]) -> Value:
    """IF(condition, then, otherwise)."""
    if len(given) not in (2, 3):
        raise Malformed("IF has a condition, and one or two values")
    condition, then = given[0], given[1]
    otherwise = given[2] if len(given) == 3 else None
    if not isinstance(condition, dict):
        return then if condition else otherwise if otherwise is not None else {}
    found = {}
    for at, holds in condition.items():
        value = then if holds else otherwise
        if isinstance(value, dict):
            value = value.get(at)
        if value is not None:
            found[at] = float(value)
    return found


def running_sum(period: int, given: list[Value]) -> Value:
    value = given[0]
    if isinstance(value, list):
        return [running_sum(period, [series]) for series in value]
    total, found = 0.0, {}
    for at in sorted(value):
        total += value[at]
        found[at] = total
    return found


def deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


FUNCTIONS: Mapping[str, Callable[[int, list[Value]], Value]] = MappingProxyType(
    {
        "SUM": across(math.fsum),
        "AVG": across(lambda values: math.fsum(values) / len(values)),
        "MIN": across(min),
        "MAX": across(max),
        "STDDEV": across(deviation),
        "METRIC_COUNT": lambda _period, given: float(len(listed(given[0]))),
        "DATAPOINT_COUNT": across(lambda values: float(len(values))),
        "ABS": each(abs),
        "CEIL": each(lambda value: float(math.ceil(value))),
        "FLOOR": each(lambda value: float(math.floor(value))),
        "LOG": each(lambda value: math.log(value) if value > 0 else 0.0),
        "LOG10": each(lambda value: math.log10(value) if value > 0 else 0.0),
        "RATE": steps(lambda before, value, seconds: (value - before) / seconds),
        "DIFF": steps(lambda before, value, _seconds: value - before),
        "DIFF_TIME": steps(lambda _before, _value, seconds: seconds),
        "RUNNING_SUM": running_sum,
        "FILL": fill,
        "IF": choose,
    }
)
