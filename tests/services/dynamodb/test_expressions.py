"""The expression languages, without an emulator."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expressions.conditions import compile_condition
from cloudlet.emulator.services.dynamodb.expressions.key_conditions import compile_key_condition
from cloudlet.emulator.services.dynamodb.expressions.projections import compile_projection
from cloudlet.emulator.services.dynamodb.expressions.updates import compile_update
from cloudlet.emulator.services.dynamodb.reserved_words import RESERVED_WORDS

ITEM: dict[str, Any] = {
    "s": {"S": "hello"},
    "n": {"N": "5"},
    "ss": {"SS": ["a", "b"]},
    "l": {"L": [{"S": "x"}, {"M": {"k": {"N": "7"}}}]},
    "m": {"M": {"in_": {"S": "y"}}},
}
VALUES: dict[str, Any] = {
    ":s": {"S": "hello"},
    ":h": {"S": "he"},
    ":four": {"N": "4"},
    ":five": {"N": "5"},
    ":six": {"N": "6"},
    ":a": {"S": "a"},
    ":t": {"S": "SS"},
    ":x": {"S": "x"},
    ":list": {"L": [{"S": "z"}]},
}


def holds(text: str, **names: str) -> bool:
    condition = compile_condition("ConditionExpression", text, tuple(("#" + k, v) for k, v in names.items()))
    condition.check(VALUES)
    return condition.test(ITEM, VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "s = :s",
        "n > :four AND n < :six",
        "n BETWEEN :four AND :six and s = :s",
        "NOT n = :four",
        "not (n = :four or n = :six)",
        "n IN (:four, :five)",
        "begins_with(s, :h)",
        "contains(s, :h) AND contains(ss, :a) AND contains(l, :x)",
        "attribute_exists(m.in_) AND attribute_not_exists(m.gone)",
        "attribute_type(ss, :t)",
        "size(s) = :five",
        "size(l) < :four",
        "l[1].k > :six",
        "l[5] <> :s",
        "gone <> :s",
        "(s = :s) AND (n = :five OR n = :six)",
    ],
)
def test_condition_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize("text", ["s = :five", "s < :five", "gone = :s", "n <> :five", "contains(n, :five)"])
def test_condition_does_not_hold(text: str) -> None:
    assert not holds(text)


def test_placeholders_stand_for_names_with_dots() -> None:
    condition = compile_condition("FilterExpression", "#a = :s", (("#a", "x.y"),))
    assert condition.test({"x.y": {"S": "hello"}}, VALUES)
    assert condition.names_used == {"#a"}
    assert condition.roots == {"x.y"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("s = ", 'Syntax error; token: "<EOF>", near: "="'),
        ("s : x", 'Syntax error; token: ":", near: "s : x"'),
        ("name = :s", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("#q = :s", "An expression attribute name used in the document path is not defined; attribute name: #q"),
        ("s = :q", "An expression attribute value used in expression is not defined; attribute value: :q"),
        ("((s = :s))", "The expression has redundant parentheses;"),
        ("foo(s)", "Invalid function name; function: foo"),
        (
            "size(s)",
            "The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "attribute_exists(s, n)",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, "
            "number of operands: 2",
        ),
        (
            "attribute_exists(:s)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "begins_with(s, :five)",
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "s = s",
            "The first operand must be distinct from the remaining operands for this operator or function; "
            "operator: =, first operand: [s]",
        ),
        (
            "n BETWEEN :six AND :four",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound "
            "operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:4}",
        ),
    ],
)
def test_refused_condition(text: str, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        holds(text)
    assert caught.value.message == f"Invalid ConditionExpression: {message}"


def updated(text: str, item: dict[str, Any] | None = None) -> dict[str, Any]:
    update = compile_update(text, ())
    update.check(VALUES)
    changed: dict[str, Any] = {
        "n": {"N": "5"},
        "l": {"L": [{"S": "x"}, {"S": "y"}, {"S": "w"}]},
        "ss": {"SS": ["a", "b"]},
    }
    if item is not None:
        changed = item
    update.apply(changed, VALUES)
    return changed


def test_set_computes_from_the_item_as_it_was() -> None:
    assert updated("SET a = b, b = a", {"a": {"S": "1"}, "b": {"S": "2"}}) == {"a": {"S": "2"}, "b": {"S": "1"}}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("SET n = n + :four", "n", {"N": "9"}),
        ("SET n = :four - n", "n", {"N": "-1"}),
        ("SET q = if_not_exists(q, :s)", "q", {"S": "hello"}),
        ("SET n = if_not_exists(n, :s)", "n", {"N": "5"}),
        ("SET l = list_append(l, :list)", "l", {"L": [{"S": "x"}, {"S": "y"}, {"S": "w"}, {"S": "z"}]}),
        ("SET l[9] = :s", "l", {"L": [{"S": "x"}, {"S": "y"}, {"S": "w"}, {"S": "hello"}]}),
        ("REMOVE l[0], l[1]", "l", {"L": [{"S": "w"}]}),
        ("ADD n :six", "n", {"N": "11"}),
        ("ADD fresh :six", "fresh", {"N": "6"}),
    ],
)
def test_update(text: str, name: str, value: dict[str, Any]) -> None:
    assert updated(text)[name] == value


def test_update_of_aliased_map_leaves_the_source_alone() -> None:
    changed = updated("SET a = b, b.k = :s", {"b": {"M": {}}})
    assert changed == {"a": {"M": {}}, "b": {"M": {"k": {"S": "hello"}}}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INVALID SYNTAX HERE", 'Syntax error; token: "INVALID", near: "INVALID SYNTAX"'),
        ("ADD hits : incr", 'Syntax error; token: ":", near: "hits : incr"'),
        ("SET a = :s SET b = :s", 'The "SET" section can only be used once in an update expression;'),
        (
            "SET a.b = :s, a = :s",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; "
            "path one: [a, b], path two: [a]",
        ),
        (
            "ADD a :s",
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
            "typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        ("SET a = size(b)", "The function is not allowed in an update expression; function: size"),
    ],
)
def test_refused_update(text: str, message: str) -> None:
    with pytest.raises(ValidationException) as caught:
        updated(text)
    assert caught.value.message == f"Invalid UpdateExpression: {message}"


def test_projection_keeps_the_shape() -> None:
    projection = compile_projection("s, l[1].k, l[0], m.nothing, #d", (("#d", "n"),))
    assert projection.apply(ITEM) == {
        "s": {"S": "hello"},
        "l": {"L": [{"S": "x"}, {"M": {"k": {"N": "7"}}}]},
        "n": {"N": "5"},
    }


def test_key_conditions_in_any_order() -> None:
    expression = compile_key_condition("(sk BETWEEN :four AND :six) AND pk = :s", ())
    conditions = expression.resolve(VALUES)
    assert conditions["pk"].operator == "EQ"
    assert conditions["sk"].operands == ({"N": "4"}, {"N": "6"})


@pytest.mark.parametrize("text", ["pk = :s OR sk = :a", "NOT pk = :s", "pk IN (:s)", "pk <> :s", "contains(pk, :s)"])
def test_key_conditions_know_few_operators(text: str) -> None:
    with pytest.raises(ValidationException, match="Invalid operator used in KeyConditionExpression"):
        compile_key_condition(text, ())


def test_reserved_words_are_573() -> None:
    assert len(RESERVED_WORDS) == 573


@given(st.text("ab()=<>:#.,[]0 ANDORNOTsize", max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    with contextlib.suppress(ValidationException):
        compile_condition("FilterExpression", text, ())
    with contextlib.suppress(ValidationException):
        compile_update(text, ())


@pytest.mark.parametrize("text", ["(" * 2000, "NOT " * 1000 + "a = :b", "size(" * 700, "SET a = " + "(" * 3000])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(ValidationException, match="Invalid "):
        compile_update(text, ()) if text.startswith("SET") else compile_condition("FilterExpression", text, ())
