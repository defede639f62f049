"""Event patterns: what they match, and what is said of those that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.eventing.patterns import matches, parse_pattern
from cloudlet.emulator.eventing.tokens import PatternError, Tokens

EVENT = {
    "source": "my.app",
    "detail-type": "Order Placed",
    "resources": ["arn:one", "arn:two"],
    "detail": {
        "state": "Running",
        "count": 5,
        "price": 3.5,
        "paid": True,
        "note": None,
        "ip": "10.0.0.33",
        "file": "dir/photo.PNG",
        "empty": [],
        "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
        "deep": {"er": {"x": "y"}},
    },
}


def found(pattern: Any, event: Any = EVENT) -> bool:
    return matches(parse_pattern(json.dumps(pattern)), event)


@pytest.mark.parametrize(
    "detail",
    [
        {"state": ["Running"]},
        {"state": ["Stopped", "Running"]},
        {"count": [5]},
        {"count": [5.0]},
        {"paid": [True]},
        {"note": [None]},
        {"state": [{"prefix": "Run"}]},
        {"state": [{"prefix": {"equals-ignore-case": "rUN"}}]},
        {"file": [{"suffix": ".PNG"}]},
        {"file": [{"suffix": {"equals-ignore-case": ".png"}}]},
        {"state": [{"equals-ignore-case": "RUNNING"}]},
        {"file": [{"wildcard": "dir/*.PNG"}]},
        {"state": [{"anything-but": "Stopped"}]},
        {"state": [{"anything-but": ["Stopped", "Gone"]}]},
        {"count": [{"anything-but": 4}]},
        {"state": [{"anything-but": {"prefix": "Stop"}}]},
        {"state": [{"anything-but": {"suffix": ["ped", "x"]}}]},
        {"state": [{"anything-but": {"equals-ignore-case": ["stopped"]}}]},
        {"file": [{"anything-but": {"wildcard": "*/other*"}}]},
        {"note": [{"anything-but": "x"}]},
        {"count": [{"numeric": [">", 4, "<=", 5]}]},
        {"price": [{"numeric": ["=", 3.5]}]},
        {"ip": [{"cidr": "10.0.0.0/24"}]},
        {"state": [{"exists": True}]},
        {"gone": [{"exists": False}]},
        {"deep": [{"exists": False}]},
        {"empty": [{"exists": False}]},
        {"lines": {"sku": ["b"], "n": [2]}},
        {"deep": {"er": {"x": ["y"]}}},
        {"deep.er.x": ["y"]},
        {"$or": [{"state": ["Stopped"]}, {"count": [{"numeric": ["<", 6]}]}]},
    ],
)
def test_what_matches(detail: dict[str, Any]) -> None:
    assert found({"source": ["my.app"], "detail": detail})


@pytest.mark.parametrize(
    "detail",
    [
        {"state": ["running"]},
        {"count": ["5"]},
        {"paid": [1]},
        {"note": [False]},
        {"count": [{"prefix": "5"}]},
        {"state": [{"anything-but": "Running"}]},
        {"gone": [{"anything-but": "Running"}]},
        {"state": [{"anything-but": {"equals-ignore-case": "RUNNING"}}]},
        {"state": [{"numeric": [">", 0]}]},
        {"count": [{"numeric": ["<", 5]}]},
        {"ip": [{"cidr": "10.0.1.0/24"}]},
        {"gone": [{"exists": True}]},
        {"empty": [{"exists": True}]},
        {"lines": {"sku": ["a"], "n": [2]}},
        {"$or": [{"state": ["Stopped"]}, {"count": [6]}]},
    ],
)
def test_what_does_not_match(detail: dict[str, Any]) -> None:
    assert not found({"detail": detail})


def test_a_list_matches_by_any_of_its_elements() -> None:
    assert found({"resources": [{"suffix": "two"}]})
    assert not found({"resources": ["arn:three"]})


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ('{"source": ["aws.health"], "detail": {}}', "Empty objects are not allowed|line: 1, column: 40"),
        ('{"detail": {"a": []}}', "Empty arrays are not allowed|line: 1, column: 20"),
        ('{"slug": "x"}', '"slug" must be an object or an array|line: 1, column: 11'),
        ('{"a": 5}', '"a" must be an object or an array|line: 1, column: 8'),
        ("[]", "Filter is not an object|line: 1, column: 2"),
        ('{"a": [[1]]}', "Match value must be String, number, true, false, or null|line: 1, column: 9"),
        ('{"a": [{"like": "x"}]}', "Unrecognized match type like|line: 1, column: 18"),
        ('{"a": [{"prefix": 5}]}', "prefix match pattern must be a string|line: 1, column: 20"),
        ('{"a": [{"prefix": "x", "suffix": "y"}]}', "Only one key allowed in match expression|line: 1, column: 35"),
        ('{"a": [{"exists": "true"}]}', "exists match pattern must be either true or false.|line: 1, column: 20"),
        ('{"a": [{"numeric": 5}]}', "Value of numeric must be an array.|line: 1, column: 21"),
        ('{"a": [{"numeric": [">", "5"]}]}', "Value of > must be numeric|line: 1, column: 27"),
        ('{"a": [{"numeric": ["!", 5]}]}', "Unrecognized numeric range operator: !|line: 1, column: 27"),
        ('{"a": [{"numeric": [">", 5, "<", 4]}]}', "Bottom must be less than top|line: 1, column: 36"),
        ('{"a": [{"anything-but": {"suffix": ""}}]}', "Null prefix/suffix not allowed|line: 1, column: 38"),
        ('{"a": [{"anything-but": {"cidr": "x"}}]}', "Unsupported anything-but pattern: cidr|line: 1, column: 35"),
        ('{"a": [{"wildcard": "x**"}]}', "Consecutive wildcard characters at pos 2|line: 1, column: 26"),
        ('{"$or": [{"a": [1]}]}', "There must have at least 2 Objects in $or relationship.|line: 1, column: 21"),
        ('{"a": [1]', "Unexpected end-of-input: expected close marker for Object|line: 1, column: 10"),
        ("nonsense", "Unrecognized token 'nonsense'|line: 1, column: 9"),
        ('{"a":\n  "x"}', '"a" must be an object or an array|line: 2, column: 4'),
    ],
)
def test_what_is_no_pattern_says_where(pattern: str, message: str) -> None:
    words, place = message.split("|")
    with pytest.raises(PatternError) as caught:
        parse_pattern(pattern)
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith(f'\n at [Source: (String)"{pattern}"; {place}]')


def test_a_mistake_in_an_anything_but_list_is_placed_twice() -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern('{"a": [{"anything-but": [null]}]}')
    assert str(caught.value).count("at [Source:") == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab*\\", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "prefix", "anything-but", "exists", "numeric", "$or"]), inner, max_size=2
        )
    ),
    max_leaves=12,
)


@given(pattern=JSON, event=JSON)
def test_any_json_is_a_pattern_that_can_be_tried_or_is_refused(pattern: Any, event: Any) -> None:
    try:
        parsed = parse_pattern(json.dumps(pattern))
    except PatternError:
        return
    assert matches(parsed, event) in (True, False)


@given(JSON)
def test_the_tokens_are_those_of_the_json(value: Any) -> None:
    tokens = Tokens(json.dumps(value, indent=2))
    kinds = []
    while (token := tokens.take()).kind != "end":
        kinds.append(token.kind)
    assert kinds == list(kinds_of(value))


def kinds_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for inner in value.values():
            yield "name"
            yield from kinds_of(inner)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for inner in value:
            yield from kinds_of(inner)
        yield "]"
    else:
        yield {str: "text", int: "number", bool: str(value).lower(), type(None): "null"}[type(value)]
