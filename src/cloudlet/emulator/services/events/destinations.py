"""API destinations: web servers as targets."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.addresses import check_address
from cloudlet.emulator.services.events.api import (
    CreateApiDestinationRequest,
    CreateApiDestinationResponse,
    DeleteApiDestinationRequest,
    DeleteApiDestinationResponse,
    DescribeApiDestinationRequest,
    DescribeApiDestinationResponse,
    ListApiDestinationsRequest,
    ListApiDestinationsResponse,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    UpdateApiDestinationRequest,
    UpdateApiDestinationResponse,
)
from cloudlet.emulator.services.events.connections import connection_arn
from cloudlet.emulator.services.events.errors import no_such_destination
from cloudlet.emulator.services.events.lookup import arn_of, by_name, named
from cloudlet.emulator.services.events.paging import page
from cloudlet.emulator.services.events.records import CONNECTIONS, DESTINATIONS, Destination

RATE_LIMIT = 300  # invocations a second, where nobody says


@read_write
def create_api_destination(call: Call, request: CreateApiDestinationRequest) -> CreateApiDestinationResponse:
    """Raises ResourceAlreadyExistsException, ResourceNotFoundException for the connection, ValidationException."""
    name = request["Name"]
    if DESTINATIONS.exists(call.tx, call.account_id, call.region, name):
        raise ResourceAlreadyExistsException(f"An api-destination '{name}' already exists.")
    check_address("InvocationEndpoint", request["InvocationEndpoint"])
    check_connection(call, request["ConnectionArn"])
    destination = Destination(
        call.account_id,
        call.region,
        name,
        call.ids.uuid(),
        call.now,
        call.now,
        request["ConnectionArn"],
        request["InvocationEndpoint"],
        request["HttpMethod"],
        request.get("InvocationRateLimitPerSecond", RATE_LIMIT),
        request.get("Description", ""),
    )
    DESTINATIONS.put(call.tx, destination)
    return outcome(call, destination)  # type: ignore[return-value]


def check_connection(call: Call, arn: str) -> None:
    """Raises ResourceNotFoundException."""
    connection = CONNECTIONS.get(call.tx, call.account_id, call.region, arn.split("/")[1])
    if connection is None or connection_arn(call, connection) != arn:
        raise ResourceNotFoundException(f"Connection '{arn}' does not exist.")


@read_write
def update_api_destination(call: Call, request: UpdateApiDestinationRequest) -> UpdateApiDestinationResponse:
    """What is not given stays. Raises ResourceNotFoundException, ValidationException."""
    before = destination_of(call, request["Name"])
    if "ConnectionArn" in request:
        check_connection(call, request["ConnectionArn"])
    if "InvocationEndpoint" in request:
        check_address("InvocationEndpoint", request["InvocationEndpoint"])
    changed = replace(
        before,
        modified=call.now,
        connection_arn=request.get("ConnectionArn", before.connection_arn),
        endpoint=request.get("InvocationEndpoint", before.endpoint),
        method=request.get("HttpMethod", before.method),
        rate_limit=request.get("InvocationRateLimitPerSecond", before.rate_limit),
        description=request.get("Description", before.description),
    )
    DESTINATIONS.put(call.tx, changed)
    return outcome(call, changed)  # type: ignore[return-value]


@read_write
def delete_api_destination(call: Call, request: DeleteApiDestinationRequest) -> DeleteApiDestinationResponse:
    """Raises ResourceNotFoundException."""
    destination = destination_of(call, request["Name"])
    DESTINATIONS.delete(call.tx, destination.account_id, destination.region, destination.name)
    return {}


@read_only
def describe_api_destination(call: Call, request: DescribeApiDestinationRequest) -> DescribeApiDestinationResponse:
    """Raises ResourceNotFoundException."""
    destination = destination_of(call, request["Name"])
    found = summary(call, destination)
    if destination.description:
        found["Description"] = destination.description
    return found  # type: ignore[return-value]


@read_only
def list_api_destinations(call: Call, request: ListApiDestinationsRequest) -> ListApiDestinationsResponse:
    """By name. Raises ValidationException."""
    connection = request.get("ConnectionArn")
    scanned = by_name(call, DESTINATIONS, request)
    wanted = (
        (destination.name, summary(call, destination))
        for destination in scanned
        if connection in (None, destination.connection_arn)
    )
    found, token = page(wanted, request)
    return {"ApiDestinations": found, **token}  # type: ignore[typeddict-item]


def destination_of(call: Call, name: str) -> Destination:
    """Raises ResourceNotFoundException."""
    return named(call, DESTINATIONS, name, no_such_destination)


def outcome(call: Call, destination: Destination) -> dict[str, Any]:
    path = f"api-destination/{destination.name}/{destination.identifier}"
    return {
        "ApiDestinationArn": arn_of(call, destination.account_id, destination.region, path),
        "ApiDestinationState": "ACTIVE",
        "CreationTime": destination.created,
        "LastModifiedTime": destination.modified,
    }


def summary(call: Call, destination: Destination) -> dict[str, Any]:
    return {
        **outcome(call, destination),
        "Name": destination.name,
        "ConnectionArn": destination.connection_arn,
        "InvocationEndpoint": destination.endpoint,
        "HttpMethod": destination.method,
        "InvocationRateLimitPerSecond": destination.rate_limit,
    }
