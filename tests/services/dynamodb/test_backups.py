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
