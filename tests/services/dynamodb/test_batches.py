"""BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def put(pk: str) -> dict[str, Any]:
    return {"PutRequest": {"Item": {"pk": {"S": pk}, "v": {"N": "1"}}}}


def test_batch_writes_and_gets(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "gone"}})
    writes = [put("a"), put("b"), {"DeleteRequest": {"Key": {"pk": {"S": "gone"}}}}]
    assert dynamodb.batch_write_item(RequestItems={table: writes})["UnprocessedItems"] == {}
    keys = [{"pk": {"S": pk}} for pk in ("a", "b", "gone")]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ProjectionExpression": "pk"}})
    assert sorted(item["pk"]["S"] for item in answer["Responses"][table]) == ["a", "b"]
    assert answer["UnprocessedKeys"] == {}


def test_batch_refuses_duplicates(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    table = make_table()
    text = message(dynamodb.batch_write_item, RequestItems={table: [put("a"), put("a")]})
    assert text == "Provided list of item keys contains duplicates"
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_batch_that_answers_too_much_leaves_keys_over(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    keys = [{"pk": {"S": str(number)}} for number in range(45)]
    for key in keys:
        dynamodb.put_item(TableName=table, Item={**key, "v": {"S": "x" * 390_000}})
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})
    rest = answer["UnprocessedKeys"][table]["Keys"]
    assert 0 < len(rest) < 45
    assert len(answer["Responses"][table]) + len(rest) == 45
