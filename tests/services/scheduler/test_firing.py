"""Schedules run their targets: when, how often, and what becomes of those that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator
from tests.eventing.timed import BASE, ROLE, YEARS_ON, Timed


def test_a_rate_begins_at_once_and_never_drifts(timed: Timed) -> None:
    url, arn = timed.queue("rate")
    timed.schedule("every-five", "rate(5 minutes)", arn, {"Input": "<aws.scheduler.scheduled-time>"})
    timed.advance(1)
    assert timed.bodies(url) == ["2026-03-01T12:00:00Z"]
    timed.advance(298)
    assert timed.bodies(url) == []
    timed.advance(3600)
    assert timed.bodies(url) == [f"2026-03-01T{12 + n // 12}:{n % 12 * 5:02}:00Z" for n in range(1, 13)]


def test_once_runs_once_and_is_deleted_if_it_says_so(timed: Timed) -> None:
    url, arn = timed.queue("once")
    timed.schedule("stays", "at(2026-03-01T12:10:00)", arn)
    timed.schedule("goes", "at(2026-03-01T12:10:00)", arn, ActionAfterCompletion="DELETE")
    timed.schedule("past", "at(2026-03-01T11:00:00)", arn)
    timed.advance(599)
    assert timed.bodies(url) == []
    timed.advance(86400)
    assert sorted(timed.bodies(url)) == ["goes", "stays"]
    names = [entry["Name"] for entry in timed.client("scheduler").list_schedules()["Schedules"]]
    assert names == ["past", "stays"]


def test_cron_follows_the_clocks_of_its_zone(timed: Timed) -> None:
    url, arn = timed.queue("zone")
    text = {"Input": "<aws.scheduler.scheduled-time>"}
    timed.schedule("noon", "cron(0 12 * * ? *)", arn, text, ScheduleExpressionTimezone="America/New_York")
    timed.advance(8 * 86400)  # the clocks go forward on the 8th
    found = timed.bodies(url)
    assert found[0] == "2026-03-01T17:00:00Z"
    assert found[-1] == "2026-03-08T16:00:00Z"
    assert len(found) == 8


def test_start_and_end_dates_are_limits(timed: Timed) -> None:
    url, arn = timed.queue("dates")
    start = datetime.fromtimestamp(BASE, UTC) + timedelta(hours=1)
    timed.schedule("between", "rate(10 minutes)", arn, StartDate=start, EndDate=start + timedelta(minutes=25))
    timed.schedule("daily", "cron(0 * * * ? *)", arn, StartDate=start, EndDate=start + timedelta(minutes=90))
    timed.advance(3599)
    assert timed.bodies(url) == []
    timed.advance(86400)
    assert sorted(timed.bodies(url)) == ["between"] * 3 + ["daily"] * 2


def test_a_flexible_window_runs_within_it(timed: Timed) -> None:
    url, arn = timed.queue("flexible")
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    timed.schedule("loose", "at(2026-03-01T13:00:00)", arn, FlexibleTimeWindow=window)
    timed.advance(3599)
    assert timed.bodies(url) == []
    timed.advance(901)
    assert timed.bodies(url) == ["loose"]


def test_a_disabled_or_deleted_schedule_does_not_run(timed: Timed) -> None:
    url, arn = timed.queue("off")
    scheduler = timed.client("scheduler")
    timed.schedule("off", "at(2026-03-01T13:00:00)", arn, State="DISABLED")
    timed.schedule("gone", "at(2026-03-01T13:00:00)", arn)
    scheduler.delete_schedule(Name="gone")
    scheduler.create_schedule_group(Name="group")
    timed.schedule("grouped", "at(2026-03-01T13:00:00)", arn, GroupName="group")
    scheduler.delete_schedule_group(Name="group")
    timed.schedule("moved", "at(2026-03-01T13:00:00)", arn)
    scheduler.update_schedule(
        Name="moved",
        ScheduleExpression="at(2026-03-01T15:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE, "Input": "moved"},
    )
    timed.advance(2 * 3600)
    assert timed.bodies(url) == []
    timed.advance(3600)
    assert timed.bodies(url) == ["moved"]


def test_a_reset_forgets_timers(timed: Timed) -> None:
    url, arn = timed.queue("reset")
    timed.schedule("later", "at(2026-03-01T13:00:00)", arn)
    with urlopen(f"{timed.emulator.url}/_localstack/state/scheduler/reset", data=b"", timeout=30):
        pass
    timed.advance(7200)
    assert timed.bodies(url) == []


def test_schedules_survive_a_restart(start_emulator: Callable[..., RunningEmulator]) -> None:
    timed = Timed(start_emulator(PERSISTENCE="1"), YEARS_ON)
    url, arn = timed.queue("kept")
    timed.schedule("later", "at(2096-03-01T13:00:00)", arn)
    timed.emulator.kill()
    timed.emulator.restart()
    timed.post("freeze", {"epoch": YEARS_ON})
    timed.advance(7200)
    assert timed.bodies(url) == ["later"]


def test_a_schedule_that_was_missed_runs_once(start_emulator: Callable[..., RunningEmulator]) -> None:
    timed = Timed(start_emulator(PERSISTENCE="1"), YEARS_ON)
    url, arn = timed.queue("missed")
    timed.schedule("minutely", "rate(1 minute)", arn)
    timed.advance(1)
    assert timed.bodies(url) == ["minutely"]
    timed.emulator.stop()
    timed.emulator.restart()
    timed.post("freeze", {"epoch": YEARS_ON + 86400 + 30})  # a day passed while nothing ran
    assert timed.emulator.wait_until(lambda: timed.bodies(url) == ["minutely"])
    timed.advance(30)
    assert timed.bodies(url) == ["minutely"]


def test_without_input_a_target_gets_the_event(timed: Timed) -> None:
    url, arn = timed.queue("event")
    made = timed.client("scheduler").create_schedule(
        Name="plain",
        ScheduleExpression="at(2026-03-01T12:01:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE},
    )["ScheduleArn"]
    timed.advance(60)
    (body,) = timed.bodies(url)
    event = json.loads(body)
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "000000000000",
        "time": "2026-03-01T12:01:00Z",
        "region": "us-east-1",
        "resources": [made],
        "detail": "{}",
    }


def test_fifo_queues_and_topics_are_targets(timed: Timed) -> None:
    url, arn = timed.queue("ordered.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    group = {"SqsParameters": {"MessageGroupId": "one"}}
    timed.schedule("ordered", "at(2026-03-01T12:01:00)", arn, group)
    other, queue = timed.queue("listening")
    topic = timed.client("sns").create_topic(Name="told")["TopicArn"]
    timed.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    timed.schedule("told", "at(2026-03-01T12:01:00)", topic)
    timed.advance(60)
    (message,) = timed.messages(url)
    assert (message["Body"], message["Attributes"]["MessageGroupId"]) == ("ordered", "one")
    (body,) = timed.bodies(other)
    assert json.loads(body)["Message"] == "told"


def test_universal_targets_call_any_operation(timed: Timed) -> None:
    url, _ = timed.queue("universal")
    sent = json.dumps({"QueueUrl": url, "MessageBody": "sent"})
    timed.schedule("send", "at(2026-03-01T12:01:00)", "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", {"Input": sent})
    value = json.dumps({"Name": "/made", "Value": "by schedule", "Type": "String"})
    timed.schedule("put", "at(2026-03-01T12:01:00)", "arn:aws:scheduler:::aws-sdk:ssm:putParameter", {"Input": value})
    timed.advance(60)
    assert timed.bodies(url) == ["sent"]
    assert timed.client("ssm").get_parameter(Name="/made")["Parameter"]["Value"] == "by schedule"


def test_kinesis_is_a_target(timed: Timed) -> None:
    kinesis = timed.client("kinesis")
    kinesis.create_stream(StreamName="stream", ShardCount=1)
    arn = kinesis.describe_stream_summary(StreamName="stream")["StreamDescriptionSummary"]["StreamARN"]
    key = {"KinesisParameters": {"PartitionKey": "key"}}
    timed.schedule("streamed", "at(2026-03-01T12:01:00)", arn, key)
    timed.advance(60)
    shard = kinesis.list_shards(StreamName="stream")["Shards"][0]["ShardId"]
    place = kinesis.get_shard_iterator(StreamName="stream", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = kinesis.get_records(ShardIterator=place["ShardIterator"])["Records"]
    assert (record["Data"], record["PartitionKey"]) == (b"streamed", "key")


def letter_of(timed: Timed, url: str) -> tuple[str, dict[str, str]]:
    (letter,) = timed.messages(url)
    return letter["Body"], {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}


def test_a_failed_target_writes_a_dead_letter(timed: Timed) -> None:
    url, arn = timed.queue("dead")
    missing = "arn:aws:sqs:us-east-1:000000000000:not-there"
    made = timed.schedule("fails", "at(2026-03-01T12:01:00)", missing, {"DeadLetterConfig": {"Arn": arn}})
    timed.advance(60)
    body, attributes = letter_of(timed, url)
    assert json.loads(body)["MessageBody"] == "fails"
    assert attributes.pop("EXECUTION_ID")
    assert attributes.pop("ERROR_MESSAGE")
    assert attributes == {
        "ERROR_CODE": "AWS.SimpleQueueService.NonExistentQueue",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULED_TIME": "2026-03-01T12:01:00Z",
        "SCHEDULE_ARN": made,
        "TARGET_ARN": missing,
    }


def test_a_bus_is_a_target(timed: Timed) -> None:
    url, queue = timed.queue("bus")
    events = timed.client("events")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["my.schedule"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": queue}])
    bus = events.describe_event_bus()["Arn"]
    parameters: dict[str, Any] = {"EventBridgeParameters": {"Source": "my.schedule", "DetailType": "Tick"}}
    timed.schedule("tick", "at(2026-03-01T12:01:00)", bus, {**parameters, "Input": '{"n": 1}'})
    timed.advance(60)
    (body,) = timed.bodies(url)
    event = json.loads(body)
    assert (event["source"], event["detail-type"], event["detail"]) == ("my.schedule", "Tick", {"n": 1})


def test_a_universal_target_that_reads_is_refused(timed: Timed) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        timed.schedule("reads", "rate(1 hour)", "arn:aws:scheduler:::aws-sdk:sqs:receiveMessage", {"Input": "{}"})
