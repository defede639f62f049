"""Event buses, and who may send to them."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    CreateEventBusRequest,
    CreateEventBusResponse,
    DeleteEventBusRequest,
    DescribeEventBusRequest,
    DescribeEventBusResponse,
    ListEventBusesRequest,
    ListEventBusesResponse,
    UpdateEventBusRequest,
    UpdateEventBusResponse,
)
from cloudlet.emulator.services.events.errors import exists, invalid, no_such_source
from cloudlet.emulator.services.events.lookup import DEFAULT, bus_arn, bus_of, find_bus, place_of
from cloudlet.emulator.services.events.paging import after_token, page
from cloudlet.emulator.services.events.records import BUSES, RULES, SOURCES, Bus
from cloudlet.emulator.services.events.tags import tags_in

PARTNER = "aws.partner/"
DETAILS = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")


@read_write
def create_event_bus(call: Call, request: CreateEventBusRequest) -> CreateEventBusResponse:
    """Raises ResourceAlreadyExistsException, ResourceNotFoundException for a partner's source, ValidationException."""
    name = request["Name"]
    source_name = request.get("EventSourceName")
    if source_name is None and "/" in name:
        raise invalid("Event bus name must not contain '/'.")
    place = place_of(call, name)
    if find_bus(call, place) is not None:
        raise exists(f"Event bus {name}")
    if source_name is not None:
        source = SOURCES.get(call.tx, call.account_id, call.region, source_name)
        if source is None:
            raise no_such_source(source_name)
        SOURCES.put(call.tx, replace(source, state="ACTIVE"))
    details = {member: request[member] for member in DETAILS if member in request}  # type: ignore[literal-required]
    bus = Bus(*place, call.now, call.now, details, [], tags_in(request))
    BUSES.put(call.tx, bus)
    return {"EventBusArn": bus_arn(call, bus), **details}  # type: ignore[typeddict-item]


@read_write
def update_event_bus(call: Call, request: UpdateEventBusRequest) -> UpdateEventBusResponse:
    """What is not given goes. Raises ResourceNotFoundException."""
    bus = bus_of(call, request.get("Name"))
    details = {member: request[member] for member in DETAILS if member in request}  # type: ignore[literal-required]
    BUSES.put(call.tx, replace(bus, details=details, modified=call.now))
    return {"Arn": bus_arn(call, bus), "Name": bus.name, **details}  # type: ignore[typeddict-item]


@read_write
def delete_event_bus(call: Call, request: DeleteEventBusRequest) -> dict[str, Any]:
    """One that is not there is fine. Raises ValidationException for `default`, and while it has rules."""
    place = place_of(call, request["Name"])
    if place.bus == DEFAULT:
        raise invalid("Cannot delete event bus default.")
    if any(RULES.scan(call.tx, *place, limit=1)):
        raise invalid(f"Cannot delete event bus {place.bus}: it has rules.")
    BUSES.delete(call.tx, *place)
    return {}


@read_only
def describe_event_bus(call: Call, request: DescribeEventBusRequest) -> DescribeEventBusResponse:
    """Raises ResourceNotFoundException."""
    bus = bus_of(call, request.get("Name"))
    return {**summary(call, bus), **bus.details}  # type: ignore[typeddict-item]


@read_only
def list_event_buses(call: Call, request: ListEventBusesRequest) -> ListEventBusesResponse:
    """By name. Raises ValidationException."""
    after = after_token(request)
    prefix = request.get("NamePrefix", "")
    stored = {bus.name: bus for bus in BUSES.scan(call.tx, call.account_id, call.region)}
    stored.setdefault(DEFAULT, bus_of(call, None))
    wanted = (
        (name, summary(call, stored[name]))
        for name in sorted(stored)
        if name.startswith(prefix) and (after is None or name > after[0])
    )
    found, token = page(wanted, request)
    return {"EventBuses": found, **token}  # type: ignore[typeddict-item]


def summary(call: Call, bus: Bus) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Name": bus.name,
        "Arn": bus_arn(call, bus),
        "CreationTime": bus.created,
        "LastModifiedTime": bus.modified,
    }
    if "Description" in bus.details:
        found["Description"] = bus.details["Description"]
    if bus.statements:
        found["Policy"] = orjson.dumps({"Version": bus.version, "Statement": bus.statements}).decode()
    return found
