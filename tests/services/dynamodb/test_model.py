"""Random writes and reads against a dict: queries, scans and indexes answer what the model says.

The operations run on a store of their own, without HTTP, so that many fit into a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.effects.ids import Ids
from cloudlet.emulator.gateway.dispatch import Dispatcher
from cloudlet.emulator.gateway.registry import Registry
from cloudlet.emulator.kernel.call import Principal
from cloudlet.emulator.protocol.fragments import thaw
from cloudlet.emulator.protocol.models import Models
from cloudlet.emulator.services.dynamodb.keys import index_key
from cloudlet.emulator.services.dynamodb.records import INDEX_ITEMS, ITEMS, TABLES
from cloudlet.emulator.services.dynamodb.writes import index_entry
from cloudlet.emulator.store.open import open_store
from cloudlet.settings import Settings

ACCOUNT, REGION = "000000000000", "us-east-1"
Run = Callable[..., dict[str, Any]]

NAMES = st.sampled_from(["a", "b", "b\x00", "bb", "ü", "zz"])
NUMBERS = st.sampled_from(["-1e3", "-7", "-0.5", "0", "0.25", "1", "7", "10", "1e20"])
WRITES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, NUMBERS, st.one_of(st.none(), NAMES)),
        st.tuples(st.just("delete"), NAMES, NUMBERS, st.none()),
        st.tuples(st.just("update"), NAMES, NUMBERS, NAMES),
    ),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """`run("PutItem", TableName=…)`: the operation's result, in plain data."""
    options = Settings(temporary_dir=str(tmp_path_factory.mktemp("store")))
    store = open_store(options)
    dispatcher = Dispatcher(options, store, Clock(), Ids(7), Registry(), Models())
    principal = Principal(ACCOUNT, "test", "root", "arn:aws:iam::000000000000:root", ACCOUNT)

    def carry_out(operation: str, **request: Any) -> dict[str, Any]:
        call = dispatcher.call("dynamodb", operation, principal, ACCOUNT, REGION)
        plain: dict[str, Any] = thaw(dispatcher.run(dispatcher.handler("dynamodb", operation), call, request))
        return plain

    carry_out.store = store  # type: ignore[attr-defined]
    yield carry_out
    store.close()


def make_table(run: Run, name: str) -> None:
    run(
        "CreateTable",
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )


def apply(run: Run, table: str, write: tuple[Any, ...], model: dict[tuple[str, Decimal], str | None]) -> None:
    kind, pk, sk, g = write
    key = {"pk": {"S": pk}, "sk": {"N": sk}}
    if kind == "put":
        run("PutItem", TableName=table, Item={**key, **({} if g is None else {"g": {"S": g}})})
    elif kind == "delete":
        run("DeleteItem", TableName=table, Key=key)
        model.pop((pk, Decimal(sk)), None)
        return
    else:
        run(
            "UpdateItem",
            TableName=table,
            Key=key,
            UpdateExpression="SET g = :g",
            ExpressionAttributeValues={":g": {"S": g}},
        )
    model[pk, Decimal(sk)] = g


def keys_of(answer: dict[str, Any]) -> list[tuple[str, Decimal]]:
    return [(item["pk"]["S"], Decimal(item["sk"]["N"])) for item in answer["Items"]]


def all_pages(run: Run, operation: str, **request: Any) -> list[tuple[str, Decimal]]:
    found = []
    while True:
        answer = run(operation, **request)
        found += keys_of(answer)
        if "LastEvaluatedKey" not in answer:
            return found
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


@given(
    writes=WRITES,
    low=NUMBERS,
    limit=st.integers(1, 4),
    operator=st.sampled_from(["<", "<=", "=", ">", ">="]),
    forward=st.booleans(),
    segments=st.integers(1, 5),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reads_answer_what_the_model_says(
    run: Run, writes: list[Any], low: str, limit: int, operator: str, forward: bool, segments: int
) -> None:
    make_table(run, "model")
    model: dict[tuple[str, Decimal], str | None] = {}
    for write in writes:
        apply(run, "model", write, model)
    compare: dict[str, Callable[[Decimal, Decimal], bool]] = {
        "<": Decimal.__lt__,
        "<=": Decimal.__le__,
        "=": Decimal.__eq__,
        ">": Decimal.__gt__,
        ">=": Decimal.__ge__,
    }
    for pk in sorted({key[0] for key in model}):
        expected = sorted(key for key in model if key[0] == pk and compare[operator](key[1], Decimal(low)))
        found = all_pages(
            run,
            "Query",
            TableName="model",
            Limit=limit,
            ScanIndexForward=forward,
            KeyConditionExpression=f"pk = :pk AND sk {operator} :low",
            ExpressionAttributeValues={":pk": {"S": pk}, ":low": {"N": low}},
        )
        assert found == (expected if forward else expected[::-1])
    for g in sorted({g for g in model.values() if g is not None}):
        found = all_pages(
            run,
            "Query",
            TableName="model",
            IndexName="by_g",
            Limit=limit,
            ScanIndexForward=forward,
            KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": {"S": g}},
        )
        assert sorted(found) == sorted(key for key, value in model.items() if value == g)
        assert [key[1] for key in found] == sorted((key[1] for key in found), reverse=not forward)
    scanned = [
        key
        for segment in range(segments)
        for key in all_pages(run, "Scan", TableName="model", Limit=limit, Segment=segment, TotalSegments=segments)
    ]
    assert sorted(scanned) == sorted(model)
    check_index(run)
    run("DeleteTable", TableName="model")


def check_index(run: Run) -> None:
    """The index's entries are those that the table's items ask for."""
    store = run.store  # type: ignore[attr-defined]
    tx = store.begin(read_only=True)
    table = TABLES.get(tx, ACCOUNT, REGION, "model")
    assert table is not None
    [index] = table.indexes
    wanted = []
    for record in ITEMS.scan(tx, table.storage):
        item = orjson.loads(record.item)
        key = index_key(index, item)
        if key is not None:
            wanted.append(index_entry(table, index, key, record, item))
    found = list(INDEX_ITEMS.scan(tx, index.storage))
    store.abort(tx)

    def order(entry: Any) -> tuple[bytes, ...]:
        return (entry.hash, entry.range, entry.table_hash, entry.table_range)

    assert sorted(found, key=order) == sorted(wanted, key=order)
