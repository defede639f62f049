"""PartiQL: ExecuteStatement, BatchExecuteStatement, ExecuteTransaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def songs(dynamodb: Any, make_table: Callable[..., str]) -> str:
    """A table of pk (S) and sk (N) with a few items."""
    table = make_table(range_type="N")
    for pk, sk, genre in (("a", 1, "rock"), ("a", 2, "pop"), ("a", 3, "rock"), ("b", 1, "jazz")):
        dynamodb.put_item(
            TableName=table,
            Item={"pk": {"S": pk}, "sk": {"N": str(sk)}, "genre": {"S": genre}, "m": {"M": {"k": {"L": [{"N": "7"}]}}}},
        )
    return table


def run(dynamodb: Any, statement: str, *parameters: Any, **more: Any) -> Any:
    values = {"Parameters": list(parameters)} if parameters else {}
    return dynamodb.execute_statement(Statement=statement, **values, **more)


def sort_keys(answer: Any) -> list[str]:
    return [item["sk"]["N"] for item in answer["Items"]]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("pk = 'a'", ["1", "2", "3"]),
        ("pk = 'a' AND sk > 1", ["2", "3"]),
        ("pk = 'a' AND sk BETWEEN 2 AND 9", ["2", "3"]),
        ("pk = 'a' AND genre = 'rock'", ["1", "3"]),
        ("pk = 'a' AND genre IN ['pop', 'jazz']", ["2"]),
        ("pk = 'a' AND (genre = 'pop' OR sk = 3)", ["2", "3"]),
        ("pk = 'a' AND NOT begins_with(genre, 'r')", ["2"]),
        ("pk = 'a' AND contains(genre, 'oc') ORDER BY sk DESC", ["3", "1"]),
        ("pk = 'a' AND nothing IS MISSING AND genre IS NOT NULL", ["1", "2", "3"]),
        ("genre <> 'rock' AND genre <> 'pop'", ["1"]),
        ("nothing <> 'x'", []),
        ("m.k[0] = 7 AND pk = 'b'", ["1"]),
    ],
)
def test_select_finds(dynamodb: Any, songs: str, clause: str, expected: list[str]) -> None:
    assert sort_keys(run(dynamodb, f'SELECT * FROM "{songs}" WHERE {clause}')) == expected


def test_select_takes_columns_and_parameters(dynamodb: Any, songs: str) -> None:
    answer = run(dynamodb, f'SELECT genre, m.k FROM "{songs}" WHERE pk = ? AND sk = ?', {"S": "a"}, {"N": "2.0"})
    assert answer["Items"] == [{"genre": {"S": "pop"}, "k": {"L": [{"N": "7"}]}}]


def test_select_pages(dynamodb: Any, songs: str) -> None:
    first = run(dynamodb, f"SELECT * FROM \"{songs}\" WHERE pk = 'a'", Limit=2)
    rest = run(dynamodb, f"SELECT * FROM \"{songs}\" WHERE pk = 'a'", Limit=2, NextToken=first["NextToken"])
    assert sort_keys(first) + sort_keys(rest) == ["1", "2", "3"]


def test_insert_update_delete(dynamodb: Any, songs: str) -> None:
    insert = f"INSERT INTO \"{songs}\" VALUE {{'pk': 'c', 'sk': 1, 'tags': <<'x', 'y'>>, 'n': ?, 'l': [1, 'z', null]}}"
    run(dynamodb, insert, {"N": "1"})
    with pytest.raises(dynamodb.exceptions.DuplicateItemException) as caught:
        run(dynamodb, insert, {"N": "1"})
    assert caught.value.response["Error"]["Message"] == "Duplicate primary key exists in table"
    answer = run(
        dynamodb,
        f"UPDATE \"{songs}\" SET n = n + 2 SET tags = set_add(tags, <<'w'>>) REMOVE l[0] "
        "WHERE pk = 'c' AND sk = 1 RETURNING ALL NEW *",
    )
    [item] = answer["Items"]
    assert item["n"] == {"N": "3"}
    assert set(item["tags"]["SS"]) == {"w", "x", "y"}
    assert item["l"] == {"L": [{"S": "z"}, {"NULL": True}]}
    deleted = run(dynamodb, f"DELETE FROM \"{songs}\" WHERE pk = 'c' AND sk = 1 RETURNING ALL OLD *")
    assert deleted["Items"] == [item]
    assert run(dynamodb, f"SELECT * FROM \"{songs}\" WHERE pk = 'c'")["Items"] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE \"{}\" SET n = 1 WHERE pk = 'nobody' AND sk = 1",
        "UPDATE \"{}\" SET n = 1 WHERE pk = 'a' AND sk = 1 AND genre = 'pop'",
        "DELETE FROM \"{}\" WHERE pk = 'a' AND sk = 1 AND genre = 'pop'",
    ],
)
def test_what_does_not_hold_fails(dynamodb: Any, songs: str, message: Callable[..., str], statement: str) -> None:
    text = message(dynamodb.execute_statement, "ConditionalCheckFailedException", Statement=statement.format(songs))
    assert text == "The conditional request failed"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE \"{}\" SET n = 1 WHERE pk = 'a'", "Where clause does not contain a mandatory equality on all key"),
        ('SELEC * FROM "{}"', "Statement wasn't well formed, can't be processed"),
        ('SELECT * FROM "{}" WHERE pk = ?', "Number of parameters in request and statement don't match."),
        ('SELECT * FROM "{}" ORDER BY sk', "Must have WHERE clause in the statement when using ORDER BY clause."),
        ("UPDATE \"{}\" SET pk = 'x' WHERE pk = 'a' AND sk = 1", "Cannot update attribute pk"),
    ],
)
def test_refused_statement(dynamodb: Any, songs: str, message: Callable[..., str], statement: str, words: str) -> None:
    assert words in message(dynamodb.execute_statement, Statement=statement.format(songs))


def test_statement_about_no_table(dynamodb: Any, message: Callable[..., str]) -> None:
    text = message(dynamodb.execute_statement, "ResourceNotFoundException", Statement="SELECT * FROM nowhere")
    assert text == "Requested resource not found"


def test_batch_answers_each_statement(dynamodb: Any, songs: str) -> None:
    statements = [
        f"SELECT genre FROM \"{songs}\" WHERE pk = 'a' AND sk = 1",
        f"SELECT * FROM \"{songs}\" WHERE pk = 'a'",
        f"SELECT * FROM \"{songs}\" WHERE pk = 'x' AND sk = 1",
    ]
    answer = dynamodb.batch_execute_statement(Statements=[{"Statement": text} for text in statements])
    first, second, third = answer["Responses"]
    assert first == {"TableName": songs, "Item": {"genre": {"S": "rock"}}}
    assert second["Error"]["Code"] == "ValidationError"
    assert third == {"TableName": songs}


def test_transaction_happens_whole_or_not(dynamodb: Any, songs: str) -> None:
    insert = f"INSERT INTO \"{songs}\" VALUE {{'pk': ?, 'sk': 9}}"
    statements = [
        {"Statement": insert, "Parameters": [{"S": "new"}]},
        {"Statement": f"EXISTS(SELECT * FROM \"{songs}\" WHERE pk = 'a' AND sk = 1)"},
    ]
    dynamodb.execute_transaction(TransactStatements=statements)
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.execute_transaction(
            TransactStatements=[
                {"Statement": insert, "Parameters": [{"S": "other"}]},
                {"Statement": insert, "Parameters": [{"S": "new"}]},
            ]
        )
    assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == ["None", "DuplicateItem"]
    read = dynamodb.execute_transaction(
        TransactStatements=[
            {"Statement": f"SELECT pk FROM \"{songs}\" WHERE pk = 'new' AND sk = 9"},
            {"Statement": f"SELECT pk FROM \"{songs}\" WHERE pk = 'other' AND sk = 9"},
        ]
    )
    assert read["Responses"] == [{"Item": {"pk": {"S": "new"}}}, {}]
