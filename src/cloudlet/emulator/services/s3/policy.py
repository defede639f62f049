"""Bucket policies: validated and stored; whether one makes the bucket public. Enforcing them is the gateway's matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.s3.api import (
    DeleteBucketPolicyRequest,
    GetBucketPolicyOutput,
    GetBucketPolicyRequest,
    GetBucketPolicyStatusOutput,
    GetBucketPolicyStatusRequest,
    PutBucketPolicyRequest,
)
from cloudlet.emulator.services.s3.configurations import delete_config, get_config, put_config
from cloudlet.emulator.services.s3.errors import AccessDenied, MalformedPolicy, NoSuchBucketPolicy
from cloudlet.emulator.services.s3.lookup import require_bucket
from cloudlet.emulator.store.kv import Transaction

KIND = "policy"
MAX_BYTES = 20 * 1024
VERSIONS = frozenset({"2008-10-17", "2012-10-17"})
# Conditions on these keys tie a statement to fixed callers, so it is not public.
RESTRICTING = frozenset(
    {
        "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceaccount", "aws:sourceowner", "aws:sourceip",
        "aws:userid", "aws:principalorgid", "aws:principalarn", "aws:principalaccount", "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)  # fmt: skip


def listed(value: Any) -> list[Any]:
    """A policy element that may be one or a list."""
    return value if isinstance(value, list) else [value]


def parse_policy(text: str, bucket: str) -> dict[str, Any]:
    """A policy document for a bucket. Raises MalformedPolicy."""
    try:
        document = msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        document = None
    if not isinstance(document, dict):
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'")
    if len(text.encode()) > MAX_BYTES:
        raise MalformedPolicy("The policy is too large.")
    if "Version" in document and document["Version"] not in VERSIONS:
        raise MalformedPolicy("The policy must contain a valid version string")
    if not document.get("Statement"):
        raise MalformedPolicy("Missing required field Statement")
    for statement in listed(document["Statement"]):
        check_statement(statement, bucket)
    return document


def check_statement(statement: Any, bucket: str) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicy("Statement must be an object")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy("Missing required field Effect" if "Effect" not in statement else "Invalid effect")
    for name, other in (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
        if name not in statement and other not in statement:
            raise MalformedPolicy(f"Missing required field {name}")
    for action in listed(statement.get("Action", statement.get("NotAction"))):
        if action != "*" and not str(action).lower().startswith(("s3:", "s3-object-lambda:")):
            raise MalformedPolicy("Policy has invalid action")
    for resource in listed(statement.get("Resource", statement.get("NotResource"))):
        name = str(resource).partition(":::")[2].partition("/")[0]
        if resource != "*" and (not str(resource).startswith("arn:") or ("*" not in name and name != bucket)):
            raise MalformedPolicy("Policy has invalid resource")


def is_public(document: Mapping[str, Any]) -> bool:
    """Whether a policy lets everybody in."""
    for statement in listed(document.get("Statement") or []):
        principal = statement.get("Principal")
        everybody = principal == "*" or (isinstance(principal, dict) and "*" in listed(principal.get("AWS")))
        if statement.get("Effect") != "Allow" or not everybody:
            continue
        conditions = {
            key.lower(): values
            for operator in (statement.get("Condition") or {}).values()
            for key, values in operator.items()
        }
        fixed = [
            key
            for key, values in conditions.items()
            if key in RESTRICTING and not any(value in ("*", "0.0.0.0/0", "::/0") for value in listed(values))
        ]
        if not fixed:
            return True
    return False


@read_write
def put_bucket_policy(call: Call, request: PutBucketPolicyRequest) -> None:
    bucket = require_bucket(call, request)
    text = request.get("Policy", "")
    document = parse_policy(text, bucket.name)
    block = get_config(call.tx, bucket.name, "public_access_block")
    if block and block.get("BlockPublicPolicy") and is_public(document):
        raise AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:aws:s3:::{bucket.name}" because public policies are blocked by the BlockPublicPolicy block public '
            "access setting."
        )
    put_config(call.tx, bucket.name, KIND, {"Policy": text})


def require_policy(tx: Transaction, bucket: str) -> str:
    """Raises NoSuchBucketPolicy."""
    found = get_config(tx, bucket, KIND)
    if found is None:
        raise NoSuchBucketPolicy(BucketName=bucket)
    return cast(str, found["Policy"])


@read_only
def get_bucket_policy(call: Call, request: GetBucketPolicyRequest) -> GetBucketPolicyOutput:
    return {"Policy": require_policy(call.tx, require_bucket(call, request).name)}


@read_only
def get_bucket_policy_status(call: Call, request: GetBucketPolicyStatusRequest) -> GetBucketPolicyStatusOutput:
    text = require_policy(call.tx, require_bucket(call, request).name)
    return {"PolicyStatus": {"IsPublic": is_public(msgspec.json.decode(text.encode()))}}


@read_write
def delete_bucket_policy(call: Call, request: DeleteBucketPolicyRequest) -> None:
    delete_config(call.tx, require_bucket(call, request).name, KIND)
