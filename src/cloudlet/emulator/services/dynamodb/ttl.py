"""Time to live settings: UpdateTimeToLive and DescribeTimeToLive. `expirations` does the deleting."""

from __future__ import annotations

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.dynamodb.api import (
    DescribeTimeToLiveInput,
    DescribeTimeToLiveOutput,
    UpdateTimeToLiveInput,
    UpdateTimeToLiveOutput,
)
from cloudlet.emulator.services.dynamodb.catalog import find_table
from cloudlet.emulator.services.dynamodb.errors import ValidationException
from cloudlet.emulator.services.dynamodb.expirations import clear_expiries, fill_expiries
from cloudlet.emulator.services.dynamodb.records import TABLES
from cloudlet.emulator.services.dynamodb.tables import not_found


@read_write
def update_time_to_live(call: Call, request: UpdateTimeToLiveInput) -> UpdateTimeToLiveOutput:
    specification = request["TimeToLiveSpecification"]
    table = find_table(call, request["TableName"], not_found(call, request["TableName"]))
    name, current = specification["AttributeName"], table.ttl_attribute
    if specification["Enabled"]:
        if current:
            raise ValidationException("TimeToLive is already enabled")
        table = replace(table, ttl_attribute=name)
        fill_expiries(call, table)
    else:
        if not current:
            raise ValidationException("TimeToLive is already disabled")
        if current != name:
            raise ValidationException(
                f"TimeToLive is active on a different AttributeName: current AttributeName is {current}"
            )
        table = replace(table, ttl_attribute="")
        clear_expiries(call.tx, table)
    TABLES.put(call.tx, table)
    return {"TimeToLiveSpecification": specification}


@read_only
def describe_time_to_live(call: Call, request: DescribeTimeToLiveInput) -> DescribeTimeToLiveOutput:
    table = find_table(call, request["TableName"], not_found(call, request["TableName"]))
    if not table.ttl_attribute:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl_attribute}}
