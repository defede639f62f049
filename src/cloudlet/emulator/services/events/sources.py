"""Partner event sources: made by a partner for an account, which takes them on with a bus of the same name."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    ActivateEventSourceRequest,
    CreatePartnerEventSourceRequest,
    CreatePartnerEventSourceResponse,
    DeactivateEventSourceRequest,
    DeletePartnerEventSourceRequest,
    DescribeEventSourceRequest,
    DescribeEventSourceResponse,
    DescribePartnerEventSourceRequest,
    DescribePartnerEventSourceResponse,
    InvalidStateException,
    ListEventSourcesRequest,
    ListEventSourcesResponse,
    ListPartnerEventSourceAccountsRequest,
    ListPartnerEventSourceAccountsResponse,
    ListPartnerEventSourcesRequest,
    ListPartnerEventSourcesResponse,
)
from cloudlet.emulator.services.events.errors import exists, no_such_source
from cloudlet.emulator.services.events.lookup import by_name, named
from cloudlet.emulator.services.events.paging import after_token, page
from cloudlet.emulator.services.events.records import SOURCES, Source

EXPIRY_SECONDS = 14 * 86400.0  # a source that no account takes on


@read_write
def create_partner_event_source(
    call: Call, request: CreatePartnerEventSourceRequest
) -> CreatePartnerEventSourceResponse:
    """The caller is the partner. Raises ResourceAlreadyExistsException."""
    name, account = request["Name"], request["Account"]
    if SOURCES.exists(call.tx, account, call.region, name):
        raise exists(f"Event source {name}")
    SOURCES.put(call.tx, Source(account, call.region, name, call.account_id, call.now))
    return {"EventSourceArn": source_arn(call, call.region, name)}


@read_write
def delete_partner_event_source(call: Call, request: DeletePartnerEventSourceRequest) -> dict[str, Any]:
    """One that is not there is fine."""
    SOURCES.delete(call.tx, request["Account"], call.region, request["Name"])
    return {}


@read_only
def describe_partner_event_source(
    call: Call, request: DescribePartnerEventSourceRequest
) -> DescribePartnerEventSourceResponse:
    """Raises ResourceNotFoundException."""
    found = SOURCES.find(call.tx, "by_partner", call.account_id, call.region, request["Name"])
    if found is None:
        raise no_such_source(request["Name"])
    return {"Arn": source_arn(call, found.region, found.name), "Name": found.name}


@read_only
def list_partner_event_sources(call: Call, request: ListPartnerEventSourcesRequest) -> ListPartnerEventSourcesResponse:
    """Those that the caller made, by name. Raises ValidationException."""
    after = after_token(request)
    scanned = SOURCES.lookup(call.tx, "by_partner", call.account_id, call.region, starts_with=request["NamePrefix"])
    names = sorted({source.name for source in scanned})
    wanted = (
        (name, {"Arn": source_arn(call, call.region, name), "Name": name})
        for name in names
        if after is None or name > after[0]
    )
    found, token = page(wanted, request)
    return {"PartnerEventSources": found, **token}  # type: ignore[typeddict-item]


@read_only
def list_partner_event_source_accounts(
    call: Call, request: ListPartnerEventSourceAccountsRequest
) -> ListPartnerEventSourceAccountsResponse:
    """By account. Raises ResourceNotFoundException, ValidationException."""
    name, after = request["EventSourceName"], after_token(request)
    shared = list(SOURCES.lookup(call.tx, "by_partner", call.account_id, call.region, name))
    if not shared:
        raise no_such_source(name)
    wanted = (
        (source.account_id, {"Account": source.account_id, "CreationTime": source.created, "State": source.state})
        for source in sorted(shared, key=lambda source: source.account_id)
        if after is None or source.account_id > after[0]
    )
    found, token = page(wanted, request)
    return {"PartnerEventSourceAccounts": found, **token}  # type: ignore[typeddict-item]


@read_only
def describe_event_source(call: Call, request: DescribeEventSourceRequest) -> DescribeEventSourceResponse:
    """Raises ResourceNotFoundException."""
    return summary(call, source_of(call, request["Name"]))  # type: ignore[return-value]


@read_only
def list_event_sources(call: Call, request: ListEventSourcesRequest) -> ListEventSourcesResponse:
    """Those that partners made for the caller, by name. Raises ValidationException."""
    scanned = by_name(call, SOURCES, request)
    found, token = page(((source.name, summary(call, source)) for source in scanned), request)
    return {"EventSources": found, **token}  # type: ignore[typeddict-item]


@read_write
def activate_event_source(call: Call, request: ActivateEventSourceRequest) -> dict[str, Any]:
    """Raises InvalidStateException for one without a bus, ResourceNotFoundException."""
    return switch(call, request["Name"], "ACTIVE")


@read_write
def deactivate_event_source(call: Call, request: DeactivateEventSourceRequest) -> dict[str, Any]:
    """Raises InvalidStateException for one without a bus, ResourceNotFoundException."""
    return switch(call, request["Name"], "DEACTIVATED")


def switch(call: Call, name: str, state: str) -> dict[str, Any]:
    source = source_of(call, name)
    if source.state == "PENDING":
        raise InvalidStateException(f"Event source {name} is not in a valid state for this operation.")
    SOURCES.put(call.tx, replace(source, state=state))
    return {}


def source_of(call: Call, name: str) -> Source:
    """Raises ResourceNotFoundException."""
    return named(call, SOURCES, name, no_such_source)


def source_arn(call: Call, region: str, name: str) -> str:
    return f"arn:{call.partition}:events:{region}::event-source/{name}"


def summary(call: Call, source: Source) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Arn": source_arn(call, source.region, source.name),
        "CreatedBy": source.partner,
        "CreationTime": source.created,
        "Name": source.name,
        "State": "PENDING" if source.state == "DEACTIVATED" else source.state,
    }
    if source.state == "PENDING":
        found["ExpirationTime"] = source.created + EXPIRY_SECONDS
    return found
