"""GetSessionToken and GetFederationToken: temporary credentials of the caller itself."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sts.api import (
    GetFederationTokenRequest,
    GetFederationTokenResponse,
    GetSessionTokenRequest,
    GetSessionTokenResponse,
)
from cloudlet.emulator.services.sts.errors import AccessDenied
from cloudlet.emulator.services.sts.rules import packed_size, session_tags
from cloudlet.emulator.services.sts.sessions import calling_session, issue

DEFAULT_DURATION_SECONDS = 43_200


@read_write
def get_session_token(call: Call, request: GetSessionTokenRequest) -> GetSessionTokenResponse:
    """Raises AccessDenied when the caller's own credentials are temporary."""
    check_long_term(call, "GetSessionToken")
    duration = request.get("DurationSeconds", DEFAULT_DURATION_SECONDS)
    principal = call.principal
    return {"Credentials": issue(call, "session", call.account_id, principal.arn, principal.user_id, duration)}


@read_write
def get_federation_token(call: Call, request: GetFederationTokenRequest) -> GetFederationTokenResponse:
    """Raises AccessDenied, MalformedPolicyDocument, PackedPolicyTooLarge, InvalidParameterValue."""
    check_long_term(call, "GetFederationToken")
    tags = request.get("Tags", [])
    packed = packed_size(request.get("Policy", ""), request.get("PolicyArns", ()), tags)
    name = request["Name"]
    arn = f"arn:{call.partition}:sts::{call.account_id}:federated-user/{name}"
    user_id = f"{call.account_id}:{name}"
    credentials = issue(
        call,
        "federated-user",
        call.account_id,
        arn,
        user_id,
        request.get("DurationSeconds", DEFAULT_DURATION_SECONDS),
        policy=request.get("Policy", ""),
        policy_arns=[entry["arn"] for entry in request.get("PolicyArns", ()) if "arn" in entry],
        tags=session_tags(tags, (), {}),
    )
    return {
        "Credentials": credentials,
        "FederatedUser": {"FederatedUserId": user_id, "Arn": arn},
        "PackedPolicySize": packed or 0,
    }


def check_long_term(call: Call, operation: str) -> None:
    if calling_session(call) is not None:
        raise AccessDenied(f"Cannot call {operation} with session credentials")
