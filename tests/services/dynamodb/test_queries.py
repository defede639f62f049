"""Query and Scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

GLOBAL = {
    "IndexName": "by_g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


def fill(dynamodb: Any, table: str, pk: str, count: int) -> None:
    for number in range(count):
        dynamodb.put_item(
            TableName=table, Item={"pk": {"S": pk}, "sk": {"N": str(number - 3)}, "even": {"BOOL": number % 2 == 0}}
        )


def numbers(answer: dict[str, Any]) -> list[int]:
    return [int(item["sk"]["N"]) for item in answer["Items"]]


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("", {}, [-3, -2, -1, 0, 1, 2]),
        (" AND sk = :a", {":a": {"N": "0"}}, [0]),
        (" AND sk < :a", {":a": {"N": "-1"}}, [-3, -2]),
        (" AND sk <= :a", {":a": {"N": "-1"}}, [-3, -2, -1]),
        (" AND sk > :a", {":a": {"N": "0"}}, [1, 2]),
        (" AND sk >= :a", {":a": {"N": "0"}}, [0, 1, 2]),
        (" AND sk BETWEEN :a AND :b", {":a": {"N": "-1"}, ":b": {"N": "1"}}, [-1, 0, 1]),
    ],
)
def test_query_reads_a_range_in_order(
    dynamodb: Any,
    make_table: Callable[..., str],
    condition: str,
    values: dict[str, Any],
    expected: list[int],
) -> None:
    table = make_table(range_type="N")
    fill(dynamodb, table, "a", 6)
    fill(dynamodb, table, "b", 2)
    query = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk" + condition,
        "ExpressionAttributeValues": {":pk": {"S": "a"}, **values},
    }
    assert numbers(dynamodb.query(**query)) == expected
    assert numbers(dynamodb.query(**query, ScanIndexForward=False)) == expected[::-1]


@pytest.mark.parametrize("forward", [True, False])
def test_pages_add_up(dynamodb: Any, make_table: Callable[..., str], forward: bool) -> None:
    table = make_table(range_type="N")
    fill(dynamodb, table, "a", 7)
    found: list[int] = []
    start: dict[str, Any] = {}
    pages = 0
    while True:
        answer = dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "a"}},
            Limit=3,
            ScanIndexForward=forward,
            **start,
        )
        found += numbers(answer)
        pages += 1
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert found == sorted(range(-3, 4), reverse=not forward)
    assert pages == 3


def test_prefix_query(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(range_type="S")
    for sk in ("a", "ab", "abc", "ac", "b"):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": sk}})
    answer = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :ab)",
        ExpressionAttributeValues={":pk": {"S": "p"}, ":ab": {"S": "ab"}},
    )
    assert [item["sk"]["S"] for item in answer["Items"]] == ["ab", "abc"]


def test_filter_counts_what_it_scanned(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(range_type="N")
    fill(dynamodb, table, "a", 6)
    answer = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        FilterExpression="even = :yes",
        ProjectionExpression="sk",
        ExpressionAttributeValues={":pk": {"S": "a"}, ":yes": {"BOOL": True}},
    )
    assert answer["Items"] == [{"sk": {"N": "-3"}}, {"sk": {"N": "-1"}}, {"sk": {"N": "1"}}]
    assert (answer["Count"], answer["ScannedCount"]) == (3, 6)


def test_count_has_no_items(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(range_type="N")
    fill(dynamodb, table, "a", 4)
    answer = dynamodb.scan(TableName=table, Select="COUNT")
    assert answer["Count"] == 4
    assert "Items" not in answer


def test_page_ends_at_one_megabyte(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(range_type="N")
    for number in range(5):
        dynamodb.put_item(
            TableName=table, Item={"pk": {"S": "a"}, "sk": {"N": str(number)}, "big": {"S": "x" * 300_000}}
        )
    first = dynamodb.scan(TableName=table)
    rest = dynamodb.scan(TableName=table, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert (first["Count"], rest["Count"]) == (4, 1)


def test_segments_partition_the_table(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    keys = {f"key-{number}" for number in range(60)}
    for key in keys:
        dynamodb.put_item(TableName=table, Item={"pk": {"S": key}})
    found: list[str] = []
    for segment in range(7):
        start: dict[str, Any] = {}
        while True:
            answer = dynamodb.scan(TableName=table, Segment=segment, TotalSegments=7, Limit=4, **start)
            found += [item["pk"]["S"] for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert len(found) == 60
    assert set(found) == keys


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            {},
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ),
        (
            {"KeyConditionExpression": "sk = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}},
            "Query condition missed key schema element: pk",
        ),
        (
            {"KeyConditionExpression": "pk > :s", "ExpressionAttributeValues": {":s": {"S": "1"}}},
            "Query key condition not supported",
        ),
        (
            {"KeyConditionExpression": "pk = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}},
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        (
            {
                "KeyConditionExpression": "pk = :s",
                "FilterExpression": "sk = :n",
                "ExpressionAttributeValues": {":s": {"S": "1"}, ":n": {"N": "1"}},
            },
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
        ),
        (
            {
                "KeyConditionExpression": "pk = :s",
                "ExpressionAttributeValues": {":s": {"S": "1"}},
                "IndexName": "nothere",
            },
            "The table does not have the specified index: nothere",
        ),
    ],
)
def test_query_refuses(
    dynamodb: Any,
    make_table: Callable[..., str],
    message: Callable[..., str],
    request_: dict[str, Any],
    expected: str,
) -> None:
    assert message(dynamodb.query, TableName=make_table(range_type="N"), **request_) == expected


def test_legacy_query_and_filter(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(range_type="N")
    fill(dynamodb, table, "a", 6)
    answer = dynamodb.query(
        TableName=table,
        KeyConditions={
            "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
            "sk": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "0"}]},
        },
        QueryFilter={"even": {"ComparisonOperator": "EQ", "AttributeValueList": [{"BOOL": True}]}},
        AttributesToGet=["sk"],
    )
    assert answer["Items"] == [{"sk": {"N": "1"}}]


def test_keys_of_full_length_sort_and_page(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(range_type="S", extra={"g": "S"}, GlobalSecondaryIndexes=[GLOBAL])
    pk, g = "p" * 2048, "g" * 2048
    keys = [f"{'s' * 1020}{number:04d}" for number in range(7)]
    for sk in keys:
        dynamodb.put_item(TableName=table, Item={"pk": {"S": pk}, "sk": {"S": sk}, "g": {"S": g}})
    for request in (
        {"KeyConditionExpression": "pk = :h", "ExpressionAttributeValues": {":h": {"S": pk}}},
        {"IndexName": "by_g", "KeyConditionExpression": "g = :h", "ExpressionAttributeValues": {":h": {"S": g}}},
    ):
        found: list[str] = []
        start: dict[str, Any] = {}
        while True:
            answer = dynamodb.query(TableName=table, Limit=3, ScanIndexForward=False, **request, **start)
            found += [item["sk"]["S"] for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        assert found == keys[::-1]
