"""Continuous backups: the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_recovery_is_switched_on_and_off(dynamodb: Any, make_table: Callable[..., str]) -> None:
    name = make_table()
    before = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert before == {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    after = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert after["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert after["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] == 35


def test_backups_of_nothing(dynamodb: Any, message: Callable[..., str]) -> None:
    text = message(dynamodb.describe_continuous_backups, "TableNotFoundException", TableName="nowhere")
    assert text == "Table not found: nowhere"


def test_restore_to_a_point_in_time_takes_the_setting(
    dynamodb: Any, make_table: Callable[..., str], unique: Callable[..., str], message: Callable[..., str]
) -> None:
    name, target = make_table(), unique("restored")
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "a"}})
    restore = {"SourceTableName": name, "TargetTableName": target, "UseLatestRestorableTime": True}
    text = message(dynamodb.restore_table_to_point_in_time, "PointInTimeRecoveryUnavailableException", **restore)
    assert text == f"Point in time recovery is not enabled for table '{name}'"
    dynamodb.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.restore_table_to_point_in_time(**restore)
    assert dynamodb.scan(TableName=target)["Count"] == 1
