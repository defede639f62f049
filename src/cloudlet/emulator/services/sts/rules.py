"""ARNs, ids, policies and session tags: pure functions."""

from __future__ import annotations

import json
import re
from base64 import b32encode
from collections.abc import Sequence
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from cloudlet.emulator.services.sts.api import MalformedPolicyDocumentException, PackedPolicyTooLargeException
from cloudlet.emulator.services.sts.errors import InvalidParameterValue, RequestInvalid

if TYPE_CHECKING:
    from cloudlet.emulator.services.sts.api import PolicyDescriptorType, Tag

ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role/(?P<path>.*/)?(?P<name>[\w+=,.@-]{1,64})\Z"
)
PROVIDER_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):saml-provider/(?P<name>[\w._-]{1,128})\Z")
PACKED_LIMIT_BYTES = 2048  # AWS packs policies and tags into a binary form of about this size


class Role(NamedTuple):
    partition: str
    account_id: str
    name: str
    arn: str


def read_role_arn(arn: str) -> Role:
    """Raises ValidationError for what is no role's ARN."""
    found = ROLE_ARN.match(arn)
    if found is None:
        raise RequestInvalid(f"{arn} is invalid" if arn.startswith("arn:") else "Request ARN is invalid")
    return Role(found["partition"], found["account"], found["name"], arn)


def role_id(role: Role) -> str:
    """The unique id of a role: the same for the same ARN, as long as IAM does not say."""
    return "AROA" + b32encode(sha256(role.arn.encode()).digest()).decode()[:17]


def assumed_role_arn(role: Role, session_name: str) -> str:
    return f"arn:{role.partition}:sts::{role.account_id}:assumed-role/{role.name}/{session_name}"


def packed_size(policy: str, policy_arns: Sequence[PolicyDescriptorType], tags: Sequence[Tag]) -> int | None:
    """Percent of what a session may carry; None when it carries nothing.

    Raises MalformedPolicyDocument and PackedPolicyTooLarge. AWS does not publish the packed form; ours counts characters
    without white space.
    """
    if policy:
        check_policy(policy)
    if not (policy or policy_arns or tags):
        return None
    size = len(re.sub(r"\s+", "", policy)) + sum(len(entry.get("arn", "")) for entry in policy_arns)
    size += sum(len(tag["Key"]) + len(tag["Value"]) for tag in tags)
    percent = max(1, ceil(size * 100 / PACKED_LIMIT_BYTES))
    if percent > 100:
        raise PackedPolicyTooLargeException(f"Packed size of session policy consumes {percent}% of allotted space.")
    return percent


def check_policy(policy: str) -> None:
    """Raises MalformedPolicyDocument."""
    try:
        document = json.loads(policy)
    except ValueError:
        raise MalformedPolicyDocumentException("This policy contains invalid Json") from None
    if not isinstance(document, dict) or "Statement" not in document:
        raise MalformedPolicyDocumentException("Syntax errors in policy.")


def session_tags(tags: Sequence[Tag], transitive: Sequence[str], inherited: dict[str, str]) -> dict[str, str]:
    """The session's tags: those of the request over those that the calling session passes on.

    Raises InvalidParameterValue.
    """
    own = {tag["Key"]: tag["Value"] for tag in tags}
    lower = [tag["Key"].lower() for tag in tags]
    if len(set(lower)) != len(lower):
        raise InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    passed_on = {key.lower() for key in inherited}
    if any(key in passed_on for key in lower):
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    if any(key.lower() not in lower for key in transitive):
        raise InvalidParameterValue("The specified transitive tag key must be included in the requested tags.")
    return {**inherited, **own}
