"""What the documents of policies have to be, in the words of IAM's errors.

moto checks the policies of identities; here is what it does not: trust policies, and principals where none may be.
"""

from __future__ import annotations

import json
from typing import Any

from cloudlet.emulator.fallback.answers.iam.words import refuse
from cloudlet.emulator.kernel.errors import UnmodelledError

TRUSTING = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext")


def malformed(message: str) -> UnmodelledError:
    return refuse("MalformedPolicyDocument", message)


def statements(document: Any) -> list[dict[str, Any]]:
    found = document.get("Statement", []) if isinstance(document, dict) else []
    return [entry for entry in (found if isinstance(found, list) else [found]) if isinstance(entry, dict)]


def many(value: Any) -> list[Any]:
    """What may be one thing or a list of them."""
    return value if isinstance(value, list) else [] if value is None else [value]


def check_trust(text: str) -> None:
    """Raises MalformedPolicyDocument for what is no policy of who may assume a role."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise malformed("This policy contains invalid Json") from error
    if not isinstance(document, dict):
        raise malformed("Syntax errors in policy.")
    for statement in statements(document):
        for field in ("Resource", "NotResource"):
            if field in statement:
                raise malformed(f"Has prohibited field {field}")
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise malformed("Missing required field Principal")
        for action in many(statement.get("Action")):
            if action not in ("*", "sts:*") and not str(action).startswith(TRUSTING):
                raise malformed("AssumeRole policy may only specify STS AssumeRole actions.")


def check_identity(text: str) -> None:
    """Raises MalformedPolicyDocument for a principal in a policy whose principal is who has it."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise malformed("Syntax errors in policy.") from error
    for statement in statements(document):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise malformed("Policy document should not specify a principal.")
