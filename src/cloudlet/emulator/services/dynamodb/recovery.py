"""Continuous backups, and restoring: from a backup, or to a point in time.

Point-in-time recovery is a setting; a restore to a point in time gets the table as it is now.
"""

from __future__ import annotations

from typing import Any, Final, cast

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    DescribeContinuousBackupsInput,
    DescribeContinuousBackupsOutput,
    PointInTimeRecoveryUnavailableException,
    RestoreTableFromBackupInput,
    RestoreTableFromBackupOutput,
    RestoreTableToPointInTimeInput,
    RestoreTableToPointInTimeOutput,
    TableAlreadyExistsException,
    UpdateContinuousBackupsInput,
    UpdateContinuousBackupsOutput,
)
from cloudlet.emulator.services.dynamodb.backups import copy_items, find_backup
from cloudlet.emulator.services.dynamodb.catalog import backed_up_table, table_name
from cloudlet.emulator.services.dynamodb.descriptions import describe, describe_schema, local_and_global
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.records import TABLES, TableRecord
from cloudlet.emulator.services.dynamodb.schemas import ON_DEMAND
from cloudlet.emulator.services.dynamodb.tables import new_table
from cloudlet.emulator.services.dynamodb.writes import fill_index

DEFAULT_DAYS: Final = 35


def describe_backups(call: Call, table: TableRecord) -> dict[str, Any]:
    recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    if table.recovery_since is not None:
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": table.recovery_days,
            "EarliestRestorableDateTime": table.recovery_since,
            "LatestRestorableDateTime": call.now,
        }
    return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}


@read_only
def describe_continuous_backups(call: Call, request: DescribeContinuousBackupsInput) -> DescribeContinuousBackupsOutput:
    table = backed_up_table(call, request["TableName"])
    return cast(DescribeContinuousBackupsOutput, {"ContinuousBackupsDescription": describe_backups(call, table)})


@read_write
def update_continuous_backups(call: Call, request: UpdateContinuousBackupsInput) -> UpdateContinuousBackupsOutput:
    specification = request["PointInTimeRecoverySpecification"]
    table = backed_up_table(call, request["TableName"])
    if specification["PointInTimeRecoveryEnabled"]:
        table = replace(
            table,
            recovery_since=table.recovery_since or call.now,
            recovery_days=specification.get("RecoveryPeriodInDays", DEFAULT_DAYS),
        )
    else:
        table = replace(table, recovery_since=None, recovery_days=DEFAULT_DAYS)
    TABLES.put(call.tx, table)
    return cast(UpdateContinuousBackupsOutput, {"ContinuousBackupsDescription": describe_backups(call, table)})


@read_write
def restore_table_from_backup(call: Call, request: RestoreTableFromBackupInput) -> RestoreTableFromBackupOutput:
    raw_request = cast("dict[str, Any]", request)
    backup = find_backup(call, request["BackupArn"])
    table = restored(call, raw_request, backup.table, backup.storage, backup.arn)
    return cast(RestoreTableFromBackupOutput, {"TableDescription": describe(call, table, "CREATING")})


@read_write
def restore_table_to_point_in_time(
    call: Call, request: RestoreTableToPointInTimeInput
) -> RestoreTableToPointInTimeOutput:
    raw_request = cast("dict[str, Any]", request)
    name = request.get("SourceTableName") or request.get("SourceTableArn")
    if name is None:
        raise ValidationException("Either SourceTableName or SourceTableArn must be specified")
    source = backed_up_table(call, name)
    if source.recovery_since is None:
        raise PointInTimeRecoveryUnavailableException(
            f"Point in time recovery is not enabled for table '{source.name}'"
        )
    table = restored(call, raw_request, source, source.storage, "")
    return cast(RestoreTableToPointInTimeOutput, {"TableDescription": describe(call, table, "CREATING")})


def restored(call: Call, request: dict[str, Any], source: TableRecord, storage: int, backup: str) -> TableRecord:
    """A new table with the source's schema and the items of a storage number. Settings are not restored, as on AWS."""
    name = table_name(call, request["TargetTableName"])
    if TABLES.exists(call.tx, call.account_id, call.region, name):
        raise TableAlreadyExistsException(f"Table already exists: {name}")
    table = new_table(call, restore_request(request, source, name))
    table = replace(table, restored_from=source.arn, restored_at=call.now, restored_backup=backup)
    TABLES.put(call.tx, table)
    copy_items(call, storage, table.storage)
    for index in table.indexes:
        fill_index(call, table, index)
    return table


def restore_request(request: dict[str, Any], source: TableRecord, name: str) -> dict[str, Any]:
    """The CreateTable that makes the restored table: the source's, with the overrides."""
    mode = request.get("BillingModeOverride", source.billing_mode)
    create: dict[str, Any] = {
        "TableName": name,
        "KeySchema": describe_schema(source),
        "BillingMode": mode,
    }
    indexes = local_and_global(source)
    for group, override in (
        ("LocalSecondaryIndexes", "LocalSecondaryIndexOverride"),
        ("GlobalSecondaryIndexes", "GlobalSecondaryIndexOverride"),
    ):
        entries = request.get(override, indexes.get(group))
        if entries:
            create[group] = [{**entry} for entry in entries]
    if mode == ON_DEMAND:
        for entry in create.get("GlobalSecondaryIndexes", []):
            entry.pop("ProvisionedThroughput", None)
    else:
        create["ProvisionedThroughput"] = request.get("ProvisionedThroughputOverride") or {
            "ReadCapacityUnits": source.read_units or 1,
            "WriteCapacityUnits": source.write_units or 1,
        }
        for entry in create.get("GlobalSecondaryIndexes", []):
            entry.setdefault("ProvisionedThroughput", create["ProvisionedThroughput"])
    used = {
        element["AttributeName"]
        for schema in (create, *create.get("LocalSecondaryIndexes", []), *create.get("GlobalSecondaryIndexes", []))
        for element in schema["KeySchema"]
    }
    create["AttributeDefinitions"] = [
        {"AttributeName": attribute, "AttributeType": kind}
        for attribute, kind in source.attributes
        if attribute in used
    ]
    if "SSESpecificationOverride" in request:
        create["SSESpecification"] = request["SSESpecificationOverride"]
    return create
