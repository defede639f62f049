"""Filter policies: does a message get through? Pure functions.

A policy is a JSON object. Keys are joined by "and", the conditions in a key's list by "or"; `$or` holds whole policies.
Over attributes a key names a message attribute; over the body it is a path, one nested object a step, and lists in the
body count as any of their elements.

Source: "Amazon SNS subscription filter policies" in the Amazon SNS Developer Guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import orjson

from cloudlet.emulator.eventing.patterns import OPERATORS, is_equal

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
        elif values is not None and any(is_equal(value, condition) for value in values):
            return True
    return False
