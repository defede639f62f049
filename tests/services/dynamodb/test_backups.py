"""On-demand backups, and tables restored from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_backup_outlives_its_table(dynamodb: Any, make_table: Callable[..., str], unique: Callable[..., str]) -> None:
    name = make_table(
        extra={"g": "S"},
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    item = {"pk": {"S": "a"}, "g": {"S": "x"}}
    dynamodb.put_item(TableName=name, Item=item)
    created = dynamodb.create_backup(TableName=name, BackupName="nightly")["BackupDetails"]
    assert (created["BackupStatus"], created["BackupType"]) == ("CREATING", "USER")
    dynamodb.delete_table(TableName=name)
    described = dynamodb.describe_backup(BackupArn=created["BackupArn"])["BackupDescription"]
    assert described["BackupDetails"]["BackupStatus"] == "AVAILABLE"
    assert described["SourceTableDetails"]["ItemCount"] == 1
    target = unique("restored")
    dynamodb.restore_table_from_backup(TargetTableName=target, BackupArn=created["BackupArn"])
    summary = dynamodb.describe_table(TableName=target)["Table"]["RestoreSummary"]
    assert summary["SourceBackupArn"] == created["BackupArn"]
    assert dynamodb.scan(TableName=target)["Items"] == [item]
    assert dynamodb.scan(TableName=target, IndexName="by_g")["Items"] == [item]


def test_backups_are_listed_by_table_in_pages(dynamodb: Any, make_table: Callable[..., str]) -> None:
    name = make_table()
    make = dynamodb.create_backup
    arns = {make(TableName=name, BackupName=f"copy-{number}")["BackupDetails"]["BackupArn"] for number in range(3)}
    first = dynamodb.list_backups(TableName=name, Limit=2)
    rest = dynamodb.list_backups(TableName=name, ExclusiveStartBackupArn=first["LastEvaluatedBackupArn"])
    assert {backup["BackupArn"] for backup in first["BackupSummaries"] + rest["BackupSummaries"]} == arns
    assert len(first["BackupSummaries"]) == 2


def test_deleted_backup_is_gone(dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]) -> None:
    arn = dynamodb.create_backup(TableName=make_table(), BackupName="once")["BackupDetails"]["BackupArn"]
    deleted = dynamodb.delete_backup(BackupArn=arn)["BackupDescription"]
    assert deleted["BackupDetails"]["BackupStatus"] == "DELETED"
    text = message(dynamodb.describe_backup, "BackupNotFoundException", BackupArn=arn)
    assert text == f"Backup not found: {arn}"


def test_restore_refuses_a_name_that_is_taken(
    dynamodb: Any, make_table: Callable[..., str], message: Callable[..., str]
) -> None:
    name = make_table()
    arn = dynamodb.create_backup(TableName=name, BackupName="once")["BackupDetails"]["BackupArn"]
    restore = dynamodb.restore_table_from_backup
    text = message(restore, "TableAlreadyExistsException", TargetTableName=name, BackupArn=arn)
    assert text == f"Table already exists: {name}"
