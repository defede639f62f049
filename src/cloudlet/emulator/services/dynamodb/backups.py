"""On-demand backups: CreateBackup, DescribeBackup, ListBackups, DeleteBackup. `recovery` restores them.

A backup is a copy of the table's items under a storage number of its own, made in the request's transaction, with the
table's record as it was. It outlives the table.
"""

from __future__ import annotations

from typing import Any, Final, cast

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    BackupNotFoundException,
    CreateBackupInput,
    CreateBackupOutput,
    DeleteBackupInput,
    DeleteBackupOutput,
    DescribeBackupInput,
    DescribeBackupOutput,
    ListBackupsInput,
    ListBackupsOutput,
)
from cloudlet.emulator.services.dynamodb.catalog import backed_up_table, table_name
from cloudlet.emulator.services.dynamodb.descriptions import describe_schema, describe_throughput, local_and_global
from cloudlet.emulator.services.dynamodb.jobs import sweep_later
from cloudlet.emulator.services.dynamodb.records import BACKUPS, ITEMS, BackupRecord, TableRecord
from cloudlet.emulator.services.dynamodb.tables import new_storage

LISTED: Final = 100


@read_write
def create_backup(call: Call, request: CreateBackupInput) -> CreateBackupOutput:
    table = backed_up_table(call, request["TableName"])
    storage = new_storage(call)
    count, size = copy_items(call, table.storage, storage)
    name = f"{int(call.now * 1000):014d}-{call.ids.hex(8)}"
    backup = BackupRecord(
        account_id=table.account_id,
        region=table.region,
        arn=f"{table.arn}/backup/{name}",
        name=request["BackupName"],
        created=call.now,
        storage=storage,
        count=count,
        size=size,
        table=table,
    )
    BACKUPS.put(call.tx, backup)
    return cast(CreateBackupOutput, {"BackupDetails": details(backup, "CREATING")})


def copy_items(call: Call, source: int, target: int) -> tuple[int, int]:
    """Copy all items from one storage number to another; their number and bytes."""
    count = size = 0
    for record in ITEMS.scan(call.tx, source):
        ITEMS.put(call.tx, replace(record, storage=target))
        count += 1
        size += record.size
    return count, size


def find_backup(call: Call, arn: str) -> BackupRecord:
    backup = BACKUPS.get(call.tx, call.account_id, call.region, arn)
    if backup is None:
        raise BackupNotFoundException(f"Backup not found: {arn}")
    return backup


def details(backup: BackupRecord, status: str) -> dict[str, Any]:
    return {
        "BackupArn": backup.arn,
        "BackupName": backup.name,
        "BackupSizeBytes": backup.size,
        "BackupStatus": status,
        "BackupType": "USER",
        "BackupCreationDateTime": backup.created,
    }


def describe_source(backup: BackupRecord) -> dict[str, Any]:
    table = backup.table
    return {
        "TableName": table.name,
        "TableId": table.table_id,
        "TableArn": table.arn,
        "TableSizeBytes": backup.size,
        "KeySchema": describe_schema(table),
        "TableCreationDateTime": table.created,
        "ProvisionedThroughput": {
            name: value for name, value in describe_throughput(table).items() if name.endswith("CapacityUnits")
        },
        "ItemCount": backup.count,
        "BillingMode": table.billing_mode,
    }


def describe_features(table: TableRecord) -> dict[str, Any]:
    features: dict[str, Any] = dict(local_and_global(table))
    if table.stream_view:
        features["StreamDescription"] = {"StreamEnabled": True, "StreamViewType": table.stream_view}
    if table.ttl_attribute:
        features["TimeToLiveDescription"] = {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl_attribute}
    if table.sse_enabled:
        features["SSEDescription"] = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": table.sse_key_arn}
    return features


def describe(backup: BackupRecord, status: str) -> dict[str, Any]:
    return {
        "BackupDetails": details(backup, status),
        "SourceTableDetails": describe_source(backup),
        "SourceTableFeatureDetails": describe_features(backup.table),
    }


@read_only
def describe_backup(call: Call, request: DescribeBackupInput) -> DescribeBackupOutput:
    backup = find_backup(call, request["BackupArn"])
    return cast(DescribeBackupOutput, {"BackupDescription": describe(backup, "AVAILABLE")})


@read_write
def delete_backup(call: Call, request: DeleteBackupInput) -> DeleteBackupOutput:
    backup = find_backup(call, request["BackupArn"])
    BACKUPS.delete(call.tx, backup.account_id, backup.region, backup.arn)
    sweep_later(call, backup.table, [backup.storage])
    return cast(DeleteBackupOutput, {"BackupDescription": describe(backup, "DELETED")})


@read_only
def list_backups(call: Call, request: ListBackupsInput) -> ListBackupsOutput:
    if request.get("BackupType", "USER") not in ("USER", "ALL"):
        return {"BackupSummaries": []}
    limit = request.get("Limit", LISTED)
    wanted = request.get("TableName")
    name = None if wanted is None else table_name(call, wanted)
    start = request.get("ExclusiveStartBackupArn")
    after = None if start is None else (start,)
    found = []
    for backup in BACKUPS.scan(call.tx, call.account_id, call.region, after=after):
        if name is not None and backup.table.name != name:
            continue
        if not request.get("TimeRangeLowerBound", 0) <= backup.created < request.get("TimeRangeUpperBound", 1e12):
            continue
        found.append(backup)
        if len(found) > limit:
            break
    result = {"BackupSummaries": [summary(backup) for backup in found[:limit]]}
    if len(found) > limit:
        result["LastEvaluatedBackupArn"] = found[limit - 1].arn  # type: ignore[assignment]
    return cast(ListBackupsOutput, result)


def summary(backup: BackupRecord) -> dict[str, Any]:
    table = backup.table
    return {
        "TableName": table.name,
        "TableId": table.table_id,
        "TableArn": table.arn,
        **details(backup, "AVAILABLE"),
    }
