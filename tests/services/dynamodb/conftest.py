"""Tables for the tests of DynamoDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def dynamodb(client: Callable[..., Any]) -> Any:
    return client("dynamodb")


@pytest.fixture
def make_table(dynamodb: Any, unique: Callable[..., str]) -> Callable[..., str]:
    """`make_table()`: hash key `pk` (S). `make_table(range_type="N")`: and a range key `sk`. Options are CreateTable's."""

    def make(range_type: str | None = None, extra: dict[str, str] | None = None, **options: Any) -> str:
        name = unique("table")
        attributes = {"pk": "S", **({"sk": range_type} if range_type else {}), **(extra or {})}
        schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
        if range_type:
            schema.append({"AttributeName": "sk", "KeyType": "RANGE"})
        dynamodb.create_table(
            TableName=name,
            KeySchema=schema,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in attributes.items()],
            **{"BillingMode": "PAY_PER_REQUEST", **options},
        )
        return name

    return make


@pytest.fixture
def message() -> Callable[..., str]:
    """The message of the error that a call raises: `message(dynamodb.put_item, TableName=…)`."""

    def call(operation: Callable[..., Any], code: str = "ValidationException", **request: Any) -> str:
        with pytest.raises(Exception) as caught:
            operation(**request)
        error = getattr(caught.value, "response", {"Error": {"Code": repr(caught.value), "Message": ""}})["Error"]
        assert error["Code"] == code, error
        text: str = error["Message"]
        return text

    return call
