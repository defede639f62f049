"""Attribute values: checks, sizes, equality, without an emulator."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.values import equal, measure_item, measure_value


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"a": {"S": "abc"}}, 4),
        ({"é": {"S": "é"}}, 4),
        ({"a": {"N": "12345"}}, 5),
        ({"a": {"B": b"abcd"}}, 5),
        ({"a": {"BOOL": False}}, 2),
        ({"a": {"NULL": True}}, 2),
        ({"a": {"SS": ["x", "yz"]}}, 4),
        ({"a": {"L": [{"S": "x"}]}}, 6),
        ({"a": {"M": {"b": {"S": "x"}}}}, 7),
    ],
)
def test_item_size(item: dict[str, Any], size: int) -> None:
    assert measure_item(item) == size
    assert measure_item(item) == size  # in its stored shape it has the same size


def test_measuring_brings_values_into_the_stored_shape() -> None:
    item: dict[str, Any] = {"n": {"N": "1.0"}, "b": {"B": b"hi"}, "l": {"L": [{"NS": ["1.0", "2"]}, {"BS": [b"x"]}]}}
    measure_item(item)
    assert item == {"n": {"N": "1"}, "b": {"B": "aGk="}, "l": {"L": [{"NS": ["1", "2"]}, {"BS": ["eA=="]}]}}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "Supplied AttributeValue is empty"),
        ({"S": "a", "N": "1"}, "more than one datatypes set"),
        ({"SS": []}, "An string set  may not be empty"),
        ({"NS": []}, "An number set  may not be empty"),
        ({"BS": []}, "Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, r"Input collection \[a, a\] contains duplicates."),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"NULL": False}, "Null attribute value types must have the value of true"),
    ],
)
def test_malformed_values_are_refused(value: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationException, match=words):
        measure_value(value)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(depth):
        value = {"L": [value]}
    return value


def test_values_nest_31_containers_deep_and_no_deeper() -> None:
    measure_value(nested(31))
    with pytest.raises(ValidationException, match="Nesting Levels have exceeded supported limits"):
        measure_value(nested(32))


def test_sets_are_equal_in_any_order_at_any_depth() -> None:
    assert equal({"SS": ["a", "b"]}, {"SS": ["b", "a"]})
    assert equal({"L": [{"NS": ["1", "2"]}]}, {"L": [{"NS": ["2", "1"]}]})
    assert equal({"M": {"x": {"SS": ["a", "b"]}}}, {"M": {"x": {"SS": ["b", "a"]}}})
    assert not equal({"L": [{"S": "a"}]}, {"L": [{"S": "b"}]})
    assert not equal({"S": "1"}, {"N": "1"})
