"""Paths, intrinsic functions and JSONata, without an emulator."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudlet.emulator.services.stepfunctions.asl import intrinsics, json_text, jsonata_text, paths, timestamps
from cloudlet.emulator.services.stepfunctions.asl.choices import pattern_of
from cloudlet.emulator.services.stepfunctions.asl.failures import StateFailure
from cloudlet.emulator.services.stepfunctions.integrations.shapes import java_name

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.text("abcdefgh_", min_size=1, max_size=5)


def evaluate(text: str, data: Any = None) -> Any:
    sources = intrinsics.Sources(lambda path: paths.query(path, data), lambda: "an id", lambda: 0.5)
    return intrinsics.evaluate(text, sources)


def quoted(text: str) -> str:
    for mark in ("\\", "'", "{", "}"):
        text = text.replace(mark, "\\" + mark)
    return f"'{text}'"


# --- paths


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("$", {"a": [{"b": 1, "c": "x"}, {"b": 2, "c": "y"}], "d-e": {"é": 3}}),
        ("$.a[0].b", 1),
        ("$['a'][1]['c']", "y"),
        ("$.d-e.é", 3),
        ("$.a[*].b", [1, 2]),
        ("$.a[1:]", [{"b": 2, "c": "y"}]),
        ("$.a[-1:].b", [2]),
        ("$..b", [1, 2]),
        ("$.a[?(@.b > 1)].c", ["y"]),
        ("$.a[?(@.c == 'x')]", [{"b": 1, "c": "x"}]),
        ("$.a[*].nope", []),
        ("$.a.length()", 2),
    ],
)
def test_path_finds_what_it_names(path: str, wanted: Any) -> None:
    data = {"a": [{"b": 1, "c": "x"}, {"b": 2, "c": "y"}], "d-e": {"é": 3}}
    assert paths.query(path, data) == wanted


@pytest.mark.parametrize("path", ["$.x", "$.a.b", "$.a[3]"])
def test_definite_path_that_leads_nowhere_is_no_empty_list(path: str) -> None:
    with pytest.raises(paths.NoMatch):
        paths.query(path, {"a": [1]})


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.lists(NAMES, min_size=1, max_size=4), VALUES)
def test_what_is_put_at_a_path_is_found_there(data: dict[str, Any], names: list[str], value: Any) -> None:
    path = "$." + ".".join(names)
    try:
        changed = paths.put(data, path, value)
    except paths.NoMatch:
        return  # something on the way is no object
    assert paths.query(path, changed) == value
    assert {key: item for key, item in changed.items() if key != names[0]} == {
        key: item for key, item in data.items() if key != names[0]
    }


# --- intrinsic functions


@given(st.text(max_size=20), st.text(max_size=20))
def test_format_puts_values_into_the_braces(before: str, value: str) -> None:
    escaped = quoted(before)[:-1] + "{}'"
    assert evaluate(f"States.Format({escaped}, $.v)", {"v": value}) == before + value


@given(VALUES)
def test_json_survives_being_text(value: Any) -> None:
    text = evaluate("States.JsonToString($.v)", {"v": value})
    assert evaluate("States.StringToJson($.t)", {"t": text}) == value


@given(st.text(max_size=50))
def test_base64_and_back(text: str) -> None:
    encoded = evaluate("States.Base64Encode($.t)", {"t": text})
    assert encoded == base64.b64encode(text.encode()).decode()
    assert evaluate("States.Base64Decode($.t)", {"t": encoded}) == text


@given(st.lists(VALUES, max_size=20), st.integers(1, 6))
def test_partition_keeps_every_item_in_order(items: list[Any], size: int) -> None:
    parts = evaluate(f"States.ArrayPartition($.items, {size})", {"items": items})
    assert [item for part in parts for item in part] == items
    assert all(len(part) == size for part in parts[:-1])


@given(st.lists(VALUES, max_size=12))
def test_unique_keeps_one_of_each(items: list[Any]) -> None:
    found = evaluate("States.ArrayUnique($.items)", {"items": items})
    texts = [json.dumps(item) for item in found]
    assert len(set(texts)) == len(texts)
    assert set(texts) == {json.dumps(item) for item in items}
    assert all(evaluate("States.ArrayContains($.f, $.i)", {"f": found, "i": item}) for item in items)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-7, 7).filter(bool))
def test_range_is_pythons_with_its_end(start: int, end: int, step: int) -> None:
    wanted = list(range(start, end + (1 if step > 0 else -1), step))
    assert evaluate(f"States.ArrayRange({start}, {end}, {step})") == wanted


@given(st.text(max_size=30), st.sampled_from(["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"]))
def test_hash_is_hashlibs(text: str, algorithm: str) -> None:
    wanted = hashlib.new(algorithm.replace("-", "").lower(), text.encode()).hexdigest()
    assert evaluate(f"States.Hash($.t, '{algorithm}')", {"t": text}) == wanted


@given(st.lists(st.text("abc,;", max_size=4), max_size=6))
def test_split_drops_empty_pieces(pieces: list[str]) -> None:
    found = evaluate("States.StringSplit($.t, ',;')", {"t": ",".join(pieces)})
    assert found == [piece for part in pieces for piece in part.replace(";", ",").split(",") if piece]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("States.MathAdd(1, -3)", -2),
        ("States.MathRandom(0, 10)", 5),
        ("States.UUID()", "an id"),
        ("States.ArrayLength(States.Array(1, 'a', null, true))", 4),
        ("States.ArrayGetItem($.a, 1)", 2),
        ("States.JsonMerge($.x, $.y, false)", {"p": 1, "q": 3}),
        ("States.Format('It\\'s {}', States.Format('\\{{}\\}', 1))", "It's {1}"),
        ("States.Format('{} {}', $.a, $.x)", "[1, 2] {p=1, q=2}"),
    ],
)
def test_intrinsic_function(text: str, wanted: Any) -> None:
    assert evaluate(text, {"a": [1, 2], "x": {"p": 1, "q": 2}, "y": {"q": 3}}) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "States.Format('{}')",
        "States.Format('x', 1)",
        "States.ArrayGetItem(States.Array(1), 1)",
        "States.ArrayRange(1, 5000, 1)",
        "States.ArrayPartition(States.Array(1), 0)",
        "States.JsonMerge($.a, $.a, true)",
        "States.Base64Decode('*')",
        "States.Hash('x', 'CRC')",
        "States.StringToJson('nope')",
        "States.MathAdd('1', 2)",
    ],
)
def test_intrinsic_function_that_cannot_be_computed_fails(text: str) -> None:
    with pytest.raises(StateFailure) as raised:
        evaluate(text, {"a": {}})
    assert raised.value.error == "States.IntrinsicFailure"


@pytest.mark.parametrize(
    "text", ["States.Nope()", "States.Format('x'", "States.Array(1,)", "States.Array(x)", "Format()"]
)
def test_text_that_is_no_intrinsic_function(text: str) -> None:
    with pytest.raises(intrinsics.SyntaxProblem):
        intrinsics.parse(text)


@settings(max_examples=50)
@given(st.text("States.Format()'{},$ab1 \\", max_size=40))
def test_parser_of_intrinsic_functions_ends_for_any_text(text: str) -> None:
    try:
        intrinsics.parse(text)
    except intrinsics.SyntaxProblem:
        return


# --- JSONata


def compute(expression: str, **bindings: Any) -> Any:
    return jsonata_text.evaluate(
        expression, bindings, jsonata_text.Sources(1_700_000_000.0, lambda: "an id", lambda: 0.5)
    )


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("$states.input.a + 1", 3),
        ("$states.input.items[0]", "x"),
        ("$states.input.nothing", None),
        ("{'b': $states.input.nothing, 'c': [null]}", {"b": None, "c": [None]}),
        ("[1..3]", [1, 2, 3]),
        ("6 / 2", 3),
        ("$partition([1, 2, 3], 2)", [[1, 2], [3]]),
        ("$range(0, 10, 5)", [0, 5, 10]),
        ("$hash('a', 'MD5')", hashlib.md5(b"a", usedforsecurity=False).hexdigest()),
        ("$uuid()", "an id"),
        ("$random()", 0.5),
        ("$parse('{\"a\": 1}').a", 1),
        ("$now()", "2023-11-14T22:13:20.000Z"),
        ("$millis()", 1_700_000_000_000),
    ],
)
def test_expression(expression: str, wanted: Any) -> None:
    assert compute(expression, states={"input": {"a": 2, "items": ["x"], "nothing": None}}) == wanted


def test_expression_without_a_value_is_not_null() -> None:
    assert compute("$x", x=None) is None
    with pytest.raises(jsonata_text.Undefined):
        compute("$y")


@pytest.mark.parametrize(
    "expression", ["1 +", "$nope()", "1 + 'a'", "function($a) { $a }", "$eval('1')", "$error('x')"]
)
def test_expression_that_is_wrong(expression: str) -> None:
    with pytest.raises(jsonata_text.Broken):
        compute(expression)


def test_expression_that_never_ends_is_ended() -> None:
    with pytest.raises(jsonata_text.Broken):
        compute("($f := function($n) { $f($n + 1) }; $f(1))")


# --- the rest


@given(st.floats(0, 4e9))
def test_timestamps_are_read_as_they_are_written(moment: float) -> None:
    assert timestamps.parse(timestamps.written(moment)) == pytest.approx(moment, abs=0.002)


@pytest.mark.parametrize("text", ["2020-01-01", "2020-01-01T00:00:00", "2020-13-01T00:00:00Z", "x", None, 5])
def test_text_that_is_no_timestamp(text: Any) -> None:
    assert timestamps.parse(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "not json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
        ),
        ("{'a': 1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
        ("", "Unexpected end-of-input"),
    ],
)
def test_complaints_are_in_the_words_of_aws(text: str, words: str) -> None:
    assert json_text.complaint(text) == words


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("TableName", "TableName"),
        ("ACL", "Acl"),
        ("SSEAlgorithm", "SseAlgorithm"),
        ("ETag", "ETag"),
        ("KMSMasterKeyId", "KmsMasterKeyId"),
        ("executionArn", "ExecutionArn"),
        ("DBInstanceIdentifier", "DbInstanceIdentifier"),
        ("MD5OfMessageBody", "Md5OfMessageBody"),
    ],
)
def test_members_are_named_as_by_the_sdk_for_java(name: str, wanted: str) -> None:
    assert java_name(name) == wanted


def test_pattern_of_a_choice_rule_takes_nothing_else_literally() -> None:
    assert pattern_of("a.*\\*") == r"a\..*\*"
