"""Rules with schedules run by the emulator's clock, and by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.conftest import RunningEmulator
from tests.eventing.timed import YEARS_ON, Timed


def rule(timed: Timed, name: str, expression: str, arn: str, **target: Any) -> str:
    events = timed.client("events")
    made: str = events.put_rule(Name=name, ScheduleExpression=expression)["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, **target}])
    return made


def test_a_rate_runs_its_rule_again_and_again(timed: Timed) -> None:
    url, arn = timed.queue("rate")
    made = rule(timed, "five", "rate(5 minutes)", arn)
    timed.advance(299)
    assert timed.bodies(url) == []
    timed.advance(602)
    events = [json.loads(body) for body in timed.bodies(url)]
    assert all(event.pop("id") for event in events)
    assert events == [
        {
            "version": "0",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": f"2026-03-01T12:{minute:02}:00Z",
            "region": "us-east-1",
            "resources": [made],
            "detail": {},
        }
        for minute in (5, 10, 15)
    ]


def test_cron_runs_its_rule_in_utc(timed: Timed) -> None:
    url, arn = timed.queue("cron")
    rule(timed, "noon", "cron(30 12 ? * MON-FRI *)", arn, InputPath="$.time")
    timed.advance(3 * 86400)
    assert timed.bodies(url) == ['"2026-03-02T12:30:00Z"', '"2026-03-03T12:30:00Z"']


def test_a_rule_that_is_off_or_gone_does_not_run(timed: Timed) -> None:
    url, arn = timed.queue("off")
    events = timed.client("events")
    rule(timed, "off", "rate(1 minute)", arn)
    events.disable_rule(Name="off")
    rule(timed, "gone", "rate(1 minute)", arn)
    events.remove_targets(Rule="gone", Ids=["1"])
    events.delete_rule(Name="gone")
    rule(timed, "changed", "rate(1 minute)", arn)
    events.put_rule(Name="changed", EventPattern='{"source": ["x"]}')
    timed.advance(3600)
    assert timed.bodies(url) == []
    events.enable_rule(Name="off")
    timed.advance(61)
    assert len(timed.bodies(url)) == 1


def test_putting_the_same_rule_again_does_not_delay_it(timed: Timed) -> None:
    url, arn = timed.queue("again")
    for _ in range(3):
        rule(timed, "hourly", "rate(1 hour)", arn)
        timed.advance(1500)
    assert len(timed.bodies(url)) == 1


def test_resets_forget_timers(timed: Timed) -> None:
    url, arn = timed.queue("reset")
    rule(timed, "minutely", "rate(1 minute)", arn)
    with urlopen(f"{timed.emulator.url}/_localstack/state/events/reset", data=b"", timeout=30):
        pass
    timed.advance(3600)
    assert timed.bodies(url) == []


def test_rules_survive_a_restart_and_miss_what_they_missed(start_emulator: Callable[..., RunningEmulator]) -> None:
    timed = Timed(start_emulator(PERSISTENCE="1"), YEARS_ON)
    url, arn = timed.queue("kept")
    rule(timed, "minutely", "rate(1 minute)", arn)
    timed.emulator.kill()
    timed.emulator.restart()
    timed.post("freeze", {"epoch": YEARS_ON + 86400 + 30})  # a day passed while nothing ran
    assert timed.emulator.wait_until(lambda: len(timed.bodies(url)) == 1)
    timed.advance(30)
    assert len(timed.bodies(url)) == 1


def test_a_rule_runs_by_hand(timed: Timed) -> None:
    url, arn = timed.queue("hand")
    made = rule(timed, "yearly", "cron(0 0 1 1 ? *)", arn)
    events = timed.client("events")
    events.create_event_bus(Name="bus")
    other = events.put_rule(Name="on-bus", EventBusName="bus", EventPattern='{"source": ["x"]}')["RuleArn"]
    events.put_targets(Rule="on-bus", EventBusName="bus", Targets=[{"Id": "1", "Arn": arn}])
    for path in (quote(made, safe=""), made, other):
        with urlopen(f"{timed.emulator.url}/_aws/events/rules/{path}/trigger", timeout=30) as answer:
            assert answer.status == 200
    assert [json.loads(body)["resources"] for body in timed.bodies(url)] == [[made], [made], [other]]
    for path, status in (("arn:aws:events:us-east-1:000000000000:rule/none", 404), ("nonsense", 400)):
        with pytest.raises(HTTPError) as caught:
            urlopen(f"{timed.emulator.url}/_aws/events/rules/{path}/trigger", timeout=30)
        assert caught.value.code == status
        caught.value.close()
