"""Stack policies: which updates of which resources a stack allows.

    denial(policy, "Update:Modify", "Bucket", "AWS::S3::Bucket")   -> None, or why not

Source: CloudFormation User Guide, "Prevent updates to stack resources".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cloudlet.emulator.fallback.stacks.errors import refused

LONGEST_BYTES = 16_384


def check(text: str) -> None:
    """Raises `ValidationError` for what is no policy."""
    try:
        policy = json.loads(text)
    except ValueError:
        raise refused("Error validating stack policy: Invalid stack policy") from None
    if not isinstance(policy, dict) or not isinstance(policy.get("Statement"), list | dict):
        raise refused("Error validating stack policy: Invalid stack policy")


def denial(text: str | None, action: str, logical_id: str, kind: str) -> str | None:
    """Why the policy forbids the action, None where it allows it. Without a policy everything is allowed."""
    if not text:
        return None
    statements = json.loads(text)["Statement"]
    numbered = enumerate(statements if isinstance(statements, list) else [statements], 1)
    matching = [(number, statement) for number, statement in numbered if applies(statement, action, logical_id, kind)]
    denied = [number for number, statement in matching if statement.get("Effect") == "Deny"]
    if not denied and any(statement.get("Effect") == "Allow" for _number, statement in matching):
        return None
    why = f"Statement [#{denied[0]}] does not allow" if denied else "no statement allows"
    return f"Action denied by stack policy: {why} [{action}] for resource [LogicalResourceId/{logical_id}]"


def applies(statement: Mapping[str, Any], action: str, logical_id: str, kind: str) -> bool:
    resource = f"LogicalResourceId/{logical_id}"
    if "Action" in statement and not any(like(action, wanted) for wanted in several(statement["Action"])):
        return False
    if "NotAction" in statement and any(like(action, wanted) for wanted in several(statement["NotAction"])):
        return False
    if "Resource" in statement and not any(like(resource, wanted) for wanted in several(statement["Resource"])):
        return False
    if "NotResource" in statement and any(like(resource, wanted) for wanted in several(statement["NotResource"])):
        return False
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, wanted in tests.items():
            if key == "ResourceType":
                found = any(like(kind, one) if operator == "StringLike" else kind == one for one in several(wanted))
                if not found:
                    return False
    return True


def several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def like(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
