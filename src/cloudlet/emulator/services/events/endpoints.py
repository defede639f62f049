"""Global endpoints: two buses in two regions. They are kept; nothing fails over, because nothing here fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.events.api import (
    CreateEndpointRequest,
    CreateEndpointResponse,
    DeleteEndpointRequest,
    DeleteEndpointResponse,
    DescribeEndpointRequest,
    DescribeEndpointResponse,
    ListEndpointsRequest,
    ListEndpointsResponse,
    UpdateEndpointRequest,
    UpdateEndpointResponse,
)
from cloudlet.emulator.services.events.errors import exists, invalid, no_such_endpoint
from cloudlet.emulator.services.events.lookup import arn_of, by_name, named
from cloudlet.emulator.services.events.paging import page
from cloudlet.emulator.services.events.records import ENDPOINTS, Endpoint

DETAILS = ("Description", "RoutingConfig", "ReplicationConfig", "EventBuses", "RoleArn")


@read_write
def create_endpoint(call: Call, request: CreateEndpointRequest) -> CreateEndpointResponse:
    """Raises ResourceAlreadyExistsException, ValidationException."""
    name = request["Name"]
    if ENDPOINTS.exists(call.tx, call.account_id, call.region, name):
        raise exists(f"EventBridge endpoint '{name}'")
    details = {"ReplicationConfig": {"State": "ENABLED"}, **details_in(request)}
    check_buses(details["EventBuses"])
    identifier = f"{call.ids.hex(10)}.{call.ids.hex(3)}"
    endpoint = Endpoint(call.account_id, call.region, name, identifier, call.now, call.now, details)
    ENDPOINTS.put(call.tx, endpoint)
    shown = {"Name": name, "Arn": endpoint_arn(call, endpoint), **details, "State": "CREATING"}
    shown.pop("Description", None)
    return shown  # type: ignore[return-value]


def details_in(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: request[name] for name in DETAILS if name in request}


def check_buses(buses: Any) -> None:
    """Raises ValidationException."""
    names = {entry["EventBusArn"].rpartition("/")[2] for entry in buses}
    regions = {entry["EventBusArn"].split(":")[3] for entry in buses}
    if len(names) != 1 or len(regions) != 2:
        raise invalid("The event buses of an endpoint must have the same name in different Regions.")


@read_write
def update_endpoint(call: Call, request: UpdateEndpointRequest) -> UpdateEndpointResponse:
    """What is not given stays. Raises ResourceNotFoundException, ValidationException."""
    before = endpoint_of(call, request["Name"])
    details = before.details | details_in(request)
    check_buses(details["EventBuses"])
    changed = replace(before, details=details, modified=call.now)
    ENDPOINTS.put(call.tx, changed)
    shown = summary(call, changed)
    for name in ("Description", "CreationTime", "LastModifiedTime"):
        shown.pop(name, None)
    return {**shown, "State": "UPDATING"}  # type: ignore[typeddict-item]


@read_write
def delete_endpoint(call: Call, request: DeleteEndpointRequest) -> DeleteEndpointResponse:
    """Raises ResourceNotFoundException."""
    endpoint = endpoint_of(call, request["Name"])
    ENDPOINTS.delete(call.tx, endpoint.account_id, endpoint.region, endpoint.name)
    return {}


@read_only
def describe_endpoint(call: Call, request: DescribeEndpointRequest) -> DescribeEndpointResponse:
    """Raises ResourceNotFoundException."""
    return summary(call, endpoint_of(call, request["Name"]))  # type: ignore[return-value]


@read_only
def list_endpoints(call: Call, request: ListEndpointsRequest) -> ListEndpointsResponse:
    """By name. Raises ValidationException."""
    home = request.get("HomeRegion", call.region)
    scanned = by_name(call, ENDPOINTS, request)
    wanted = ((endpoint.name, summary(call, endpoint)) for endpoint in scanned if endpoint.region == home)
    found, token = page(wanted, request)
    return {"Endpoints": found, **token}  # type: ignore[typeddict-item]


def endpoint_of(call: Call, name: str) -> Endpoint:
    """Raises ResourceNotFoundException."""
    return named(call, ENDPOINTS, name, no_such_endpoint)


def endpoint_arn(call: Call, endpoint: Endpoint) -> str:
    return arn_of(call, endpoint.account_id, endpoint.region, f"endpoint/{endpoint.name}")


def summary(call: Call, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "Name": endpoint.name,
        "Arn": endpoint_arn(call, endpoint),
        **endpoint.details,
        "EndpointId": endpoint.identifier,
        "EndpointUrl": f"https://{endpoint.identifier}.endpoint.events.amazonaws.com",
        "State": "ACTIVE",
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
    }
