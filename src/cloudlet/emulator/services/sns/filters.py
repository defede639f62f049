"""Filter policies: does a message get through? Pure functions.

A policy is a JSON object. Keys are joined by "and", the conditions in a key's list by "or"; `$or` holds whole policies.
Over attributes a key names a message attribute; over the body it is a path, one nested object a step, and lists in the
body count as any of their elements.

Source: "Amazon SNS subscription filter policies" in the Amazon SNS Developer Guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Any

import orjson

Policy = Mapping[str, Any]
OR = "$or"
MISSING = object()


@lru_cache(maxsize=4096)
def parse_policy(text: str) -> Policy:
    """A policy that was checked before. Kept, because it is read on each publish; nobody changes it."""
    policy: dict[str, Any] = orjson.loads(text)
    return MappingProxyType(policy)


def attributes_pass(policy: Policy, attributes: Mapping[str, Mapping[str, Any]] | None) -> bool:
    """`attributes`: the message's, as in the request."""
    values = {} if not attributes else {name: attribute_values(value) for name, value in attributes.items()}
    return values_pass(policy, values)


def attribute_values(attribute: Mapping[str, Any]) -> list[Any]:
    """What conditions look at: one value, the elements of a String.Array, nothing of a Binary."""
    kind = attribute.get("DataType", "")
    text = attribute.get("StringValue", "")
    if kind == "String.Array":
        try:
            found = orjson.loads(text)
        except ValueError:
            return [text]
        return found if isinstance(found, list) else [found]
    if kind.startswith("Number"):
        return [float(text)]
    return [] if kind.startswith("Binary") else [text]


def values_pass(policy: Policy, values: Mapping[str, list[Any]]) -> bool:
    for key, conditions in policy.items():
        if key == OR and is_or(conditions):
            if not any(values_pass(inner, values) for inner in conditions):
                return False
        elif not any_condition(conditions, values.get(key)):
            return False
    return True


def is_or(conditions: Any) -> bool:
    """`$or` is the operator only where it holds two or more policies; else it is a name like another."""
    return isinstance(conditions, list) and len(conditions) > 1 and all(isinstance(inner, dict) for inner in conditions)


def body_passes(policy: Policy, body: str) -> bool:
    """A body that is no JSON object passes no policy."""
    try:
        payload = orjson.loads(body)
    except ValueError:
        return False
    return isinstance(payload, dict) and node_passes(policy, payload)


def node_passes(policy: Policy, node: Any) -> bool:
    """`node`: an object of the body, a list of them, or MISSING."""
    if isinstance(node, list):
        return any(node_passes(policy, element) for element in node) or (not node and node_passes(policy, MISSING))
    fields = node if isinstance(node, dict) else {}
    for key, rule in policy.items():
        if key == OR and is_or(rule):
            if not any(node_passes(inner, node) for inner in rule):
                return False
        elif key not in fields and "." in key:  # a dot is a step too
            head, _, rest = key.partition(".")
            if not node_passes({rest: rule}, fields.get(head, MISSING)):
                return False
        elif isinstance(rule, dict):
            if not node_passes(rule, fields.get(key, MISSING)):
                return False
        elif not any_condition(rule, leaves(fields, key)):
            return False
    return True


def leaves(fields: Mapping[str, Any], key: str) -> list[Any] | None:
    """The values at a key, lists flattened; None where there is none, or an object."""
    if key not in fields:
        return None
    value = fields[key]
    if isinstance(value, list):
        return flat(value)
    return None if isinstance(value, dict) else [value]


def flat(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if isinstance(value, list):
            found += flat(value)
        elif not isinstance(value, dict):
            found.append(value)
    return found


def any_condition(conditions: Sequence[Any], values: list[Any] | None) -> bool:
    for condition in conditions:
        if isinstance(condition, dict):
            operator, operand = next(iter(condition.items()))
            if operator == "exists":
                if bool(operand) == (values is not None):
                    return True
                continue
            test = OPERATORS[operator]
            if values is not None and any(test(value, operand) for value in values):
                return True
        elif values is not None and any(equal(value, condition) for value in values):
            return True
    return False


def equal(value: Any, wanted: Any) -> bool:
    """Equality that does not take true for 1."""
    if isinstance(value, bool) or isinstance(wanted, bool):
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
        return not any(test(value, one) for one in (inner if isinstance(inner, list) else [inner]))
    return not any(equal(value, one) for one in (operand if isinstance(operand, list) else [operand]))


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
        "anything-but": is_anything_but,
        "numeric": is_numeric,
        "cidr": is_in_network,
        "ip-address": is_in_network,
        "wildcard": matches_wildcard,
    }
)
