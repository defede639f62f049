"""AssumeRole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_write
from cloudlet.emulator.services.sts.api import AssumeRoleRequest, AssumeRoleResponse
from cloudlet.emulator.services.sts.errors import AccessDenied, RequestInvalid
from cloudlet.emulator.services.sts.records import Session
from cloudlet.emulator.services.sts.rules import (
    Role,
    assumed_role_arn,
    packed_size,
    read_role_arn,
    role_id,
    session_tags,
)
from cloudlet.emulator.services.sts.sessions import calling_session, issue

if TYPE_CHECKING:
    from cloudlet.emulator.services.sts.api import AssumedRoleUser

DEFAULT_DURATION_SECONDS = 3600
LONGEST_CHAINED_SECONDS = 3600


@read_write
def assume_role(call: Call, request: AssumeRoleRequest) -> AssumeRoleResponse:
    """Whether the role exists and trusts the caller is IAM's business, which is not asked yet.

    Raises ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge, InvalidParameterValue, AccessDenied.
    """
    role = read_role_arn(request["RoleArn"])
    caller = calling_session(call)
    duration = request.get("DurationSeconds", DEFAULT_DURATION_SECONDS)
    check_chaining(caller, duration)
    tags = request.get("Tags", [])
    transitive = request.get("TransitiveTagKeys", [])
    inherited = passed_on(caller)
    packed = packed_size(request.get("Policy", ""), request.get("PolicyArns", ()), tags)
    source_identity = request.get("SourceIdentity", "")
    if caller is not None and caller.source_identity:
        if source_identity and source_identity != caller.source_identity:
            raise AccessDenied("The source identity of a chained session cannot be changed.")
        source_identity = caller.source_identity
    user = assumed_role_user(role, request["RoleSessionName"])
    result: AssumeRoleResponse = {
        "Credentials": issue(
            call,
            "assumed-role",
            role.account_id,
            user["Arn"],
            user["AssumedRoleId"],
            duration,
            role_arn=role.arn,
            source_identity=source_identity,
            policy=request.get("Policy", ""),
            policy_arns=[entry["arn"] for entry in request.get("PolicyArns", ()) if "arn" in entry],
            tags=session_tags(tags, transitive, inherited),
            transitive_tag_keys=[*inherited, *transitive],
        ),
        "AssumedRoleUser": user,
    }
    if packed is not None:
        result["PackedPolicySize"] = packed
    if source_identity:
        result["SourceIdentity"] = source_identity
    return result


def assumed_role_user(role: Role, session_name: str) -> AssumedRoleUser:
    return {"AssumedRoleId": f"{role_id(role)}:{session_name}", "Arn": assumed_role_arn(role, session_name)}


def check_chaining(caller: Session | None, duration: int) -> None:
    """Raises ValidationError: a role that assumes a role has an hour at most ("Roles terms and concepts")."""
    if caller is not None and caller.kind == "assumed-role" and duration > LONGEST_CHAINED_SECONDS:
        raise RequestInvalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )


def passed_on(caller: Session | None) -> dict[str, str]:
    """The tags that a calling session passes on."""
    if caller is None:
        return {}
    return {key: caller.tags[key] for key in caller.transitive_tag_keys if key in caller.tags}
