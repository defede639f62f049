"""Replays: archived events of a stretch of time, sent to the rules of their bus again."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.effects.jobs import cancel_key, enqueue
from cloudlet.emulator.eventing.arns import parse_arn
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    CancelReplayRequest,
    CancelReplayResponse,
    DescribeReplayRequest,
    DescribeReplayResponse,
    ListReplaysRequest,
    ListReplaysResponse,
    StartReplayRequest,
    StartReplayResponse,
)
from cloudlet.emulator.services.events.archives import check_filters
from cloudlet.emulator.services.events.errors import exists, no_such_replay, not_valid, wrong_state
from cloudlet.emulator.services.events.lookup import arn_of, bus_of, by_name, named
from cloudlet.emulator.services.events.paging import page
from cloudlet.emulator.services.events.records import ARCHIVES, REPLAYS, Archive, Replay

REPLAY = "events.replay"


@read_write
def start_replay(call: Call, request: StartReplayRequest) -> StartReplayResponse:
    """Raises ResourceAlreadyExistsException, ResourceNotFoundException for the bus, ValidationException."""
    name, source, destination = request["ReplayName"], request["EventSourceArn"], request["Destination"]
    archive = check_places(call, source, destination["Arn"])
    begin, end = request["EventStartTime"], request["EventEndTime"]
    if begin >= end:
        raise not_valid("EventEndTime", "EventStartTime must be before EventEndTime.")
    if REPLAYS.exists(call.tx, call.account_id, call.region, name):
        raise exists(f"Replay {name}")
    replay = Replay(
        call.account_id,
        call.region,
        name,
        archive.name,
        source,
        dict(destination),
        request.get("Description", ""),
        begin,
        end,
        "STARTING",
        call.now,
    )
    REPLAYS.put(call.tx, replay)
    enqueue(
        call.tx,
        REPLAY,
        {"name": name},
        call.now,
        call.ids,
        key=key_of(replay),
        account_id=call.account_id,
        region=call.region,
    )
    return {**outcome(call, replay), "ReplayStartTime": replay.started}  # type: ignore[typeddict-item]


def check_places(call: Call, source: str, destination: str) -> Archive:
    """The archive. Raises ResourceNotFoundException for a bus, ValidationException."""
    bus = parse_arn(destination)
    if bus is None or not bus.resource.startswith("event-bus/"):
        raise not_valid("Destination.Arn", "Must contain an event bus ARN.")
    bus_of(call, destination)
    arn = parse_arn(source)
    if arn is None or not arn.resource.startswith("archive/"):
        raise not_valid("EventSourceArn", "Must contain an archive ARN.")
    name = arn.resource.removeprefix("archive/")
    archive = ARCHIVES.get(call.tx, call.account_id, call.region, name)
    if archive is None:
        raise not_valid("EventSourceArn", f"Archive {name} does not exist.")
    if archive.source_arn != destination:
        raise not_valid("Destination.Arn", "Cross event bus replay is not permitted.")
    return archive


@read_write
def cancel_replay(call: Call, request: CancelReplayRequest) -> CancelReplayResponse:
    """Raises IllegalStatusException for one that is over, ResourceNotFoundException."""
    replay = replay_of(call, request["ReplayName"])
    if replay.state not in ("STARTING", "RUNNING"):
        raise wrong_state(replay.name)
    cancel_key(call.tx, REPLAY, key_of(replay))
    REPLAYS.put(call.tx, replace(replay, state="CANCELLED", ended=call.now))
    return outcome(call, replace(replay, state="CANCELLING"))  # type: ignore[return-value]


@read_only
def describe_replay(call: Call, request: DescribeReplayRequest) -> DescribeReplayResponse:
    """Raises ResourceNotFoundException."""
    replay = replay_of(call, request["ReplayName"])
    found = {**summary(replay), "ReplayArn": replay_arn(call, replay), "Destination": replay.destination}
    if replay.description:
        found["Description"] = replay.description
    return found  # type: ignore[return-value]


@read_only
def list_replays(call: Call, request: ListReplaysRequest) -> ListReplaysResponse:
    """By name, narrowed down in one way. Raises ValidationException."""
    check_filters(request, "ListReplays")
    source, state = request.get("EventSourceArn"), request.get("State")
    scanned = by_name(call, REPLAYS, request)
    wanted = (
        (replay.name, summary(replay))
        for replay in scanned
        if source in (None, replay.source_arn) and state in (None, replay.state)
    )
    found, token = page(wanted, request)
    return {"Replays": found, **token}  # type: ignore[typeddict-item]


def replay_of(call: Call, name: str) -> Replay:
    """Raises ResourceNotFoundException."""
    return named(call, REPLAYS, name, no_such_replay)


def replay_arn(call: Call, replay: Replay) -> str:
    return arn_of(call, replay.account_id, replay.region, f"replay/{replay.name}")


def key_of(replay: Replay) -> str:
    return f"{replay.account_id}/{replay.region}/{replay.name}"


def outcome(call: Call, replay: Replay) -> dict[str, Any]:
    return {"ReplayArn": replay_arn(call, replay), "State": replay.state}


def summary(replay: Replay) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ReplayName": replay.name,
        "EventSourceArn": replay.source_arn,
        "State": replay.state,
        "EventStartTime": replay.begin,
        "EventEndTime": replay.end,
        "ReplayStartTime": replay.started,
    }
    if replay.last_event:
        found["EventLastReplayedTime"] = replay.last_event
    if replay.ended:
        found["ReplayEndTime"] = replay.ended
    return found
