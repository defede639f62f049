"""Sending events, and trying patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from cloudlet.emulator.effects.clock import Clock
from cloudlet.emulator.eventing.patterns import matches, parse_pattern
from cloudlet.emulator.eventing.tokens import PatternError
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    PutEventsRequest,
    PutEventsResponse,
    PutPartnerEventsRequest,
    PutPartnerEventsResponse,
    TestEventPatternRequest,
    TestEventPatternResponse,
)
from cloudlet.emulator.services.events.errors import invalid, not_a_pattern
from cloudlet.emulator.services.events.lookup import Place, find_bus, place_of
from cloudlet.emulator.services.events.records import SOURCES
from cloudlet.emulator.services.events.routing import route

LARGEST_REQUEST = 256 * 1024
TIME_BYTES = 14  # "Calculating PutEvents event entry size"
REQUIRED = ("Source", "DetailType", "Detail")
EVENT_FIELDS = frozenset({"source", "detail-type", "detail"})  # of which one tells an event from anything else


@read_write
def put_events(call: Call, request: PutEventsRequest) -> PutEventsResponse:
    """Entries fail one by one; an event for a bus that is not there is dropped. Raises ValidationException."""
    entries: list[Mapping[str, Any]] = request["Entries"]  # type: ignore[assignment]
    check_size(entries)
    results = [put_entry(call, entry) for entry in entries]
    failed = sum("ErrorCode" in result for result in results)
    return {"FailedEntryCount": failed, "Entries": results}  # type: ignore[typeddict-item]


def check_size(entries: list[Mapping[str, Any]]) -> None:
    if sum(size_of(entry) for entry in entries) > LARGEST_REQUEST:
        raise invalid("Total size of the entries in the request is over the limit.")


def size_of(entry: Mapping[str, Any]) -> int:
    texts = [entry.get(name, "") for name in REQUIRED] + list(entry.get("Resources", ()))
    return sum(len(text.encode()) for text in texts) + (TIME_BYTES if "Time" in entry else 0)


def put_entry(call: Call, entry: Mapping[str, Any]) -> dict[str, Any]:
    for name in REQUIRED:
        if not entry.get(name):
            reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
    if entry["Source"].startswith("aws.") and call.principal.kind != "service":
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    return accept(call, entry, place_of(call, entry.get("EventBusName")))


def accept(call: Call, entry: Mapping[str, Any], place: Place) -> dict[str, Any]:
    try:
        detail = orjson.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    moment = entry.get("Time", call.now)
    event = {
        "version": "0",
        "id": call.ids.uuid(),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": call.account_id,
        "time": f"{Clock.iso_seconds(moment)}Z",
        "region": call.region,
        "resources": list(entry.get("Resources", ())),
        "detail": detail,
    }
    if find_bus(call, place) is not None:
        route(call.at(place.account_id, place.region), place, event, moment=moment)
    return {"EventId": event["id"]}


@read_write
def put_partner_events(call: Call, request: PutPartnerEventsRequest) -> PutPartnerEventsResponse:
    """To the bus of every account that the source is shared with and that made a bus for it."""
    results = []
    for entry in request["Entries"]:
        missing = next((name for name in REQUIRED if not entry.get(name)), None)
        if missing is not None:
            reason = f"Parameter {missing} is not valid. Reason: {missing} is a required argument."
            results.append({"ErrorCode": "InvalidArgument", "ErrorMessage": reason})
            continue
        shared = list(SOURCES.lookup(call.tx, "by_partner", call.account_id, call.region, entry["Source"]))
        places = [Place(source.account_id, source.region, source.name) for source in shared if source.state == "ACTIVE"]
        result: dict[str, Any] = {"EventId": call.ids.uuid()}
        for place in places:
            result = accept(call.at(place.account_id, place.region), entry, place)
        results.append(result)
    failed = sum("ErrorCode" in result for result in results)
    return {"FailedEntryCount": failed, "Entries": results}  # type: ignore[typeddict-item]


@read_only
def test_event_pattern(call: Call, request: TestEventPatternRequest) -> TestEventPatternResponse:
    """Raises InvalidEventPatternException, ValidationException for an event that is none."""
    try:
        event = orjson.loads(request["Event"])
    except ValueError:
        event = None
    if not isinstance(event, dict) or event.keys().isdisjoint(EVENT_FIELDS):
        raise invalid("Parameter Event is not valid.")
    try:
        pattern = parse_pattern(request["EventPattern"])
    except PatternError as error:
        raise not_a_pattern(str(error)) from error
    return {"Result": matches(pattern, event)}
