"""Numbers as text and as bytes, without an emulator."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.numbers import add, canonical_number, number_bytes, number_size, subtract

DIGITS = st.text("0123456789", min_size=1, max_size=38)
NUMBERS = st.builds(
    lambda sign, digits, exponent: f"{sign}{digits}e{exponent}",
    st.sampled_from(["", "-"]),
    DIGITS,
    st.integers(-130, 80),
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1", "1"),
        ("01.50", "1.5"),
        ("-0", "0"),
        ("0.000", "0"),
        ("1e3", "1000"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-12.300", "-12.3"),
        ("1E-3", "0.001"),
        ("120e-1", "12"),
        ("9.9e125", "99" + "0" * 124),
    ],
)
def test_number_has_one_canonical_form(text: str, canonical: str) -> None:
    assert canonical_number(text) == canonical


@pytest.mark.parametrize("text", ["", "abc", "1 ", " 1", "1e", ".", "--1", "0x1", "Infinity", "NaN", "1_000", "١"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationException, match="cannot be converted to a numeric value"):
        canonical_number(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1e126", "Number overflow"),
        ("-1e999999999999999", "Number overflow"),
        ("1e-131", "Number underflow"),
        ("1e-99999999999999", "Number underflow"),
        ("1" * 39, "more than 38 significant digits"),
    ],
)
def test_numbers_out_of_range_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValidationException, match=words):
        canonical_number(text)


@given(NUMBERS)
def test_canonical_number_is_equal_and_stable(text: str) -> None:
    try:
        canonical = canonical_number(text)
    except ValidationException:
        return
    assert Decimal(canonical) == Decimal(text)
    assert canonical_number(canonical) == canonical
    assert 1 <= number_size(canonical) <= 21


@given(st.lists(NUMBERS, min_size=2, max_size=20))
def test_bytes_sort_as_numbers_do(texts: list[str]) -> None:
    numbers = []
    for text in texts:
        try:
            numbers.append(canonical_number(text))
        except ValidationException:
            continue
    assert sorted(set(numbers), key=number_bytes) == sorted(set(numbers), key=Decimal)


def test_sums_are_exact() -> None:
    assert add("0.1", "0.2") == "0.3"
    assert subtract("1", "1.0") == "0"
    with pytest.raises(ValidationException, match="Number overflow"):
        add("1" + "0" * 50, "1")
