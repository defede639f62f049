"""Platform applications: the push services of mobile platforms."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns.api import (
    CreatePlatformApplicationInput,
    CreatePlatformApplicationResponse,
    DeletePlatformApplicationInput,
    GetPlatformApplicationAttributesInput,
    GetPlatformApplicationAttributesResponse,
    ListPlatformApplicationsInput,
    ListPlatformApplicationsResponse,
    NotFoundException,
    SetPlatformApplicationAttributesInput,
)
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.lookup import check_arn, decode_token, page
from cloudlet.emulator.services.sns.records import APPLICATIONS, ENDPOINTS, Application

NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}\Z")
PLATFORMS = ("ADM", "APNS", "APNS_SANDBOX", "GCM", "BAIDU", "MACOS", "MACOS_SANDBOX", "MPNS", "WNS", "APNS_VOIP", "FCM")
SETTABLE = frozenset(
    {
        "ApplePlatformBundleID",
        "ApplePlatformTeamID",
        "EventDeliveryFailure",
        "EventEndpointCreated",
        "EventEndpointDeleted",
        "EventEndpointUpdated",
        "FailureFeedbackRoleArn",
        "PlatformCredential",
        "PlatformPrincipal",
        "SuccessFeedbackRoleArn",
        "SuccessFeedbackSampleRate",
    }
)
SECRET = frozenset({"PlatformCredential", "PlatformPrincipal"})


def application_of(call: Call, arn: str) -> Application:
    """Raises InvalidParameter, NotFound."""
    parts = check_arn(arn, "PlatformApplicationArn")
    if parts[2] != "sns" or not parts[5].startswith("app/"):
        raise invalid("PlatformApplicationArn Reason: Wrong number of slashes in relative portion of the ARN.")
    found = APPLICATIONS.get(call.tx, arn)
    if found is None:
        raise NotFoundException("PlatformApplication does not exist")
    return found


@read_write
def create_platform_application(
    call: Call, request: CreatePlatformApplicationInput
) -> CreatePlatformApplicationResponse:
    """The same name and platform give the same application. Raises InvalidParameter."""
    name, platform = request["Name"], request["Platform"]
    if platform not in PLATFORMS:
        raise invalid(f"Platform Reason: {platform} is not supported")
    if NAME.match(name) is None:
        raise invalid(f"Name Reason: {'cannot be empty' if not name else 'must be at most 256 characters long'}")
    attributes = dict(request.get("Attributes", {}))
    check_attributes(attributes)
    if "PlatformCredential" not in attributes:
        raise invalid("Attributes Reason: PlatformCredential attribute not present")
    arn = f"arn:{call.partition}:sns:{call.region}:{call.account_id}:app/{platform}/{name}"
    existing = APPLICATIONS.get(call.tx, arn)
    if existing is not None:
        if existing.attributes != {"Enabled": "true", **attributes}:
            raise invalid("Attributes Reason: Platform Application already exists with different attributes")
        return {"PlatformApplicationArn": arn}
    application = Application(arn, call.account_id, call.region, name, platform, {"Enabled": "true", **attributes})
    APPLICATIONS.put(call.tx, application)
    return {"PlatformApplicationArn": arn}


def check_attributes(attributes: dict[str, str]) -> None:
    for name in attributes:
        if name not in SETTABLE:
            raise invalid(f"Attributes Reason: Invalid attribute name: {name}")


@read_only
def get_platform_application_attributes(
    call: Call, request: GetPlatformApplicationAttributesInput
) -> GetPlatformApplicationAttributesResponse:
    """Credentials are not shown. Raises NotFound."""
    return {"Attributes": shown(application_of(call, request["PlatformApplicationArn"]))}


def shown(application: Application) -> dict[str, str]:
    return {name: value for name, value in application.attributes.items() if name not in SECRET}


@read_write
def set_platform_application_attributes(call: Call, request: SetPlatformApplicationAttributesInput) -> dict[str, Any]:
    """Raises InvalidParameter, NotFound."""
    application = application_of(call, request["PlatformApplicationArn"])
    check_attributes(request["Attributes"])
    attributes = {**application.attributes, **request["Attributes"]}
    APPLICATIONS.put(call.tx, replace(application, attributes=attributes))
    return {}


@read_write
def delete_platform_application(call: Call, request: DeletePlatformApplicationInput) -> dict[str, Any]:
    """Deletes its endpoints too. Deleting what is not there succeeds."""
    arn = request["PlatformApplicationArn"]
    check_arn(arn, "PlatformApplicationArn")
    APPLICATIONS.delete(call.tx, arn)
    for endpoint in list(ENDPOINTS.lookup(call.tx, "by_application", arn)):
        ENDPOINTS.delete(call.tx, endpoint.arn)
    return {}


@read_only
def list_platform_applications(call: Call, request: ListPlatformApplicationsInput) -> ListPlatformApplicationsResponse:
    own = f"arn:{call.partition}:sns:{call.region}:{call.account_id}:app/"
    token = request.get("NextToken")
    after = (decode_token(token),) if token else None
    found, rest = page(APPLICATIONS.scan(call.tx, starts_with=own, after=after), lambda record: record.arn)
    listed = [{"PlatformApplicationArn": record.arn, "Attributes": shown(record)} for record in found]
    return {"PlatformApplications": listed, **rest}  # type: ignore[typeddict-item]
