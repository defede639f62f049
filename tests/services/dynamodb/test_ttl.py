"""Time to live."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

YEAR = 365 * 24 * 3600


def settings(attribute: str, enabled: bool = True) -> dict[str, Any]:
    return {"Enabled": enabled, "AttributeName": attribute}


def test_ttl_is_switched_on_and_off(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    name = make_table()
    off = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert off == {"TimeToLiveStatus": "DISABLED"}
    answer = dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=settings("expires"))
    assert answer["TimeToLiveSpecification"] == settings("expires")
    on = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert on == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    update = dynamodb.update_time_to_live
    assert message(update, TableName=name, TimeToLiveSpecification=settings("x")) == "TimeToLive is already enabled"
    text = message(update, TableName=name, TimeToLiveSpecification=settings("x", enabled=False))
    assert text == "TimeToLive is active on a different AttributeName: current AttributeName is expires"
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=settings("expires", enabled=False))
    text = message(update, TableName=name, TimeToLiveSpecification=settings("expires", enabled=False))
    assert text == "TimeToLive is already disabled"


def post(url: str, content: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(content).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60):
        pass


def test_expired_items_go_when_their_time_comes(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="sessions",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    now = int(time.time())

    def put(pk: str, **more: Any) -> None:
        dynamodb.put_item(TableName="sessions", Item={"pk": {"S": pk}, "g": {"S": "x"}, **more})

    put("before", expires={"N": str(now + 1000)})
    dynamodb.update_time_to_live(TableName="sessions", TimeToLiveSpecification=settings("expires"))
    put("soon", expires={"N": str(now + 2000)})
    put("sooner", expires={"N": str(now + 500)})
    put("later", expires={"N": str(now + 9000)})
    put("never")
    put("ancient", expires={"N": str(now - 6 * YEAR)})
    put("text", expires={"S": str(now + 500)})
    put("moved", expires={"N": str(now + 500)})
    put("moved", expires={"N": str(now + 9000)})
    post(f"{emulator.url}/_cloudlet/clock/advance", {"seconds": 3000})
    left = {item["pk"]["S"] for item in dynamodb.scan(TableName="sessions")["Items"]}
    assert left == {"later", "never", "ancient", "text", "moved"}
    assert dynamodb.scan(TableName="sessions", IndexName="by_g")["Count"] == 5
