"""Archives keep what their pattern wants, and replays send it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.eventing.timed import BASE, Timed

Client = Callable[..., Any]
Unique = Callable[..., str]
DEFAULT = "arn:aws:events:us-east-1:000000000000:event-bus/default"


def put(client: Client, source: str, number: int) -> None:
    entry = {"Source": source, "DetailType": "t", "Detail": json.dumps({"n": number})}
    assert client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_replays_send_what_was_kept(timed: Timed) -> None:
    events = timed.client("events")
    url, arn = timed.queue("replayed")
    rules = [
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["kept"]}))["RuleArn"] for name in ("one", "two")
    ]
    for name in ("one", "two"):
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
    archive = events.create_archive(
        ArchiveName="archive",
        EventSourceArn=DEFAULT,
        EventPattern=json.dumps({"detail": {"n": [{"numeric": [">", 0]}]}}),
    )["ArchiveArn"]
    for number in range(4):
        put(timed.client, "kept", number)
        timed.advance(60)
    assert len(timed.bodies(url)) == 8
    assert events.describe_archive(ArchiveName="archive")["EventCount"] == 3
    start = datetime.fromtimestamp(BASE, UTC)
    made = events.start_replay(
        ReplayName="again",
        EventSourceArn=archive,
        EventStartTime=start,
        EventEndTime=start + timedelta(seconds=150),
        Destination={"Arn": DEFAULT, "FilterArns": [rules[0]]},
    )
    assert made["State"] == "STARTING"
    timed.advance(1)
    replayed = [json.loads(body) for body in timed.bodies(url)]
    assert [(event["detail"]["n"], event["replay-name"]) for event in replayed] == [(1, "again"), (2, "again")]
    found = events.describe_replay(ReplayName="again")
    assert (found["State"], found["EventLastReplayedTime"]) == ("COMPLETED", start + timedelta(seconds=120))
    assert events.describe_archive(ArchiveName="archive")["EventCount"] == 3
    with pytest.raises(ClientError, match="IllegalStatusException"):
        events.cancel_replay(ReplayName="again")


def test_long_replays_go_on_and_can_be_cancelled(timed: Timed) -> None:
    events = timed.client("events")
    url, arn = timed.queue("many")
    events.put_rule(Name="replays", EventPattern=json.dumps({"replay-name": [{"exists": True}]}))
    events.put_targets(Rule="replays", Targets=[{"Id": "1", "Arn": arn}])
    archive = events.create_archive(ArchiveName="many", EventSourceArn=DEFAULT)["ArchiveArn"]
    entries = [{"Source": "kept", "DetailType": "t", "Detail": "{}"}] * 10
    for _ in range(12):
        events.put_events(Entries=entries)
    start = datetime.fromtimestamp(BASE, UTC)
    span = {"EventStartTime": start - timedelta(hours=1), "EventEndTime": start + timedelta(hours=1)}
    for name in ("all", "none"):
        events.start_replay(ReplayName=name, EventSourceArn=archive, Destination={"Arn": DEFAULT}, **span)
    try:
        assert events.cancel_replay(ReplayName="none")["State"] == "CANCELLING"
    except events.exceptions.IllegalStatusException:  # it was faster
        assert events.describe_replay(ReplayName="none")["State"] == "COMPLETED"
    timed.advance(1)
    found = timed.bodies(url)
    assert sum(json.loads(body)["replay-name"] == "all" for body in found) == 120
    assert events.describe_replay(ReplayName="all")["State"] == "COMPLETED"


def test_archives_forget_what_is_too_old(timed: Timed) -> None:
    events = timed.client("events")
    events.create_archive(ArchiveName="short", EventSourceArn=DEFAULT, RetentionDays=1)
    put(timed.client, "kept", 1)
    timed.advance(2 * 86400)
    put(timed.client, "kept", 2)
    found = events.describe_archive(ArchiveName="short")
    assert (found["EventCount"], found["RetentionDays"]) == (1, 1)


def test_archives_are_described_changed_and_listed(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("archive")
    events.create_archive(ArchiveName=name, EventSourceArn=DEFAULT, Description="d", EventPattern='{"source": ["x"]}')
    events.update_archive(ArchiveName=name, RetentionDays=3)
    found = events.describe_archive(ArchiveName=name)
    assert (found["Description"], found["RetentionDays"], found["State"]) == ("d", 3, "ENABLED")
    assert [entry["ArchiveName"] for entry in events.list_archives(NamePrefix=name)["Archives"]] == [name]
    assert name in [entry["ArchiveName"] for entry in events.list_archives(EventSourceArn=DEFAULT)["Archives"]]
    with pytest.raises(ClientError, match="At most one filter is allowed for ListArchives"):
        events.list_archives(NamePrefix=name, State="ENABLED")
    with pytest.raises(ClientError, match=f"Archive {name} already exists"):
        events.create_archive(ArchiveName=name, EventSourceArn=DEFAULT)
    with pytest.raises(ClientError, match="At least one of EventPattern, RetentionDays or Description"):
        events.update_archive(ArchiveName=name)
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        events.update_archive(ArchiveName=name, EventPattern="{}")
    events.delete_archive(ArchiveName=name)
    with pytest.raises(ClientError, match=f"Archive {name} does not exist"):
        events.describe_archive(ArchiveName=name)


def test_a_wrong_replay_is_refused(client: Client, unique: Unique) -> None:
    events, name = client("events"), unique("replay")
    archive = events.create_archive(ArchiveName=name, EventSourceArn=DEFAULT)["ArchiveArn"]
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    now = datetime.now(UTC)
    good = {
        "ReplayName": name,
        "EventSourceArn": archive,
        "EventStartTime": now - timedelta(hours=1),
        "EventEndTime": now,
        "Destination": {"Arn": DEFAULT},
    }
    for members, message in (
        ({"EventEndTime": now - timedelta(hours=2)}, "EventStartTime must be before EventEndTime."),
        ({"EventSourceArn": archive + "x"}, f"Archive {name}x does not exist."),
        ({"EventSourceArn": bus}, "Must contain an archive ARN."),
        ({"Destination": {"Arn": archive}}, "Must contain an event bus ARN."),
        ({"Destination": {"Arn": bus}}, "Cross event bus replay is not permitted."),
        ({"Destination": {"Arn": bus + "x"}}, "does not exist."),
    ):
        with pytest.raises(ClientError, match=message):
            events.start_replay(**{**good, **members})
    events.start_replay(**good)
    with pytest.raises(ClientError, match=f"Replay {name} already exists"):
        events.start_replay(**good)
    assert [entry["ReplayName"] for entry in events.list_replays(NamePrefix=name)["Replays"]] == [name]
    with pytest.raises(ClientError, match="Replay none does not exist"):
        events.describe_replay(ReplayName="none")
