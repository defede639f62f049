"""What a filter policy may look like, in AWS's sentences. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from cloudlet.emulator.eventing.patterns import COMPARISONS
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.filters import OR, is_or

MOST_KEYS = 5
MOST_COMBINATIONS = 150
LARGEST_BYTES = 256 * 1024
LARGEST_NUMBER = 1e9
TEXT_OPERATORS = ("prefix", "suffix", "equals-ignore-case", "cidr", "ip-address", "wildcard")
INSIDE_ANYTHING_BUT = ("prefix", "suffix", "equals-ignore-case", "wildcard")


def check_policy(text: str, scope: str, what: str = "") -> None:
    """`what` begins the sentence. Raises InvalidParameter, FilterPolicyLimitExceeded."""
    start = f"{what}FilterPolicy: "
    if len(text) > LARGEST_BYTES:
        raise invalid(f"{start}Filter policy can not be larger than {LARGEST_BYTES} bytes")
    try:
        policy = json.loads(text)
    except ValueError:
        raise invalid(f"{start}failed to parse JSON.") from None
    if not isinstance(policy, dict):
        raise invalid(f"{start}failed to parse JSON. Filter policy must be an object")
    nested = scope == "MessageBody"
    names = {path for alternative in alternatives(policy) for path, _ in rules(alternative, ())}
    if len(names) > MOST_KEYS:
        raise invalid(f"{start}Filter policy can not have more than {MOST_KEYS} keys")
    check_node(policy, start)
    if not nested and any(len(path) > 1 for path in names):
        raise invalid(f"{start}Filter policy scope MessageAttributes does not support nested filter policy")
    combinations = 0
    for alternative in alternatives(policy):
        product = 1
        for path, conditions in rules(alternative, ()):
            product *= max(len(conditions), 1) * (len(path) if nested else 1)
        combinations += product
    if combinations > MOST_COMBINATIONS:
        raise invalid(f"{start}Filter policy is too complex")


def alternatives(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """The policy with each `$or` resolved to one of its policies."""
    found: list[dict[str, Any]] = [{}]
    for key, rule in policy.items():
        if key == OR and is_or(rule):
            choices = [choice for inner in rule for choice in alternatives(inner)]
        elif isinstance(rule, dict):
            choices = [{key: choice} for choice in alternatives(rule)]
        else:
            choices = [{key: rule}]
        if len(found) * len(choices) > 10 * MOST_COMBINATIONS:
            raise invalid("FilterPolicy: Filter policy is too complex")
        found = [{**before, **choice} for before in found for choice in choices]
    return found


def rules(policy: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """The lists of conditions and where they are."""
    for key, rule in policy.items():
        if isinstance(rule, dict):
            yield from rules(rule, (*path, key))
        elif isinstance(rule, list):
            yield (*path, key), rule


def check_node(policy: dict[str, Any], start: str) -> None:
    for key, rule in policy.items():
        if key == OR and is_or(rule):
            for inner in rule:
                if not inner:
                    raise invalid(f"{start}Empty objects are not allowed")
                check_node(inner, start)
        elif isinstance(rule, dict):
            if not rule:
                raise invalid(f"{start}Empty objects are not allowed")
            check_node(rule, start)
        elif not isinstance(rule, list):
            raise invalid(f'{start}"{key}" must be an object or an array')
        elif not rule:
            raise invalid(f"{start}Empty arrays are not allowed")
        else:
            for condition in rule:
                check_condition(condition, start)


def check_condition(condition: Any, start: str) -> None:
    if isinstance(condition, list):
        raise invalid(f"{start}Match value must be String, number, true, false, or null")
    if not isinstance(condition, dict):
        check_number(condition, start)
        return
    if len(condition) != 1:
        raise invalid(f"{start}Only one key allowed in match expression")
    operator, operand = next(iter(condition.items()))
    if operator in TEXT_OPERATORS:
        check_text(operator, operand, start)
    elif operator == "exists":
        if not isinstance(operand, bool):
            raise invalid(f"{start}exists match pattern must be either true or false.")
    elif operator == "numeric":
        check_numeric(operand, start)
    elif operator == "anything-but":
        check_anything_but(operand, start)
    else:
        raise invalid(f"{start}Unrecognized match type {operator}")


def check_number(value: Any, start: str) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > LARGEST_NUMBER:
        raise invalid(f"{start}Value of numeric must be between -1.0E9 and 1.0E9 inclusive")


def check_text(operator: str, operand: Any, start: str) -> None:
    if isinstance(operand, dict) and operator in ("prefix", "suffix"):
        if list(operand) != ["equals-ignore-case"] or not isinstance(operand["equals-ignore-case"], str):
            raise invalid(f"{start}Unsupported {operator} pattern: {next(iter(operand), '')}")
        return
    if not isinstance(operand, str):
        named = "prefix" if operator in ("cidr", "ip-address") else operator
        raise invalid(f"{start}{named} match pattern must be a string")
    if operator in ("cidr", "ip-address"):
        check_network(operand, start)
    if operator == "wildcard" and "**" in operand:
        raise invalid(f"{start}Consecutive wildcard characters at pos {operand.index('**')}")


def check_network(text: str, start: str) -> None:
    address, *masks = text.split("/")
    if len(masks) != 1:
        raise invalid(f"{start}Malformed CIDR, one '/' required")
    if not masks[0].isdigit():
        raise invalid(f"{start}Malformed CIDR, mask bits must be an integer")
    try:
        ip_address(address)
    except ValueError:
        raise invalid(f"{start}Nonstandard IP address: {address}") from None
    if int(masks[0]) > ip_address(address).max_prefixlen:
        raise invalid(f"{start}Malformed CIDR, bad mask bits: {masks[0]}")


def check_numeric(operand: Any, start: str) -> None:
    if not isinstance(operand, list):
        raise invalid(f"{start}Value of numeric must be an array.")
    if not operand:
        raise invalid(f"{start}Invalid member in numeric match: ]")
    for at in range(0, len(operand), 2):
        comparison = operand[at]
        if comparison not in COMPARISONS:
            raise invalid(f"{start}Unrecognized numeric range operator: {comparison}")
        number = operand[at + 1] if at + 1 < len(operand) else None
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise invalid(f"{start}Value of {comparison} must be numeric")
        check_number(number, start)
    if len(operand) > 2 and (len(operand) > 4 or operand[0] not in (">", ">=")):
        raise invalid(f"{start}Too many elements in numeric expression")
    if len(operand) == 4:
        if operand[2] not in ("<", "<="):
            raise invalid(f"{start}Bad numeric range operator: {operand[2]}")
        if operand[1] >= operand[3]:
            raise invalid(f"{start}Bottom must be less than top")


def check_anything_but(operand: Any, start: str) -> None:
    if isinstance(operand, dict):
        operator, inner = next(iter(operand.items()), ("", None))
        if len(operand) != 1 or operator not in INSIDE_ANYTHING_BUT:
            raise invalid(f"{start}Unsupported anything-but pattern: {operator}")
        for one in inner if isinstance(inner, list) else [inner]:
            if not isinstance(one, str) or not one:
                raise invalid(f"{start}prefix match pattern must be a string")
        return
    if isinstance(operand, list):
        if not operand:
            raise invalid(f"{start}Empty arrays are not allowed")
        kinds = {isinstance(one, str) for one in operand}
        if len(kinds) > 1 or any(isinstance(one, dict | list | bool) for one in operand):
            raise invalid(f"{start}Inside anything but list, start|null|boolean is not supported.")
        return
    if isinstance(operand, bool) or operand is None:
        raise invalid(f"{start}Value of anything-but must be an array or single string/number value.")
