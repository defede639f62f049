"""Resource policies of tables: PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy."""

from __future__ import annotations

import json

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    DeleteResourcePolicyInput,
    DeleteResourcePolicyOutput,
    GetResourcePolicyInput,
    GetResourcePolicyOutput,
    PolicyNotFoundException,
    PutResourcePolicyInput,
    PutResourcePolicyOutput,
)
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.records import TABLES, TableRecord
from cloudlet.emulator.services.dynamodb.tags import tagged_table

NO_POLICY = "NO_POLICY"


def no_policy(table: TableRecord) -> PolicyNotFoundException:
    return PolicyNotFoundException(f"Resource-based policy not found for the provided ResourceArn: {table.arn}")


def check_revision(table: TableRecord, expected: str | None) -> None:
    """Raises PolicyNotFoundException where the policy is not of the revision that the caller knows."""
    if expected is None:
        return
    if expected == NO_POLICY and not table.resource_policy:
        return
    if expected != table.policy_revision or not table.resource_policy:
        raise PolicyNotFoundException(
            f"Resource-based policy not found for the provided ResourceArn: {table.arn} and RevisionId: {expected}"
        )


@read_write
def put_resource_policy(call: Call, request: PutResourcePolicyInput) -> PutResourcePolicyOutput:
    table = tagged_table(call, request["ResourceArn"])
    try:
        json.loads(request["Policy"])
    except ValueError:
        raise ValidationException("Resource-based policy is not valid JSON") from None
    check_revision(table, request.get("ExpectedRevisionId"))
    if table.resource_policy == request["Policy"]:
        return {"RevisionId": table.policy_revision}
    revision = str(max(int(call.now * 1000), int(table.policy_revision or 0) + 1))
    TABLES.put(call.tx, replace(table, resource_policy=request["Policy"], policy_revision=revision))
    return {"RevisionId": revision}


@read_only
def get_resource_policy(call: Call, request: GetResourcePolicyInput) -> GetResourcePolicyOutput:
    table = tagged_table(call, request["ResourceArn"])
    if not table.resource_policy:
        raise no_policy(table)
    return {"Policy": table.resource_policy, "RevisionId": table.policy_revision}


@read_write
def delete_resource_policy(call: Call, request: DeleteResourcePolicyInput) -> DeleteResourcePolicyOutput:
    table = tagged_table(call, request["ResourceArn"])
    check_revision(table, request.get("ExpectedRevisionId"))
    if not table.resource_policy:
        return {}
    TABLES.put(call.tx, replace(table, resource_policy=""))
    return {"RevisionId": table.policy_revision}
