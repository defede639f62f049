"""Creating, describing, changing, listing and deleting schedules and groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]

TARGET = {
    "Arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
    "RoleArn": "arn:aws:iam::000000000000:role/r",
}
OFF = {"Mode": "OFF"}
FAR = "cron(0 0 1 1 ? 2190)"  # nothing runs during the tests


def make(client: Client, name: str, **members: Any) -> str:
    request = {"ScheduleExpression": FAR, "FlexibleTimeWindow": OFF, "Target": TARGET, **members}
    arn: str = client("scheduler").create_schedule(Name=name, **request)["ScheduleArn"]
    return arn


def test_a_schedule_has_defaults(client: Client, unique: Unique) -> None:
    name = unique("schedule")
    arn = make(client, name)
    assert arn == f"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}"
    found = client("scheduler").get_schedule(Name=name)
    assert found.pop("CreationDate") == found.pop("LastModificationDate")
    del found["ResponseMetadata"]
    assert found == {
        "ActionAfterCompletion": "NONE",
        "Arn": arn,
        "FlexibleTimeWindow": OFF,
        "GroupName": "default",
        "Name": name,
        "ScheduleExpression": FAR,
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "Target": {**TARGET, "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}},
    }


def test_an_update_sets_everything_anew(client: Client, unique: Unique) -> None:
    name = unique("schedule")
    make(client, name, Description="old", State="DISABLED")
    client("scheduler").update_schedule(
        Name=name,
        ScheduleExpression="rate(1 hours)",
        FlexibleTimeWindow=OFF,
        Target={**TARGET, "Input": "{}"},
        State="DISABLED",
    )
    found = client("scheduler").get_schedule(Name=name)
    assert "Description" not in found
    assert found["ScheduleExpression"] == "rate(1 hours)"
    assert found["Target"]["Input"] == "{}"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ScheduleExpression": "rate(foo minutes)"}, "Invalid Schedule Expression rate(foo minutes)."),
        ({"ScheduleExpression": "cron(0 1 * * * *)"}, "Invalid Schedule Expression cron(0 1 * * * *)."),
        ({"ScheduleExpression": "at(2021-12-31)"}, "Invalid Schedule Expression at(2021-12-31)."),
        ({"ScheduleExpressionTimezone": "Mars/North"}, "Invalid Schedule Expression Timezone Mars/North."),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes must be provided"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "must not be provided"),
        ({"Target": {**TARGET, "Arn": "no-arn"}}, "Provided Arn is not in correct format."),
        ({"Target": {**TARGET, "Arn": "arn:aws:nothing:us-east-1:000000000000:x"}}, "not in correct format."),
        ({"Target": {**TARGET, "Arn": "arn:aws:batch:us-east-1:000000000000:job-queue/x"}}, "not in correct format."),
        ({"Target": {**TARGET, "Arn": "arn:aws:kinesis:us-east-1:000000000000:stream/x"}}, "KinesisParameters"),
        ({"Target": {**TARGET, "Arn": "arn:aws:sqs:us-east-1:000000000000:x.fifo"}}, "MessageGroupId"),
        ({"Target": {**TARGET, "Arn": "arn:aws:scheduler:::aws-sdk:sqs"}}, "not in correct format."),
        ({"StartDate": datetime(2020, 1, 1, tzinfo=UTC)}, "cannot be earlier than 5 minutes ago."),
        ({"EndDate": datetime(2020, 1, 1, tzinfo=UTC)}, "EndDate"),
    ],
)
def test_a_wrong_schedule_is_refused(client: Client, unique: Unique, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as caught:
        make(client, unique("wrong"), **members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in caught.value.response["Error"]["Message"]


def test_names_are_taken_once_unless_the_token_is_the_same(client: Client, unique: Unique) -> None:
    name, token = unique("schedule"), unique("token")
    arn = make(client, name, ClientToken=token)
    assert make(client, name, ClientToken=token) == arn
    for members in ({}, {"ClientToken": token, "Description": "another"}):
        with pytest.raises(ClientError, match="ConflictException"):
            make(client, name, **members)
    scheduler, group = client("scheduler"), unique("group")
    made = scheduler.create_schedule_group(Name=group, ClientToken=token)
    assert (
        made["ScheduleGroupArn"] == scheduler.create_schedule_group(Name=group, ClientToken=token)["ScheduleGroupArn"]
    )
    with pytest.raises(ClientError, match=f"Schedule group {group} already exists"):
        scheduler.create_schedule_group(Name=group)


def test_what_is_not_there_says_so(client: Client, unique: Unique) -> None:
    scheduler, name = client("scheduler"), unique("none")
    with pytest.raises(ClientError, match=f"Schedule {name} does not exist."):
        scheduler.get_schedule(Name=name)
    with pytest.raises(ClientError, match=f"Schedule group {name} does not exist."):
        scheduler.get_schedule(Name=name, GroupName=name)
    with pytest.raises(ClientError, match=f"Schedule group {name} does not exist."):
        make(client, name, GroupName=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scheduler.delete_schedule(Name=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scheduler.delete_schedule_group(Name=name)
    with pytest.raises(ClientError, match="ValidationException"):
        scheduler.delete_schedule_group(Name="default")


def test_lists_come_in_pages(client: Client, unique: Unique) -> None:
    scheduler, group = client("scheduler"), unique("group")
    scheduler.create_schedule_group(Name=group)
    for number in range(5):
        make(client, f"s{number}", GroupName=group, State="DISABLED" if number == 3 else "ENABLED")
    first = scheduler.list_schedules(GroupName=group, MaxResults=2)
    assert [entry["Name"] for entry in first["Schedules"]] == ["s0", "s1"]
    assert first["Schedules"][0]["Target"] == {"Arn": TARGET["Arn"]}
    rest = scheduler.list_schedules(GroupName=group, NextToken=first["NextToken"], State="ENABLED")
    assert [entry["Name"] for entry in rest["Schedules"]] == ["s2", "s4"]
    assert "NextToken" not in rest
    pages = scheduler.get_paginator("list_schedules").paginate(NamePrefix="s", PaginationConfig={"PageSize": 1})
    listed = [entry["Name"] for page in pages for entry in page["Schedules"] if entry["GroupName"] == group]
    assert listed == [f"s{number}" for number in range(5)]
    with pytest.raises(ClientError, match="ValidationException"):
        scheduler.list_schedules(NextToken="!!")


def test_groups_have_tags(client: Client, unique: Unique) -> None:
    scheduler, group = client("scheduler"), unique("group")
    arn = scheduler.create_schedule_group(Name=group, Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    found = scheduler.get_schedule_group(Name=group)
    assert (found["Arn"], found["State"]) == (arn, "ACTIVE")
    names = [entry["Name"] for entry in scheduler.list_schedule_groups(NamePrefix=group[:5])["ScheduleGroups"]]
    assert group in names
    assert scheduler.get_schedule_group(Name="default")["Name"] == "default"


def test_dates_come_back(client: Client, unique: Unique) -> None:
    name, start = unique("dated"), datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    make(client, name, StartDate=start, EndDate=start + timedelta(days=1))
    found = client("scheduler").get_schedule(Name=name)
    assert (found["StartDate"], found["EndDate"]) == (start, start + timedelta(days=1))
