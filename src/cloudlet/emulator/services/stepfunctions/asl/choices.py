"""Choice rules in JSONPath: comparisons of a variable, combined with And, Or and Not."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.services.stepfunctions.asl import paths, timestamps
from cloudlet.emulator.services.stepfunctions.asl.evaluation import Evaluation

Compare = Callable[[Any, Any], bool]
COMPARISONS: Mapping[str, Compare] = MappingProxyType(
    {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "GreaterThan": operator.gt,
        "LessThanEquals": operator.le,
        "GreaterThanEquals": operator.ge,
    }
)


def numeric(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def textual(value: Any) -> Any:
    return value if isinstance(value, str) else None


def boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else None


KINDS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"Numeric": numeric, "String": textual, "Timestamp": timestamps.parse, "Boolean": boolean}
)
TESTS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "IsNull": lambda value: value is None,
        "IsNumeric": lambda value: numeric(value) is not None,
        "IsString": lambda value: isinstance(value, str),
        "IsBoolean": lambda value: isinstance(value, bool),
        "IsTimestamp": lambda value: timestamps.parse(value) is not None,
    }
)
OPERATORS = frozenset(
    [
        f"{kind}{name}{path}"
        for kind in ("Numeric", "String", "Timestamp")
        for name in COMPARISONS
        for path in ("", "Path")
    ]
    + ["BooleanEquals", "BooleanEqualsPath", "StringMatches", "IsPresent", *TESTS]
)
OPERATOR = re.compile(
    r"(Numeric|String|Timestamp|Boolean)(Equals|LessThanEquals|LessThan|GreaterThanEquals|GreaterThan)(Path)?"
)


def holds(rule: dict[str, Any], data: Any, evaluation: Evaluation) -> bool:
    """Whether a rule matches. Raises StateFailure for a variable that leads nowhere."""
    if "And" in rule:
        return all(holds(part, data, evaluation) for part in rule["And"])
    if "Or" in rule:
        return any(holds(part, data, evaluation) for part in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, evaluation)
    name = next(key for key in rule if key in OPERATORS)
    path = rule["Variable"]
    if name == "IsPresent":
        return is_present(path, data, evaluation) is rule[name]
    value = value_at(path, data, evaluation)
    if name in TESTS:
        return TESTS[name](value) is rule[name]
    if name == "StringMatches":
        return isinstance(value, str) and re.fullmatch(pattern_of(rule[name]), value, re.DOTALL) is not None
    return compare(name, value, rule[name], data, evaluation)


def is_present(path: str, data: Any, evaluation: Evaluation) -> bool:
    try:
        paths.resolve(path, data, evaluation)
    except paths.NoMatch:
        return False
    return True


def value_at(path: str, data: Any, evaluation: Evaluation) -> Any:
    try:
        return paths.resolve(path, data, evaluation)
    except (paths.NoMatch, ValueError):
        raise evaluation.failure(
            f"Invalid path '{path}': The choice state's condition path references an invalid value."
        ) from None


def compare(name: str, value: Any, wanted: Any, data: Any, evaluation: Evaluation) -> bool:
    parts = OPERATOR.fullmatch(name)
    if parts is None:
        return False
    kind, comparison, by_path = parts.groups()
    if by_path:
        wanted = value_at(wanted, data, evaluation)
    left, right = KINDS[kind](value), KINDS[kind](wanted)
    return left is not None and right is not None and COMPARISONS[comparison](left, right)


def pattern_of(text: str) -> str:
    """`*` stands for any characters, `\\*` and `\\\\` for themselves."""
    found, at = [], 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in ("*", "\\"):
            found.append(re.escape(text[at + 1]))
            at += 2
            continue
        found.append(".*" if text[at] == "*" else re.escape(text[at]))
        at += 1
    return "".join(found)
