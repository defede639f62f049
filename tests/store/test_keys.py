import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.store.keys import ABOVE, Part, begins_with, behind, compile_packer, pack, unpack

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "\x00\x01a\u00ff\U0010ffff", max_size=5
)
binaries = st.binary(max_size=12) | st.lists(st.sampled_from([0, 1, 255]), max_size=5).map(bytes)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False)
parts = st.one_of(st.none(), texts, binaries, integers, floats, st.booleans())

RANK = (type(None), bytes, str, int, float, bool)


def sort_key(values: tuple[Part, ...]) -> tuple[tuple[int, object], ...]:
    return tuple((RANK.index(type(value)), 0 if value is None else value) for value in values)


@given(st.lists(parts, max_size=4).map(tuple), st.lists(parts, max_size=4).map(tuple))
def test_keys_are_ordered_as_their_tuples(one: tuple[Part, ...], other: tuple[Part, ...]) -> None:
    assert (pack(one) < pack(other)) == (sort_key(one) < sort_key(other))
    assert (pack(one) == pack(other)) == (sort_key(one) == sort_key(other))


@given(st.lists(parts, max_size=5).map(tuple))
def test_a_key_gives_its_tuple_back(values: tuple[Part, ...]) -> None:
    assert sort_key(unpack(pack(values))) == sort_key(values)


@given(st.lists(parts, max_size=3).map(tuple), st.lists(parts, min_size=1, max_size=2).map(tuple))
def test_everything_that_continues_a_key_lies_below_its_ceiling(
    start: tuple[Part, ...], more: tuple[Part, ...]
) -> None:
    assert pack(start) < pack(start + more) < pack(start) + ABOVE


@given(texts, texts)
def test_a_text_starts_with_another_exactly_when_its_key_does(text: str, start: str) -> None:
    begin = begins_with(start)
    assert (begin <= pack((text,)) < begin + ABOVE) == text.encode().startswith(start.encode())


@given(st.binary(max_size=6) | st.just(b"\xff"), st.binary(max_size=3) | st.just(b"\xff\xff"))
def test_bytes_start_with_others_exactly_when_their_key_does(value: bytes, start: bytes) -> None:
    begin = begins_with(start)
    assert (begin <= pack((value,)) < behind(begin)) == value.startswith(start)


@given(st.tuples(texts, texts, integers, floats))
def test_the_compiled_packer_agrees_with_the_general_one(values: tuple[Part, ...]) -> None:
    compiled = compile_packer("t\x00", (str, str, int, float))
    for length in range(5):
        assert compiled(*values[:length]) == b"t\x00" + pack(values[:length])


@given(st.tuples(texts, texts, texts))
def test_the_compiled_packer_of_texts_agrees_with_the_general_one(values: tuple[str, ...]) -> None:
    compiled = compile_packer("t\x00", (str, str, str))
    for length in range(4):
        assert compiled(*values[:length]) == b"t\x00" + pack(values[:length])


def test_a_whole_number_where_a_float_belongs_is_ordered_as_a_float() -> None:
    compiled = compile_packer("", (str, float))
    assert compiled("a", 1) == pack(("a", 1.0))


def test_negative_zero_is_zero() -> None:
    assert pack((-0.0,)) == pack((0.0,))
    assert struct.pack(">d", unpack(pack((-0.0,)))[0]) == struct.pack(">d", 0.0)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_number_beyond_64_bits_is_refused(value: int) -> None:
    with pytest.raises(OverflowError):
        pack((value,))


def test_what_has_no_order_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        pack((math.nan,))
    with pytest.raises(TypeError):
        pack(([],))  # type: ignore[arg-type]


@pytest.mark.parametrize("types", [(str,), (int,), (str, str), (str, str, int), (int, str)])
def test_too_many_parts_are_refused(types: tuple[type, ...]) -> None:
    values = ["a" if kind is str else 1 for kind in (*types, types[-1])]
    with pytest.raises(TypeError):
        compile_packer("", types)(*values)


@pytest.mark.parametrize("damaged", [b"\x09", b"\x02abc", b"\x02abc\x00\xff"])
def test_bytes_that_are_no_key_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(damaged)
