"""Platform endpoints: devices registered with a platform application."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns.api import (
    CreateEndpointResponse,
    CreatePlatformEndpointInput,
    DeleteEndpointInput,
    GetEndpointAttributesInput,
    GetEndpointAttributesResponse,
    ListEndpointsByPlatformApplicationInput,
    ListEndpointsByPlatformApplicationResponse,
    NotFoundException,
    SetEndpointAttributesInput,
)
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.lookup import check_arn, decode_token, page
from cloudlet.emulator.services.sns.platform_applications import application_of
from cloudlet.emulator.services.sns.records import ENDPOINTS, Endpoint

ATTRIBUTES = frozenset({"CustomUserData", "Enabled", "Token"})
LONGEST_USER_DATA = 2048


def endpoint_of(call: Call, arn: str) -> Endpoint:
    """Raises InvalidParameter, NotFound."""
    check_arn(arn, "EndpointArn")
    found = ENDPOINTS.get(call.tx, arn)
    if found is None:
        raise NotFoundException("Endpoint does not exist")
    return found


@read_write
def create_platform_endpoint(call: Call, request: CreatePlatformEndpointInput) -> CreateEndpointResponse:
    """The same token and attributes give the same endpoint. Raises InvalidParameter, NotFound."""
    application = application_of(call, request["PlatformApplicationArn"])
    token = request["Token"]
    attributes = dict(request.get("Attributes", {}))
    if "CustomUserData" in request:
        attributes.setdefault("CustomUserData", request["CustomUserData"])
    check_attributes(attributes)
    wanted = {"Enabled": "true", "Token": token, **attributes}
    wanted["Enabled"] = wanted["Enabled"].lower()
    existing = ENDPOINTS.find(call.tx, "by_token", application.arn, token)
    if existing is not None:
        if existing.attributes != wanted:
            raise invalid(
                f"Token Reason: Endpoint {existing.arn} already exists with the same Token, but different attributes."
            )
        return {"EndpointArn": existing.arn}
    arn = f"{application.arn.replace(':app/', ':endpoint/', 1)}/{call.ids.uuid()}"
    ENDPOINTS.put(call.tx, Endpoint(application.arn, arn, token, wanted))
    return {"EndpointArn": arn}


def check_attributes(attributes: dict[str, str]) -> None:
    for name, value in attributes.items():
        if name not in ATTRIBUTES:
            raise invalid(f"Attributes Reason: Invalid attribute name: {name}")
        if name == "Enabled" and value.lower() not in ("true", "false"):
            raise invalid("Attributes Reason: Invalid value for attribute: Enabled")
        if name == "CustomUserData" and len(value.encode()) > LONGEST_USER_DATA:
            raise invalid("Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes")


@read_only
def get_endpoint_attributes(call: Call, request: GetEndpointAttributesInput) -> GetEndpointAttributesResponse:
    """Raises NotFound."""
    return {"Attributes": dict(endpoint_of(call, request["EndpointArn"]).attributes)}


@read_write
def set_endpoint_attributes(call: Call, request: SetEndpointAttributesInput) -> dict[str, Any]:
    """Raises InvalidParameter, NotFound."""
    endpoint = endpoint_of(call, request["EndpointArn"])
    check_attributes(request["Attributes"])
    attributes = {**endpoint.attributes, **request["Attributes"]}
    attributes["Enabled"] = attributes["Enabled"].lower()
    ENDPOINTS.put(call.tx, replace(endpoint, token=attributes["Token"], attributes=attributes))
    return {}


@read_write
def delete_endpoint(call: Call, request: DeleteEndpointInput) -> dict[str, Any]:
    """Deleting what is not there succeeds; its subscriptions stay, as on AWS."""
    check_arn(request["EndpointArn"], "EndpointArn")
    ENDPOINTS.delete(call.tx, request["EndpointArn"])
    return {}


@read_only
def list_endpoints_by_platform_application(
    call: Call, request: ListEndpointsByPlatformApplicationInput
) -> ListEndpointsByPlatformApplicationResponse:
    """100 a page. Raises NotFound."""
    application = application_of(call, request["PlatformApplicationArn"])
    token = request.get("NextToken")
    after = (decode_token(token),) if token else None
    records = ENDPOINTS.lookup(call.tx, "by_application", application.arn, after=after)
    found, rest = page(records, lambda record: record.arn)
    listed = [{"EndpointArn": record.arn, "Attributes": dict(record.attributes)} for record in found]
    return {"Endpoints": listed, **rest}  # type: ignore[typeddict-item]
