"""Tables: create, describe, list, update, delete; limits and endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_table_is_creating_then_active(dynamodb: Any, unique: Callable[..., str]) -> None:
    name = unique("table")
    created = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 4},
    )["TableDescription"]
    assert created["TableStatus"] == "CREATING"
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert described["TableArn"] == f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert described["ItemCount"] == 0
    by_arn = dynamodb.describe_table(TableName=described["TableArn"])["Table"]
    assert by_arn["TableId"] == created["TableId"]


def test_table_exists_already(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    name = make_table()
    text = message(
        dynamodb.create_table,
        "ResourceInUseException",
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert text == f"Table already exists: {name}"


def test_deleted_table_is_gone_with_its_items(
    dynamodb: Any, unique: Callable[..., str], message: Callable[..., str]
) -> None:
    name = unique("table")
    create = {
        "TableName": name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    dynamodb.create_table(**create)
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "a"}})
    assert dynamodb.delete_table(TableName=name)["TableDescription"]["TableStatus"] == "DELETING"
    text = message(dynamodb.describe_table, "ResourceNotFoundException", TableName=name)
    assert text == f"Requested resource not found: Table: {name} not found"
    dynamodb.create_table(**create)
    assert dynamodb.scan(TableName=name)["Count"] == 0


def test_protected_table_stays(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    name = make_table(DeletionProtectionEnabled=True)
    assert "protected against deletion" in message(dynamodb.delete_table, TableName=name)
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=name)


def test_list_tables_pages(client: Callable[..., Any], unique: Callable[..., str]) -> None:
    dynamodb = client("dynamodb", account="111122223333")
    names = sorted(unique("listed") for _ in range(5))
    for name in names:
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    pages = dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2})
    found = [name for page in pages for name in page["TableNames"]]
    assert found == names


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"KeySchema": [{"AttributeName": "pk", "KeyType": "RANGE"}]},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}]},
            "One or more parameter values were invalid: Some index key attributes are not defined in "
            "AttributeDefinitions. Keys: [x], AttributeDefinitions: [pk]",
        ),
        (
            {
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "x", "AttributeType": "S"},
                ]
            },
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number "
            "of attributes defined in AttributeDefinitions",
        ),
        (
            {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}},
            "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be "
            "specified when BillingMode is PAY_PER_REQUEST",
        ),
    ],
)
def test_create_table_refuses(
    dynamodb: Any,
    unique: Callable[..., str],
    message: Callable[..., str],
    change: dict[str, Any],
    expected: str,
) -> None:
    request = {
        "TableName": unique("table"),
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        **change,
    }
    assert message(dynamodb.create_table, **request) == expected


def test_update_table_changes_settings(dynamodb: Any, make_table: Callable[..., str]) -> None:
    name = make_table()
    dynamodb.update_table(
        TableName=name,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 7, "WriteCapacityUnits": 8},
    )
    dynamodb.update_table(TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    dynamodb.update_table(TableName=name, SSESpecification={"Enabled": True, "SSEType": "KMS"})
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert described["ProvisionedThroughput"]["WriteCapacityUnits"] == 8
    assert described["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert described["LatestStreamArn"].startswith(described["TableArn"] + "/stream/")
    assert described["SSEDescription"]["Status"] == "ENABLED"


def test_items_are_counted(dynamodb: Any, make_table: Callable[..., str]) -> None:
    name = make_table()
    for number in range(3):
        dynamodb.put_item(TableName=name, Item={"pk": {"S": str(number)}})
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert (described["ItemCount"], described["TableSizeBytes"]) == (3, 9)


def test_limits_and_endpoints(dynamodb: Any) -> None:
    assert dynamodb.describe_limits()["TableMaxReadCapacityUnits"] == 40000
    assert dynamodb.describe_endpoints()["Endpoints"][0]["CachePeriodInMinutes"] == 1440
