"""The policy of a POST upload: parsed, and checked against the fields of the form.

Source: "Creating a POST policy", S3 API Reference.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cloudlet.emulator.services.s3.errors import AccessDenied, EntityTooLarge, EntityTooSmall, InvalidPolicyDocument

# Fields that need no condition.
UNCONDITIONED = frozenset(
    {"awsaccesskeyid", "signature", "file", "policy", "x-amz-signature", "submit", "content-length-range"}
)


def parse_policy(text: str) -> dict[str, Any]:
    """A policy from its base64 text. Raises InvalidPolicyDocument."""
    try:
        document = msgspec.json.decode(b64decode(text))
    except (Base64Error, ValueError):
        raise InvalidPolicyDocument("Invalid Policy: Invalid JSON.") from None
    if not isinstance(document, dict):
        raise InvalidPolicyDocument("Invalid Policy: Invalid JSON.")
    if "expiration" not in document:
        raise InvalidPolicyDocument("Invalid Policy: Policy missing expiration.")
    if "conditions" not in document:
        raise InvalidPolicyDocument("Invalid Policy: Policy missing conditions.")
    if not isinstance(document["conditions"], list):
        raise InvalidPolicyDocument("Invalid Policy: Invalid 'conditions' value: must be a List.")
    return document


def check_policy(document: Mapping[str, Any], fields: Mapping[str, str], size: int, now: float) -> None:
    """`fields` under lower-case names, `bucket` among them. Raises AccessDenied, EntityTooLarge, EntityTooSmall."""
    if expiration(document["expiration"]) < now:
        raise AccessDenied("Invalid according to Policy: Policy expired.")
    seen = set()
    for condition in document["conditions"]:
        seen.update(check_condition(condition, fields, size))
    for name in fields:
        if (
            name not in seen
            and name not in UNCONDITIONED
            and not name.startswith(("x-ignore-", "x-amz-checksum-"))
            and name != "bucket"
        ):
            raise AccessDenied(f"Invalid according to Policy: Extra input fields: {name}")


def expiration(text: Any) -> float:
    if not isinstance(text, str) or not text.endswith("Z"):
        raise InvalidPolicyDocument(f"Invalid Policy: Invalid 'expiration' value: '{text}'")
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise InvalidPolicyDocument(f"Invalid Policy: Invalid 'expiration' value: '{text}'") from None


def check_condition(condition: Any, fields: Mapping[str, str], size: int) -> list[str]:
    """One condition; the names of the fields that it is about."""
    if isinstance(condition, dict):
        if not condition:
            raise InvalidPolicyDocument(
                "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
            )
        for name, value in condition.items():
            if fields.get(name.lower(), "") != str(value):
                raise failed(f'["eq", "${name}", "{value}"]')
        return [name.lower() for name in condition]
    if not isinstance(condition, list) or len(condition) != 3:
        raise InvalidPolicyDocument("Invalid Policy: Invalid Condition: conditions must have 3 elements.")
    operator = str(condition[0]).lower()
    if operator == "content-length-range":
        check_length(condition, size)
        return []
    name, value = str(condition[1]), str(condition[2])
    if operator not in ("eq", "starts-with"):
        raise InvalidPolicyDocument(f"Invalid Policy: Invalid Condition: unknown operation '{condition[0]}'.")
    actual = fields.get(name.removeprefix("$").lower(), "")
    if operator == "eq":
        fits = actual == value
    elif name.lower() == "$content-type":
        fits = all(part.strip().startswith(value) for part in actual.split(","))
    else:
        fits = actual.startswith(value)
    if not fits:
        raise failed(f'["{condition[0]}", "{name}", "{value}"]')
    return [name.removeprefix("$").lower()]


def check_length(condition: list[Any], size: int) -> None:
    try:
        least, most = int(condition[1]), int(condition[2])
    except (TypeError, ValueError):
        raise InvalidPolicyDocument("Invalid Policy: Invalid content-length-range.") from None
    if size < least:
        raise EntityTooSmall(ProposedSize=str(size), MinSizeAllowed=str(least))
    if size > most:
        raise EntityTooLarge(ProposedSize=str(size), MaxSizeAllowed=str(most))


def failed(condition: str) -> AccessDenied:
    return AccessDenied(f"Invalid according to Policy: Policy Condition failed: {condition}")
