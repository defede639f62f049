"""Filter policies: properties of the matching, AWS's documented examples, and refused policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.eventing.patterns import wildcard
from cloudlet.emulator.services.sns.api import InvalidParameterException
from cloudlet.emulator.services.sns.filter_checks import check_policy
from cloudlet.emulator.services.sns.filters import attributes_pass, body_passes

TEXTS = st.text(max_size=12)
WORDS = st.text(alphabet="ab*\\", max_size=8)
NUMBERS = st.integers(-1000, 1000)


def attribute(value: Any) -> dict[str, str]:
    if isinstance(value, list):
        return {"DataType": "String.Array", "StringValue": json.dumps(value)}
    return {"DataType": "String" if isinstance(value, str) else "Number", "StringValue": str(value)}


def passes(conditions: list[Any], value: Any) -> tuple[bool, bool]:
    """Over attributes and over the body."""
    policy = {"k": conditions}
    return attributes_pass(policy, {"k": attribute(value)}), body_passes(policy, json.dumps({"k": value}))


@given(TEXTS, TEXTS)
def test_text_conditions_agree_with_python(value: str, wanted: str) -> None:
    assert passes([wanted], value) == (value == wanted,) * 2
    assert passes([{"prefix": wanted}], value) == (value.startswith(wanted),) * 2
    assert passes([{"suffix": wanted}], value) == (value.endswith(wanted),) * 2
    assert passes([{"equals-ignore-case": wanted}], value) == (value.lower() == wanted.lower(),) * 2
    assert passes([{"anything-but": [wanted]}], value) == (value != wanted,) * 2
    assert passes([{"anything-but": {"prefix": wanted}}], value) == (not value.startswith(wanted),) * 2


@given(NUMBERS, NUMBERS, NUMBERS)
def test_numeric_conditions_agree_with_python(value: int, low: int, high: int) -> None:
    assert passes([{"numeric": [">=", low, "<", high]}], value) == (low <= value < high,) * 2
    assert passes([{"numeric": ["=", low]}], value) == (value == low,) * 2
    assert passes([low], value) == (value == low,) * 2


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_conditions_are_joined_by_or_and_lists_count_by_element(values: list[str], wanted: str) -> None:
    assert passes([wanted, {"prefix": "\x00never"}], values) == (wanted in values,) * 2
    assert passes([{"anything-but": [wanted]}], values) == (any(value != wanted for value in values),) * 2


@given(WORDS)
def test_an_escaped_text_matches_itself_only(text: str) -> None:
    pattern = wildcard(text.replace("\\", "\\\\").replace("*", "\\*"))
    assert pattern.fullmatch(text)
    assert not pattern.fullmatch(text + "x")


@given(WORDS, WORDS, TEXTS)
def test_a_star_stands_for_any_text(head: str, tail: str, middle: str) -> None:
    start, end = (part.replace("\\", "").replace("*", "") for part in (head, tail))
    assert wildcard(f"{start}*{end}").fullmatch(start + middle + end)


def test_keys_are_joined_by_and() -> None:
    policy = {"store": ["x"], "event": [{"anything-but": "cancelled"}]}
    assert attributes_pass(policy, {"store": attribute("x"), "event": attribute("placed")})
    assert not attributes_pass(policy, {"store": attribute("x")})
    assert not attributes_pass(policy, None)


def test_existence() -> None:
    assert passes([{"exists": True}], "x") == (True, True)
    assert passes([{"exists": False}], "x") == (False, False)
    assert attributes_pass({"k": [{"exists": False}]}, None)
    assert body_passes({"a": {"b": [{"exists": False}]}}, '{"a": {"c": 1}}')


def test_networks() -> None:
    assert passes([{"cidr": "10.0.0.0/24"}], "10.0.0.255") == (True, True)
    assert passes([{"cidr": "10.0.0.0/24"}], "10.1.1.0") == (False, False)


def test_alternatives() -> None:
    policy = {"source": ["s"], "$or": [{"n": ["a"]}, {"n": ["b"], "m": [1]}]}
    assert body_passes(policy, '{"source": "s", "n": "a"}')
    assert body_passes(policy, '{"source": "s", "n": "b", "m": 1}')
    assert not body_passes(policy, '{"source": "s", "n": "b"}')


def test_nested_bodies_and_lists_in_them() -> None:
    policy = {"order": {"items": {"sku": [{"prefix": "A-"}]}}}
    assert body_passes(policy, '{"order": {"items": [{"sku": "B-1"}, {"sku": "A-1"}]}}')
    assert not body_passes(policy, '{"order": {"items": []}}')
    assert not body_passes(policy, "no JSON")


def test_true_is_not_one() -> None:
    assert not body_passes({"k": [1]}, '{"k": true}')
    assert body_passes({"k": [None]}, '{"k": null}')


@pytest.mark.parametrize(
    ("policy", "scope", "reason"),
    [
        ("{", "MessageBody", "failed to parse JSON"),
        ('{"k": "v"}', "MessageBody", '"k" must be an object or an array'),
        ('{"k": {"a": ["v"]}}', "MessageAttributes", "does not support nested filter policy"),
        ('{"k": [["v"]]}', "MessageBody", "Match value must be String, number, true, false, or null"),
        ('{"k": [{"suffixes": "v"}]}', "MessageBody", "Unrecognized match type suffixes"),
        ('{"k": [{"prefix": 1}]}', "MessageBody", "prefix match pattern must be a string"),
        ('{"k": [{"exists": "no"}]}', "MessageBody", "exists match pattern must be either true or false."),
        ('{"k": [{"numeric": [">", "x"]}]}', "MessageBody", "Value of > must be numeric"),
        ('{"k": [{"numeric": [">", 5, "<", 1]}]}', "MessageBody", "Bottom must be less than top"),
        (json.dumps({str(n): ["v"] for n in range(6)}), "MessageBody", "can not have more than 5 keys"),
        (json.dumps({k: ["v"] * 6 for k in "abc"}), "MessageAttributes", "Filter policy is too complex"),
    ],
)
def test_wrong_policies_are_refused(policy: str, scope: str, reason: str) -> None:
    with pytest.raises(InvalidParameterException) as caught:
        check_policy(policy, scope)
    assert str(caught.value).startswith("Invalid parameter: FilterPolicy: ")
    assert reason in str(caught.value)


def test_a_policy_of_150_combinations_is_allowed() -> None:
    check_policy(json.dumps({"a": list("12345"), "b": list("123456"), "c": list("12345")}), "MessageAttributes")


def test_subscriptions_get_what_passes_their_policy(sns: Any, topic: str, inbox: Any) -> None:
    over_attributes = inbox(FilterPolicy='{"colour": ["red"]}')
    over_body = inbox(FilterPolicyScope="MessageBody", FilterPolicy='{"a": {"b": [{"numeric": [">", 1]}]}}')
    sns.publish(TopicArn=topic, Message="1", MessageAttributes={"colour": attribute("red")})
    sns.publish(TopicArn=topic, Message='{"a": {"b": 2}}')
    assert over_attributes.texts() == ["1"]
    assert over_body.texts() == ['{"a": {"b": 2}}']
