"""A table in AWS's words: the TableDescription of DescribeTable and its like.

ItemCount and TableSizeBytes are counted when they are asked for: exactly up to `COUNTED` items, and beyond that estimated
from how much of the hash space the first `COUNTED` take (AWS itself updates them about every six hours).
"""

from __future__ import annotations

from typing import Any, Final

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.dynamodb.keys import HASH_SPACE
from cloudlet.emulator.services.dynamodb.records import INDEX_ITEMS, ITEMS, IndexRecord, TableRecord
from cloudlet.emulator.services.dynamodb.schemas import ON_DEMAND, PROVISIONED

COUNTED: Final = 10_000
DEFAULT_WARM: Final = (("ReadUnitsPerSecond", 12000), ("WriteUnitsPerSecond", 4000))


def describe(
    call: Call, table: TableRecord, status: str = "ACTIVE", index_statuses: dict[str, str] | None = None
) -> dict[str, Any]:
    """TableDescription. `index_statuses` names the indexes that are not ACTIVE."""
    count, size = statistics(call, table.storage, of_index=False)
    description: dict[str, Any] = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in table.attributes],
        "TableName": table.name,
        "KeySchema": describe_schema(table),
        "TableStatus": status,
        "CreationDateTime": table.created,
        "ProvisionedThroughput": describe_throughput(table),
        "TableSizeBytes": size,
        "ItemCount": count,
        "TableArn": table.arn,
        "TableId": table.table_id,
        "DeletionProtectionEnabled": table.deletion_protection,
    }
    if status not in ("CREATING", "DELETING"):
        description["WarmThroughput"] = describe_warm(table.warm, table, "ACTIVE" if status == "UPDATING" else status)
    add_billing(table, description)
    add_indexes(call, table, description, status, index_statuses or {})
    add_settings(table, description)
    return description


def describe_schema(schema: TableRecord | IndexRecord) -> list[dict[str, str]]:
    elements = [{"AttributeName": schema.hash_name, "KeyType": "HASH"}]
    if schema.range_name is not None:
        elements.append({"AttributeName": schema.range_name, "KeyType": "RANGE"})
    return elements


def describe_throughput(table: TableRecord) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "NumberOfDecreasesToday": table.decreases_today,
        "ReadCapacityUnits": table.read_units,
        "WriteCapacityUnits": table.write_units,
    }
    if table.throughput_increased is not None:
        answer["LastIncreaseDateTime"] = table.throughput_increased
    if table.throughput_decreased is not None:
        answer["LastDecreaseDateTime"] = table.throughput_decreased
    return answer


def describe_warm(warm: tuple[tuple[str, int], ...], schema: TableRecord | IndexRecord, status: str) -> dict[str, Any]:
    provisioned = (("ReadUnitsPerSecond", schema.read_units), ("WriteUnitsPerSecond", schema.write_units))
    pairs = dict(DEFAULT_WARM if schema.read_units == 0 else provisioned)
    pairs.update(warm)
    return {**pairs, "Status": "ACTIVE" if status in ("ACTIVE", "CREATING") else status}


def add_billing(table: TableRecord, description: dict[str, Any]) -> None:
    if table.billing_mode == ON_DEMAND:
        summary: dict[str, Any] = {"BillingMode": ON_DEMAND}
        if description["TableStatus"] != "CREATING":
            summary["LastUpdateToPayPerRequestDateTime"] = table.billing_changed or table.created
        description["BillingModeSummary"] = summary
    elif table.billing_changed is not None:
        description["BillingModeSummary"] = {
            "BillingMode": PROVISIONED,
            "LastUpdateToPayPerRequestDateTime": table.billing_changed,
        }
    if table.on_demand:
        description["OnDemandThroughput"] = dict(table.on_demand)


def add_indexes(
    call: Call, table: TableRecord, description: dict[str, Any], status: str, statuses: dict[str, str]
) -> None:
    for index in table.indexes:
        count, size = statistics(call, index.storage, of_index=True)
        entry: dict[str, Any] = {
            "IndexName": index.name,
            "KeySchema": describe_schema(index),
            "Projection": {"ProjectionType": index.projection},
            "IndexSizeBytes": size,
            "ItemCount": count,
            "IndexArn": f"{table.arn}/index/{index.name}",
        }
        if index.non_key_attributes:
            entry["Projection"]["NonKeyAttributes"] = list(index.non_key_attributes)
        if index.is_global:
            entry["IndexStatus"] = statuses.get(index.name, "CREATING" if status == "CREATING" else "ACTIVE")
            if index.name in statuses and entry["IndexStatus"] == "CREATING":
                entry["Backfilling"] = False
            entry["ProvisionedThroughput"] = {
                "NumberOfDecreasesToday": 0,
                "ReadCapacityUnits": index.read_units,
                "WriteCapacityUnits": index.write_units,
            }
            if index.on_demand:
                entry["OnDemandThroughput"] = dict(index.on_demand)
            if status not in ("CREATING", "DELETING"):
                entry["WarmThroughput"] = describe_warm(index.warm, index, "ACTIVE")
        group = "GlobalSecondaryIndexes" if index.is_global else "LocalSecondaryIndexes"
        description.setdefault(group, []).append(entry)


def local_and_global(table: TableRecord) -> dict[str, list[dict[str, Any]]]:
    """The indexes as CreateTable would be told of them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for index in table.indexes:
        entry: dict[str, Any] = {
            "IndexName": index.name,
            "KeySchema": describe_schema(index),
            "Projection": {"ProjectionType": index.projection},
        }
        if index.non_key_attributes:
            entry["Projection"]["NonKeyAttributes"] = list(index.non_key_attributes)
        if index.read_units:
            entry["ProvisionedThroughput"] = {
                "ReadCapacityUnits": index.read_units,
                "WriteCapacityUnits": index.write_units,
            }
        found.setdefault("GlobalSecondaryIndexes" if index.is_global else "LocalSecondaryIndexes", []).append(entry)
    return found


def add_settings(table: TableRecord, description: dict[str, Any]) -> None:
    if table.stream_view:
        description["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream_view}
    if table.stream_label:
        description["LatestStreamLabel"] = table.stream_label
        description["LatestStreamArn"] = f"{table.arn}/stream/{table.stream_label}"
    if table.sse_enabled:
        description["SSEDescription"] = {
            "Status": "ENABLED",
            "SSEType": "KMS",
            "KMSMasterKeyArn": table.sse_key_arn,
        }
    if table.restored_at is not None:
        summary: dict[str, Any] = {
            "SourceTableArn": table.restored_from,
            "RestoreDateTime": table.restored_at,
            "RestoreInProgress": description["TableStatus"] == "CREATING",
        }
        if table.restored_backup:
            summary["SourceBackupArn"] = table.restored_backup
        description["RestoreSummary"] = summary
    if table.table_class:
        description["TableClassSummary"] = {"TableClass": table.table_class}


def statistics(call: Call, storage: int, *, of_index: bool) -> tuple[int, int]:
    """Number and bytes of the items below a storage number."""
    entries = (INDEX_ITEMS if of_index else ITEMS).scan(call.tx, storage, limit=COUNTED)
    count = size = 0
    last = b""
    for entry in entries:
        count += 1
        size += entry.size
        last = entry.hash
    if count < COUNTED:
        return count, size
    share = HASH_SPACE / (int.from_bytes(last[:4], "big") + 1)
    return round(count * share), round(size * share)
