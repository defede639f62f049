"""Requests that were damaged at random are refused or carried out, and never an internal failure."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
ITEM = {
    **KEY,
    "g": {"S": "q"},
    "x": {"L": [{"S": "1"}, {"M": {"k": {"NS": ["1", "2"]}}}, {"NULL": True}]},
    "bs": {"BS": ["aGk=", "eA=="]},
}
GLOBAL = {
    "IndexName": "by_g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
}
REQUESTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("PutItem", {"Item": ITEM, "ConditionExpression": "attribute_exists(x[1].k)", "ReturnValues": "ALL_OLD"}),
    ("PutItem", {"Item": ITEM, "Expected": {"x": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "1"}]}}}),
    ("GetItem", {"Key": KEY, "ProjectionExpression": "pk, x[1].k, #n", "ExpressionAttributeNames": {"#n": "g"}}),
    (
        "UpdateItem",
        {
            "Key": KEY,
            "UpdateExpression": "SET x[1].k = :s, n = if_not_exists(n, :n) + :n REMOVE x[0] DELETE bs :b",
            "ConditionExpression": "size(x) > :n OR g BETWEEN :a AND :a",
            "ExpressionAttributeValues": {
                ":s": {"SS": ["a"]},
                ":n": {"N": "0"},
                ":b": {"BS": ["eA=="]},
                ":a": {"S": "q"},
            },
            "ReturnValues": "UPDATED_NEW",
        },
    ),
    ("UpdateItem", {"Key": KEY, "AttributeUpdates": {"n": {"Action": "ADD", "Value": {"N": "1"}}}}),
    ("DeleteItem", {"Key": KEY, "ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE"}),
    (
        "Query",
        {
            "KeyConditionExpression": "pk = :a AND sk > :n",
            "FilterExpression": "contains(x, :a)",
            "ExpressionAttributeValues": {":a": {"S": "a"}, ":n": {"N": "0"}},
            "ExclusiveStartKey": KEY,
            "Limit": 1,
        },
    ),
    (
        "Query",
        {"KeyConditions": {"g": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "q"}]}}, "IndexName": "by_g"},
    ),
    ("Scan", {"Segment": 0, "TotalSegments": 2, "ExclusiveStartKey": KEY, "Select": "COUNT"}),
    ("UpdateTable", {"GlobalSecondaryIndexUpdates": [{"Create": GLOBAL}, {"Delete": {"IndexName": "nothing"}}]}),
    ("UpdateTimeToLive", {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires"}}),
)
PIECES: tuple[Any, ...] = (
    None, "", 0, -1, True, [], {}, "a", "x" * 300, 1.5, "\x00", ":a", "#h", [{}],
    {"S": "a"}, {"N": "1e999"}, {"SS": []}, {"B": "!!"}, {"NULL": False}, {"S": "a", "N": "1"}, {"L": [{"M": {"": {"S": ""}}}]},
)  # fmt: skip


def damaged(source: random.Random, value: Any) -> Any:
    """The value with one part changed, dropped or doubled."""
    if not isinstance(value, dict | list) or not value or source.random() < 0.2:
        return source.choice(PIECES)
    if isinstance(value, dict):
        copy = dict(value)
        name = source.choice(list(copy))
        if source.random() < 0.2:
            del copy[name]
        else:
            copy[name] = damaged(source, copy[name])
        return copy
    items = list(value)
    place = source.randrange(len(items))
    items[place : place + 1] = source.choice([[], [items[place]] * 2, [damaged(source, items[place])]])
    return items


@pytest.mark.parametrize("seed", range(8))
def test_damaged_requests_are_no_internal_failures(emulator: Any, make_table: Callable[..., str], seed: int) -> None:
    source = random.Random(seed)
    table = make_table(range_type="N", extra={"g": "S"}, GlobalSecondaryIndexes=[GLOBAL])
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    scope = "test/20260101/us-east-1/dynamodb/aws4_request"
    for _ in range(100):
        operation, request = source.choice(REQUESTS)
        body = {"TableName": table, **request}
        for _ in range(source.randrange(3)):
            body = damaged(source, body) if isinstance(body, dict) else {}
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        connection.request("POST", "/", json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 400), (seed, operation, body, content)
    connection.close()
