"""TransactWriteItems and TransactGetItems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def put(table: str, pk: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {"pk": {"S": pk}, "n": {"N": "1"}}, **more}}


def get(dynamodb: Any, table: str, pk: str) -> Any:
    return dynamodb.get_item(TableName=table, Key={"pk": {"S": pk}}).get("Item")


def test_all_actions_happen(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table, other = make_table(), make_table()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "gone"}})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "there"}})
    dynamodb.transact_write_items(
        TransactItems=[
            put(other, "new"),
            {"Delete": {"TableName": table, "Key": {"pk": {"S": "gone"}}}},
            {
                "Update": {
                    "TableName": table,
                    "Key": {"pk": {"S": "changed"}},
                    "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": {":n": {"N": "2"}},
                }
            },
            {
                "ConditionCheck": {
                    "TableName": table,
                    "Key": {"pk": {"S": "there"}},
                    "ConditionExpression": "attribute_exists(pk)",
                }
            },
        ]
    )
    assert get(dynamodb, other, "new") is not None
    assert get(dynamodb, table, "gone") is None
    assert get(dynamodb, table, "changed")["n"] == {"N": "2"}


def test_one_failed_condition_cancels_all(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "old"}})
    failing = put(
        table, "old", ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"
    )
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=[put(table, "new"), failing])
    assert caught.value.response["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    )
    assert caught.value.response["CancellationReasons"] == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"pk": {"S": "old"}},
        },
    ]
    assert get(dynamodb, table, "new") is None


def test_token_makes_it_happen_once(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    request = {
        "ClientRequestToken": "token-" + table,
        "TransactItems": [
            {
                "Update": {
                    "TableName": table,
                    "Key": {"pk": {"S": "a"}},
                    "UpdateExpression": "ADD n :n",
                    "ExpressionAttributeValues": {":n": {"N": "1"}},
                }
            }
        ],
    }
    dynamodb.transact_write_items(**request)
    dynamodb.transact_write_items(**request)
    assert get(dynamodb, table, "a")["n"] == {"N": "1"}
    with pytest.raises(dynamodb.exceptions.IdempotentParameterMismatchException):
        dynamodb.transact_write_items(**{**request, "TransactItems": [put(table, "b")]})


def test_one_item_twice_is_refused(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    table = make_table()
    text = message(dynamodb.transact_write_items, TransactItems=[put(table, "a"), put(table, "a")])
    assert text == "Transaction request cannot include multiple operations on one item"


def test_transact_get_answers_in_order(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "b"}, "v": {"N": "1"}, "w": {"N": "2"}})
    answer = dynamodb.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": table, "Key": {"pk": {"S": "a"}}}},
            {"Get": {"TableName": table, "Key": {"pk": {"S": "b"}}, "ProjectionExpression": "v"}},
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"] == [{}, {"Item": {"v": {"N": "1"}}}]
    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}]


def test_empty_key_is_the_requests_error_and_a_wrong_one_the_actions(
    dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]
) -> None:
    table = make_table()
    empty = {"Put": {"TableName": table, "Item": {"pk": {"S": ""}}}}
    assert "cannot contain an empty string value" in message(dynamodb.transact_write_items, TransactItems=[empty])
    wrong = {"Put": {"TableName": table, "Item": {"pk": {"N": "1"}}}}
    text = message(
        dynamodb.transact_write_items, "TransactionCanceledException", TransactItems=[put(table, "a"), wrong]
    )
    assert text.endswith("[None, ValidationError]")
