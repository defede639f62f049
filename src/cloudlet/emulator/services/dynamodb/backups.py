"""Continuous backups: the settings, which Terraform and others read. Nothing is backed up."""

from __future__ import annotations

from typing import Any, Final, cast

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    DescribeContinuousBackupsInput,
    DescribeContinuousBackupsOutput,
    ResourceNotFoundException,
    TableNotFoundException,
    UpdateContinuousBackupsInput,
    UpdateContinuousBackupsOutput,
)
from cloudlet.emulator.services.dynamodb.catalog import find_table, table_name
from cloudlet.emulator.services.dynamodb.records import TABLES, TableRecord

DEFAULT_DAYS: Final = 35


def backed_up_table(call: Call, name: str) -> TableRecord:
    try:
        return find_table(call, name)
    except ResourceNotFoundException:
        raise TableNotFoundException(f"Table not found: {table_name(call, name)}") from None


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
