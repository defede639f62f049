"""GetItem, PutItem, UpdateItem, DeleteItem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

EVERY_TYPE = {
    "pk": {"S": "all"},
    "n": {"N": "-1.5"},
    "b": {"B": b"\x00\xff"},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": [b"a", b"b"]},
    "bool": {"BOOL": True},
    "null": {"NULL": True},
    "l": {"L": [{"S": "x"}, {"B": b"y"}]},
    "m": {"M": {"k": {"N": "1"}, "b": {"B": b"z"}}},
    "empty": {"S": ""},
}


def test_item_of_every_type_comes_back(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    dynamodb.put_item(TableName=table, Item=EVERY_TYPE)
    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": "all"}})["Item"] == EVERY_TYPE


def test_missing_item_has_no_item_member(dynamodb: Any, make_table: Callable[..., str]) -> None:
    assert "Item" not in dynamodb.get_item(TableName=make_table(), Key={"pk": {"S": "nobody"}})


def test_numbers_come_back_in_canonical_form(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table(range_type="N")
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"N": "1.0"}, "n": {"N": "1e2"}})
    item = dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}, "sk": {"N": "01"}})["Item"]
    assert item == {"pk": {"S": "a"}, "sk": {"N": "1"}, "n": {"N": "100"}}


def test_put_returns_what_it_replaced(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    first = dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "v": {"N": "1"}}, ReturnValues="ALL_OLD")
    second = dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}}, ReturnValues="ALL_OLD")
    assert "Attributes" not in first
    assert second["Attributes"] == {"pk": {"S": "a"}, "v": {"N": "1"}}


def test_condition_guards_a_put(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    put = {"TableName": table, "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    dynamodb.put_item(**put)
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
        dynamodb.put_item(**put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert caught.value.response["Error"]["Message"] == "The conditional request failed"
    assert caught.value.response["Item"] == {"pk": {"S": "a"}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"x": {"S": "a"}}, "One or more parameter values were invalid: Missing the key pk in the item"),
        (
            {"pk": {"N": "1"}},
            "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
        ),
        (
            {"pk": {"S": ""}},
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
            "string value. Key: pk",
        ),
        ({"pk": {"S": "a"}, "n": {"N": "x"}}, "The parameter cannot be converted to a numeric value: x"),
        (
            {"pk": {"S": "a" * 2049}},
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        ({"pk": {"S": "a"}, "big": {"S": "x" * 410_000}}, "Item size has exceeded the maximum allowed size"),
    ],
)
def test_put_refuses(
    dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str], item: dict[str, Any], expected: str
) -> None:
    assert message(dynamodb.put_item, TableName=make_table(), Item=item) == expected


@pytest.mark.parametrize("key", [{}, {"x": {"S": "a"}}, {"pk": {"N": "1"}}, {"pk": {"S": "a"}, "y": {"S": "b"}}])
def test_key_has_to_match_the_schema(
    dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str], key: dict[str, Any]
) -> None:
    text = message(dynamodb.get_item, TableName=make_table(), Key=key)
    assert text == "The provided key element does not match the schema"


def test_item_in_a_table_that_does_not_exist(dynamodb: Any, message: Callable[..., str]) -> None:
    text = message(dynamodb.get_item, "ResourceNotFoundException", TableName="nowhere", Key={"pk": {"S": "a"}})
    assert text == "Requested resource not found"


@pytest.mark.parametrize(
    ("return_values", "attributes"),
    [
        ("NONE", None),
        ("ALL_OLD", {"pk": {"S": "a"}, "n": {"N": "1"}, "keep": {"S": "k"}}),
        ("ALL_NEW", {"pk": {"S": "a"}, "n": {"N": "2"}, "keep": {"S": "k"}, "new": {"S": "v"}}),
        ("UPDATED_OLD", {"n": {"N": "1"}}),
        ("UPDATED_NEW", {"n": {"N": "2"}, "new": {"S": "v"}}),
    ],
)
def test_update_returns_what_was_asked_for(
    dynamodb: Any, make_table: Callable[..., str], return_values: str, attributes: dict[str, Any] | None
) -> None:
    table = make_table()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "n": {"N": "1"}, "keep": {"S": "k"}})
    answer = dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "a"}},
        UpdateExpression="SET n = n + :one, #new = :v",
        ExpressionAttributeNames={"#new": "new"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":v": {"S": "v"}},
        ReturnValues=return_values,
    )
    assert answer.get("Attributes") == attributes


def test_update_makes_the_item(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "a"}},
        UpdateExpression="ADD n :n",
        ExpressionAttributeValues={":n": {"N": "3"}},
    )
    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}})["Item"] == {"pk": {"S": "a"}, "n": {"N": "3"}}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            {"UpdateExpression": "SET pk = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}},
            "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
        ),
        (
            {"UpdateExpression": "SET a = b"},
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            {"UpdateExpression": "SET a.b = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}},
            "The document path provided in the update expression is invalid for update",
        ),
        (
            {"UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": {"S": "x"}, ":w": {"S": "y"}}},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
        (
            {"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"#n": "y"}},
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}",
        ),
        (
            {"UpdateExpression": "REMOVE a", "AttributeUpdates": {}},
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}",
        ),
        (
            {"ExpressionAttributeValues": {":v": {"S": "x"}}},
            "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and "
            "ConditionExpression are null",
        ),
    ],
)
def test_update_refuses(
    dynamodb: Any,
    make_table: Callable[..., str],
    message: Callable[..., str],
    request_: dict[str, Any],
    expected: str,
) -> None:
    table = make_table()
    assert message(dynamodb.update_item, TableName=table, Key={"pk": {"S": "a"}}, **request_) == expected
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}})


def test_delete_returns_the_item_and_is_idempotent(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "v": {"N": "1"}})
    delete = {"TableName": table, "Key": {"pk": {"S": "a"}}, "ReturnValues": "ALL_OLD"}
    assert dynamodb.delete_item(**delete)["Attributes"] == {"pk": {"S": "a"}, "v": {"N": "1"}}
    assert "Attributes" not in dynamodb.delete_item(**delete)


def test_legacy_parameters(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    key = {"pk": {"S": "a"}}
    dynamodb.update_item(
        TableName=table,
        Key=key,
        AttributeUpdates={"n": {"Action": "ADD", "Value": {"N": "2"}}, "s": {"Value": {"S": "x"}}},
    )
    dynamodb.put_item(
        TableName=table,
        Item={**key, "n": {"N": "3"}},
        Expected={"n": {"Value": {"N": "2"}}, "s": {"ComparisonOperator": "NOT_NULL"}},
        ConditionalOperator="AND",
    )
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.delete_item(TableName=table, Key=key, Expected={"n": {"Exists": False}})
    got = dynamodb.get_item(TableName=table, Key=key, AttributesToGet=["n"])
    assert got["Item"] == {"n": {"N": "3"}}


def test_consumed_capacity(dynamodb: Any, make_table: Callable[..., str]) -> None:
    table = make_table()
    item = {"pk": {"S": "a"}, "v": {"S": "x" * 1500}}
    put = dynamodb.put_item(TableName=table, Item=item, ReturnConsumedCapacity="TOTAL")
    got = dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}}, ReturnConsumedCapacity="INDEXES")
    assert put["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": 2.0}
    assert got["ConsumedCapacity"] == {"TableName": table, "CapacityUnits": 0.5, "Table": {"CapacityUnits": 0.5}}
