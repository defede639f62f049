"""Secondary indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def index(name: str, hash_name: str, range_name: str | None = None, projection: Any = "ALL") -> dict[str, Any]:
    schema = [{"AttributeName": hash_name, "KeyType": "HASH"}]
    if range_name:
        schema.append({"AttributeName": range_name, "KeyType": "RANGE"})
    kind = projection if isinstance(projection, str) else "INCLUDE"
    described: dict[str, Any] = {"ProjectionType": kind}
    if kind == "INCLUDE":
        described["NonKeyAttributes"] = projection
    return {"IndexName": name, "KeySchema": schema, "Projection": described}


def query(dynamodb: Any, table: str, name: str, hash_name: str, value: str, **more: Any) -> list[dict[str, Any]]:
    answer = dynamodb.query(
        TableName=table,
        IndexName=name,
        KeyConditionExpression="#h = :h",
        ExpressionAttributeNames={"#h": hash_name, **more.pop("names", {})},
        ExpressionAttributeValues={":h": {"S": value}},
        **more,
    )
    items: list[dict[str, Any]] = answer["Items"]
    return items


def test_global_index_follows_the_items(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(extra={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g")])
    item = {"pk": {"S": "a"}, "g": {"S": "x"}, "v": {"N": "1"}}
    dynamodb.put_item(TableName=table, Item=item)
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "sparse"}})
    assert query(dynamodb, table, "by_g", "g", "x") == [item]
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "a"}},
        UpdateExpression="SET g = :y",
        ExpressionAttributeValues={":y": {"S": "y"}},
    )
    assert query(dynamodb, table, "by_g", "g", "x") == []
    assert query(dynamodb, table, "by_g", "g", "y") == [{**item, "g": {"S": "y"}}]
    assert dynamodb.scan(TableName=table, IndexName="by_g")["Count"] == 1
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}})
    assert dynamodb.scan(TableName=table, IndexName="by_g")["Count"] == 0


@pytest.mark.parametrize(
    ("projection", "names"),
    [("KEYS_ONLY", {"pk", "g"}), (["v"], {"pk", "g", "v"}), ("ALL", {"pk", "g", "v", "w"})],
)
def test_index_holds_what_it_projects(
    dynamodb: Any, make_table: Callable[..., str], projection: Any, names: set[str]
) -> None:
    table = make_table(extra={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g", projection=projection)])
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "g": {"S": "x"}, "v": {"N": "1"}, "w": {"N": "2"}})
    assert [set(item) for item in query(dynamodb, table, "by_g", "g", "x")] == [names]


def test_local_index_fetches_what_it_lacks(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(
        range_type="S", extra={"l": "N"}, LocalSecondaryIndexes=[index("by_l", "pk", "l", projection="KEYS_ONLY")]
    )
    for sk, number in (("x", "10"), ("y", "9")):
        dynamodb.put_item(
            TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": sk}, "l": {"N": number}, "v": {"S": sk * 2}}
        )
    assert [item["sk"]["S"] for item in query(dynamodb, table, "by_l", "pk", "a")] == ["y", "x"]
    assert query(dynamodb, table, "by_l", "pk", "a", ProjectionExpression="v") == [
        {"v": {"S": "yy"}},
        {"v": {"S": "xx"}},
    ]
    assert "v" in query(dynamodb, table, "by_l", "pk", "a", Select="ALL_ATTRIBUTES")[0]


def test_index_pages_through_equal_keys(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(extra={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g")])
    for number in range(5):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": f"p{number}"}, "g": {"S": "same"}})
    found: list[str] = []
    start: dict[str, Any] = {}
    while True:
        answer = dynamodb.scan(TableName=table, IndexName="by_g", Limit=2, **start)
        found += [item["pk"]["S"] for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            break
        assert set(answer["LastEvaluatedKey"]) == {"pk", "g"}
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert sorted(found) == [f"p{number}" for number in range(5)]


def test_new_index_is_filled(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "g": {"S": "x"}})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "b"}, "g": {"N": "1"}})
    answer = dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": index("by_g", "g")}],
    )
    assert answer["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    described = dynamodb.describe_table(TableName=table)["Table"]
    assert described["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    assert query(dynamodb, table, "by_g", "g", "x") == [{"pk": {"S": "a"}, "g": {"S": "x"}}]
    dynamodb.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_g"}}])
    assert "GlobalSecondaryIndexes" not in dynamodb.describe_table(TableName=table)["Table"]


def test_index_keys_have_types(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    table = make_table(extra={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g")])
    text = message(dynamodb.put_item, TableName=table, Item={"pk": {"S": "a"}, "g": {"N": "1"}})
    assert text == (
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by_g"
    )
    text = message(dynamodb.put_item, TableName=table, Item={"pk": {"S": "a"}, "g": {"S": ""}})
    assert text.endswith("cannot contain an empty string value. IndexName: by_g, IndexKey: g")


def test_global_index_is_never_consistent(
    dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]
) -> None:
    table = make_table(extra={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g")])
    text = message(dynamodb.scan, TableName=table, IndexName="by_g", ConsistentRead=True)
    assert text == "Consistent reads are not supported on global secondary indexes"
