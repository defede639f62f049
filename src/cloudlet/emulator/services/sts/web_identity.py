"""AssumeRoleWithWebIdentity, and reading its token."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sts.api import (
    AssumeRoleWithWebIdentityRequest,
    AssumeRoleWithWebIdentityResponse,
    ExpiredTokenException,
    InvalidIdentityTokenException,
)
from cloudlet.emulator.services.sts.roles import DEFAULT_DURATION_SECONDS, assumed_role_user
from cloudlet.emulator.services.sts.rules import packed_size, read_role_arn
from cloudlet.emulator.services.sts.sessions import issue


@read_write
def assume_role_with_web_identity(
    call: Call, request: AssumeRoleWithWebIdentityRequest
) -> AssumeRoleWithWebIdentityResponse:
    """The token's signature and issuer are not checked: an emulator has no way to the issuer's keys.

    Raises InvalidIdentityToken, ExpiredTokenException, ValidationError, MalformedPolicyDocument.
    """
    role = read_role_arn(request["RoleArn"])
    packed = packed_size(request.get("Policy", ""), request.get("PolicyArns", ()), ())
    claims = read_token(request["WebIdentityToken"])
    check_expiry(claims, call.now)
    user = assumed_role_user(role, request["RoleSessionName"])
    credentials = issue(
        call,
        "assumed-role",
        role.account_id,
        user["Arn"],
        user["AssumedRoleId"],
        request.get("DurationSeconds", DEFAULT_DURATION_SECONDS),
        role_arn=role.arn,
        policy=request.get("Policy", ""),
        policy_arns=[entry["arn"] for entry in request.get("PolicyArns", ()) if "arn" in entry],
    )
    result: AssumeRoleWithWebIdentityResponse = {
        "Credentials": credentials,
        "AssumedRoleUser": user,
        "SubjectFromWebIdentityToken": str(claims["sub"]),
        "Audience": first(claims["aud"]),
        "Provider": request.get("ProviderId") or str(claims["iss"]),
    }
    if packed is not None:
        result["PackedPolicySize"] = packed
    return result


def read_token(token: str) -> dict[str, Any]:
    """The claims of a JSON web token. Raises InvalidIdentityToken."""
    parts = token.split(".")
    header = decode_part(parts[0])
    claims = decode_part(parts[1]) if len(parts) == 3 else None
    if header is None or claims is None:
        raise InvalidIdentityTokenException(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        )
    for claim in ("iss", "sub", "aud"):
        if not claims.get(claim):
            raise InvalidIdentityTokenException(f"Missing a required claim: {claim}")
    return claims


def decode_part(part: str) -> dict[str, Any] | None:
    try:
        document = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def check_expiry(claims: dict[str, Any], now: float) -> None:
    """Raises ExpiredTokenException."""
    expiry = claims.get("exp")
    if isinstance(expiry, (int, float)) and expiry <= now:
        raise ExpiredTokenException(
            f"Token expired: current date/time {int(now)} must be before the expiration date/time {int(expiry)}"
        )


def first(audience: Any) -> str:
    return str(audience[0] if isinstance(audience, list) and audience else audience)
