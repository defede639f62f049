"""Event patterns: does an event match?

    pattern = parse_pattern(text)              # kept, because it is read with each event; PatternError: not one
    matches(pattern, event)

Fields are joined by "and", the conditions in a field's list by "or". A path that runs through a list of objects has to
hold within one of them. `exists` looks at leaves only: an object or an empty list is none.
Source: "Creating Amazon EventBridge event patterns"; the words for mistakes are in `pattern_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Any

import orjson

from cloudlet.emulator.eventing.pattern_checks import OR, check_pattern

Pattern = Mapping[str, Any]
MISSING = object()


@lru_cache(maxsize=4096)
def parse_pattern(text: str) -> Pattern:
    """A pattern from its JSON text; nobody changes it. Raises PatternError."""
    check_pattern(text)
    pattern: dict[str, Any] = orjson.loads(text)
    return MappingProxyType(pattern)


def matches(pattern: Pattern, event: Any) -> bool:
    """`event`: an object, a list of objects of which one has to match, or anything else: then nothing is there."""
    if isinstance(event, list):
        return any(matches(pattern, element) for element in event) or (not event and matches(pattern, None))
    fields = event if isinstance(event, dict) else {}
    for name, rule in pattern.items():
        if name == OR and isinstance(rule, list):
            if not any(matches(inner, event) for inner in rule):
                return False
        elif name not in fields and "." in name:  # a dot is a step too
            head, _, rest = name.partition(".")
            if not matches({rest: rule}, fields.get(head)):
                return False
        elif isinstance(rule, dict):
            if not matches(rule, fields.get(name)):
                return False
        elif not any_condition(rule, tuple(leaves(fields.get(name, MISSING)))):
            return False
    return True


def leaves(value: Any) -> Iterator[Any]:
    """The values of a field that conditions look at."""
    if isinstance(value, list):
        for element in value:
            yield from leaves(element)
    elif value is not MISSING and not isinstance(value, dict):
        yield value


def any_condition(conditions: Sequence[Any], values: tuple[Any, ...]) -> bool:
    for condition in conditions:
        if isinstance(condition, dict):
            operator, operand = next(iter(condition.items()))
            if operator == "exists":
                if operand is bool(values):
                    return True
                continue
            test = OPERATORS[operator]
            if any(test(value, operand) for value in values):
                return True
        elif any(is_equal(value, condition) for value in values):
            return True
    return False


def is_equal(value: Any, wanted: Any) -> bool:
    """Equality that does not take true for 1."""
    if isinstance(value, bool) or isinstance(wanted, bool) or value is None or wanted is None:
        return value is wanted
    return bool(value == wanted)


def has_prefix(value: Any, operand: Any) -> bool:
    if isinstance(operand, dict):
        return isinstance(value, str) and value.lower().startswith(operand["equals-ignore-case"].lower())
    return isinstance(value, str) and value.startswith(operand)


def has_suffix(value: Any, operand: Any) -> bool:
    if isinstance(operand, dict):
        return isinstance(value, str) and value.lower().endswith(operand["equals-ignore-case"].lower())
    return isinstance(value, str) and value.endswith(operand)


def equals_ignoring_case(value: Any, operand: Any) -> bool:
    return isinstance(value, str) and value.lower() == operand.lower()


def is_anything_but(value: Any, operand: Any) -> bool:
    """`operand`: a value, a list of them, or an operator whose matches are left out."""
    if isinstance(operand, dict):
        operator, inner = next(iter(operand.items()))
        test = OPERATORS[operator]
    else:
        test, inner = is_equal, operand
    return not any(test(value, one) for one in (inner if isinstance(inner, list) else [inner]))


def is_numeric(value: Any, operand: Sequence[Any]) -> bool:
    """`operand`: comparison, number, and perhaps another comparison and number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(COMPARISONS[operand[at]](value, operand[at + 1]) for at in range(0, len(operand), 2))


def is_in_network(value: Any, operand: str) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return ip_address(value) in ip_network(operand, strict=False)
    except ValueError:
        return False


def matches_wildcard(value: Any, operand: str) -> bool:
    return isinstance(value, str) and wildcard(operand).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def wildcard(pattern: str) -> re.Pattern[str]:
    """`*` is any text; a backslash takes the special meaning from `*` and from itself."""
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", pattern)
    return re.compile(
        "".join(
            ".*" if part == "*" else re.escape(part[-1] if len(part) == 2 and part[0] == "\\" else part)
            for part in parts
        ),
        re.S,
    )


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "=": lambda value, number: bool(value == number),
        "<": lambda value, number: bool(value < number),
        "<=": lambda value, number: bool(value <= number),
        ">": lambda value, number: bool(value > number),
        ">=": lambda value, number: bool(value >= number),
    }
)
OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "prefix": has_prefix,
        "suffix": has_suffix,
        "equals-ignore-case": equals_ignoring_case,
        "exactly": is_equal,
        "anything-but": is_anything_but,
        "numeric": is_numeric,
        "cidr": is_in_network,
        "ip-address": is_in_network,
        "wildcard": matches_wildcard,
    }
)
