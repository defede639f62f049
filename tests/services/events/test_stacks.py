"""Rules, buses, archives and schedules of CloudFormation are real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from tests.conftest import RunningEmulator

Client = Callable[..., Any]
Unique = Callable[..., str]


def existing(emulator: RunningEmulator, kind: str) -> set[str]:
    """The names of what exists of a type."""
    with urlopen(f"{emulator.url}/_localstack/resources", timeout=30) as answer:
        lines = [json.loads(line) for line in answer]
    return {entry["id"] for line in lines for entry in line.get(kind, [])}


def test_a_stack_wires_events_to_a_queue(client: Client, unique: Unique, emulator: RunningEmulator) -> None:
    name = unique("stack")
    body = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": name}},
            "Archive": {
                "Type": "AWS::Events::Archive",
                "Properties": {"ArchiveName": name, "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, "RetentionDays": 1},
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventBusName": {"Ref": "Bus"},
                    "EventPattern": {"source": [name], "detail": {"n": [{"numeric": [">", 1]}]}},
                    "Targets": [{"Id": "queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "InputPath": "$.detail"}],
                },
            },
            "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": name}},
            "Schedule": {
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {
                    "Name": name,
                    "GroupName": {"Ref": "Group"},
                    "ScheduleExpression": "cron(0 0 1 1 ? 2190)",
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "Target": {
                        "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "RoleArn": "arn:aws:iam::000000000000:role/r",
                        "Input": "{}",
                    },
                },
            },
        },
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
    }
    stacks = client("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(body))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    url = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"][0]["OutputValue"]
    entries = [
        {"Source": name, "DetailType": "t", "Detail": json.dumps({"n": number}), "EventBusName": name}
        for number in (1, 2)
    ]
    client("events").put_events(Entries=entries)
    messages = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"]) for message in messages] == [{"n": 2}]
    assert client("events").describe_archive(ArchiveName=name)["EventCount"] == 2
    assert client("scheduler").get_schedule(Name=name, GroupName=name)["State"] == "ENABLED"
    assert existing(emulator, "AWS::Events::EventBus") >= {name}
    assert existing(emulator, "AWS::Scheduler::Schedule") >= {name}
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert name not in [bus["Name"] for bus in client("events").list_event_buses()["EventBuses"]]
    assert client("scheduler").list_schedules(NamePrefix=name)["Schedules"] == []
